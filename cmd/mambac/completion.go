package main

import "github.com/spf13/cobra"

// shells is those that completions are written for.
var shells = []string{"bash", "zsh", "fish", "powershell"}

func newCompletion(c *console) *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Print a completion script for a shell",
		Long:  "Prints a script that completes commands, flags and their values.",
		Example: `  source <(mambac completion bash)
  mambac completion zsh > "${fpath[1]}/_mambac"
  mambac completion fish > ~/.config/fish/completions/mambac.fish`,
		Args:      exactly(1, "bash, zsh, fish or powershell"),
		ValidArgs: shells,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch root := cmd.Root(); args[0] {
			case "bash":
				return root.GenBashCompletionV2(c.out, true)
			case "zsh":
				return root.GenZshCompletion(c.out)
			case "fish":
				return root.GenFishCompletion(c.out, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(c.out)
			}
			return usagef("shell %q: want bash, zsh, fish or powershell", args[0])
		},
	}
}
