package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version stands in the headers of generated files, so it changes only when
// what is generated does.
const version = "0.1.0"

func newVersion(c *console) *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Long:    "Prints the version of mambac, and of Go, and the commit it was built from if\nthat is known.",
		Example: "  mambac version --json",
		Args:    exactly(0, ""),
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				return c.printJSON(map[string]string{
					"version": version, "commit": commit(), "go": runtime.Version(), "platform": platform(),
				})
			}
			line := "mambac " + version
			if id := commit(); id != "" {
				line += " (" + id + ")"
			}
			_, err := fmt.Fprintf(c.out, "%s, %s, %s\n", line, runtime.Version(), platform())
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object")
	return cmd
}

func platform() string { return runtime.GOOS + "/" + runtime.GOARCH }

// commit is the revision that the go command stamped, "" if none.
func commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	id, suffix := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			id = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			suffix = "+changes"
		}
	}
	if id == "" {
		return ""
	}
	return id[:min(12, len(id))] + suffix
}
