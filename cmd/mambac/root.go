package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// usageTemplate is what stands below the long text of --help, 80 columns wide.
const usageTemplate = `Usage:
  {{.UseLine}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}{{if .HasAvailableSubCommands}}

Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}

Flags:
{{.Flags.FlagUsagesWrapped 80 | trimTrailingWhitespaces}}{{if .HasAvailableSubCommands}}

"{{.CommandPath}} COMMAND --help" tells more of a command.{{end}}
`

// newRoot assembles the commands.
func newRoot(c *console) *cobra.Command {
	root := &cobra.Command{
		Use:   "mambac COMMAND",
		Short: "Compile a Mamba checkpoint into one static program",
		Long: `mambac compiles one checkpoint of a Mamba-family language model into one
static program, or a Go package, made for exactly its shapes.

A CHECKPOINT is a folder with config.json and weights (safetensors or
pytorch_model.bin, sharded or not), one such weight file, or org/name of a model
in the local Hugging Face cache. The network is never used.`,
		Example: `  mambac demo
  mambac build ./my-checkpoint -o my-model
  ./my-model run "func main() {" -n 64`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			names := strings.Join(commandNames(cmd), ", ")
			if len(args) == 0 {
				return usagef("no command; one of %s", names)
			}
			return usagef("unknown command %q; one of %s", args[0], names)
		},
		DisableFlagsInUseLine: true,
		CompletionOptions:     cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.SetOut(c.out)
	root.SetErr(c.err)
	root.SetUsageTemplate(usageTemplate)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usagef("%v", err) })
	root.SetHelpCommand(&cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Print what --help prints",
		RunE:  func(cmd *cobra.Command, args []string) error { return help(cmd.Root(), args) },
	})
	root.PersistentFlags().BoolVarP(&c.quiet, "quiet", "q", false, "no progress on stderr")
	for _, add := range []func(*console) *cobra.Command{
		newBuild, newImage, newGenerate, newInspect, newVerify, newConvert, newSynth, newDemo, newServe, newCompletion, newVersion,
	} {
		root.AddCommand(add(c))
	}
	return root
}

func commandNames(root *cobra.Command) []string {
	var names []string
	for _, c := range root.Commands() {
		if !c.Hidden {
			names = append(names, c.Name())
		}
	}
	return names
}

// help is what --help of the named command prints.
func help(root *cobra.Command, names []string) error {
	cmd, rest, err := root.Find(names)
	if err != nil || len(rest) > 0 {
		return usagef("unknown command %q; one of %s", strings.Join(names, " "), strings.Join(commandNames(root), ", "))
	}
	cmd.InitDefaultHelpFlag()
	return cmd.Help()
}

// exactly demands n arguments, called as in the use line.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) < n:
			return usagef("%s is missing", what)
		case len(args) > n:
			return usagef("unexpected argument %q", args[n])
		}
		return nil
	}
}

// atMost is exactly for arguments that may be left out.
func atMost(n int) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > n {
			return usagef("unexpected argument %q", args[n])
		}
		return nil
	}
}

// oneOf checks the value of a flag that has a closed list of them.
func oneOf(flag, value string, want ...string) error {
	for _, w := range want {
		if value == w {
			return nil
		}
	}
	return usagef("--%s %s: want %s", flag, value, strings.Join(want, ", "))
}

// choices offers the values of a flag to the shell.
func choices(cmd *cobra.Command, flag string, values ...string) {
	complete := func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return values, cobra.ShellCompDirectiveNoFileComp
	}
	if err := cmd.RegisterFlagCompletionFunc(flag, complete); err != nil {
		panic("BUG: " + err.Error())
	}
}

// printJSON prints one object on a line.
func (c *console) printJSON(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.out, "%s\n", text)
	return err
}
