package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/token"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mambac/mambac/codegen"
)

// generateFlags is what the flags of generate say.
type generateFlags struct {
	choice
	pkg, dir string
	embed    bool
	json     bool
}

// payloadExt ends the name of a generated package's payload.
const payloadExt = ".payload"

func newGenerate(c *console) *cobra.Command {
	var f generateFlags
	cmd := &cobra.Command{
		Use:   "generate CHECKPOINT --package NAME --dir FOLDER",
		Short: "Write the Go package that build would compile",
		Long: `Writes the source that build compiles, Go and assembly, as a package to read or
to import, with a test of every kernel and a payload file of the weights. The
package needs the runtime of mambac, as module github.com/mambac/mambac.

In a folder that exists, files that an earlier run made are replaced or removed;
others stay, and are an error where one is in the way.`,
		Example: `  mambac generate ./my-checkpoint --package tiny --dir ./internal/tiny
  mambac generate ./my-checkpoint --package tiny --dir ./tiny --embed --cpu v3`,
		Args: exactly(1, "CHECKPOINT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runGenerate(cmd.Context(), c, &f, args[0], arguments(cmd))
		},
	}
	f.registerPasses(cmd)
	f.registerLevels(cmd, "all")
	f.platform = "linux/amd64" // levels of one architecture, on whatever this runs
	flags := cmd.Flags()
	flags.StringVar(&f.pkg, "package", "", "name of the package")
	flags.StringVar(&f.dir, "dir", "", "folder for its files")
	flags.BoolVar(&f.embed, "embed", false, "make the payload part of the package by go:embed")
	flags.BoolVar(&f.json, "json", false, "print the files as one JSON object")
	return cmd
}

// telling are the flags that change what is generated.
var telling = []string{"package", "embed", "weights", "cpu", "math", "disable-pass"}

// arguments prints those that were given, for the headers of the files.
func arguments(cmd *cobra.Command) string {
	var b strings.Builder
	for _, name := range telling {
		f := cmd.Flags().Lookup(name)
		if !f.Changed {
			continue
		}
		b.WriteString(" --" + name)
		if f.Value.Type() != "bool" {
			b.WriteString(" " + f.Value.String())
		}
	}
	return b.String()
}

func (f *generateFlags) check() error {
	switch {
	case f.pkg == "":
		return usagef("--package is missing")
	case f.dir == "":
		return usagef("--dir is missing")
	case !token.IsIdentifier(f.pkg) || f.pkg == "_" || f.pkg == "main":
		return usagef("--package %s: want the name of a Go package that is no command", f.pkg)
	}
	return f.choice.check()
}

func runGenerate(ctx context.Context, c *console, f *generateFlags, argument, flags string) error {
	if err := f.check(); err != nil {
		return err
	}
	m, err := openModel(argument)
	if err != nil {
		return err
	}
	defer m.close()
	o := codegen.Options{Package: f.pkg, Doc: packageDoc(f.pkg, m), Tests: true}
	if f.embed {
		o.Embed = f.pkg + payloadExt
	}
	out, err := f.compile(m, o, "generate "+m.name+flags)
	if err != nil {
		return err
	}
	if err := requireSpace(f.dir, out.Plan.Bytes+executableBytes); err != nil {
		return err
	}
	p := c.progress(f.json)
	err = replacePackage(ctx, f.dir, func(create func(name string) (io.WriteCloser, error)) error {
		return f.write(ctx, out, create, p)
	})
	p.end()
	if err != nil {
		return err
	}
	return f.print(c, out)
}

func packageDoc(name string, m *model) string {
	return fmt.Sprintf("Package %s is a %s model compiled by mambac. It sees the runtime only.", name, m.Family)
}

// write makes the files of the package.
func (f *generateFlags) write(ctx context.Context, c *compiled, create func(name string) (io.WriteCloser, error), p progress) error {
	for _, name := range slices.Sorted(maps.Keys(c.Files)) {
		w, err := create(name)
		if err != nil {
			return err
		}
		_, err = io.Copy(w, bytes.NewReader(c.Files[name]))
		if err := errors.Join(err, w.Close()); err != nil {
			return err
		}
	}
	w, err := create(f.pkg + payloadExt)
	if err != nil {
		return err
	}
	_, err = c.writePayload(ctx, w, 0, c.metadata(nil), p)
	return errors.Join(err, w.Close())
}

func (f *generateFlags) print(c *console, m *compiled) error {
	names := append(slices.Sorted(maps.Keys(m.Files)), f.pkg+payloadExt)
	if f.json {
		return c.printJSON(map[string]any{
			"package": f.pkg, "dir": f.dir, "files": names, "family": m.Family, "levels": m.levels,
			"weights": m.weights, "math": m.math, "kernels": len(m.Plan.Specs()),
		})
	}
	_, err := fmt.Fprintf(c.out, "%s: package %s, %s, %s, weights %s, %d files\n", f.dir, f.pkg, m.Family, strings.Join(m.levels, " "), m.weights, len(names))
	return err
}
