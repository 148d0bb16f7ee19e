package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mambac/mambac/runtime/cpu"
	api "github.com/mambac/mambac/runtime/model"
)

func newServe(c *console) *cobra.Command {
	var f buildFlags
	address := ""
	cmd := &cobra.Command{
		Use:   "serve CHECKPOINT [-- FLAG...]",
		Short: "Compile a checkpoint and answer requests over HTTP",
		Long: `Compiles a checkpoint into a program with the command serve and runs that: an
HTTP server in the forms of OpenAI's API. The program is kept in the user's
cache (mambac/programs), and made again when the checkpoint, the flags or mambac
have changed. What stands behind -- are flags of the program's command; among
them, --help tells of all.`,
		Example: `  mambac serve ./my-checkpoint
  mambac serve ./my-checkpoint --weights int8 --addr 127.0.0.1:9000
  mambac serve ./my-checkpoint -- --threads 2 --max-tokens 1000`,
		Args: func(cmd *cobra.Command, args []string) error {
			return exactly(1, "CHECKPOINT")(cmd, beforeDash(cmd, args))
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			rest := args[len(beforeDash(cmd, args)):]
			if address != "" {
				rest = append([]string{"--addr", address}, rest...)
			}
			return runServe(cmd, c, &f, args[0], rest)
		},
	}
	f.registerPasses(cmd)
	f.registerCalibration(cmd)
	f.registerLevels(cmd, "native")
	f.tuneFlags.register(cmd)
	cmd.Flags().StringVar(&address, "addr", "", "where to listen, as HOST:PORT (default 127.0.0.1:8080)")
	return cmd
}

// beforeDash is the arguments before --.
func beforeDash(cmd *cobra.Command, args []string) []string {
	if at := cmd.ArgsLenAtDash(); at >= 0 {
		return args[:at]
	}
	return args
}

func runServe(cmd *cobra.Command, c *console, f *buildFlags, checkpoint string, args []string) error {
	f.with = []string{"serve", explaining}
	if err := f.check(); err != nil {
		return err
	}
	path, err := f.cached(cmd.Context(), c, checkpoint, given(cmd))
	if err != nil {
		return err
	}
	return become(path, append([]string{"serve"}, args...))
}

// given is the flags that were set, in order, but for those that do not change
// the program.
func given(cmd *cobra.Command) string {
	var b strings.Builder
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if f.Name != "addr" && f.Name != "quiet" {
			fmt.Fprintf(&b, "--%s=%s\n", f.Name, f.Value)
		}
	})
	return b.String()
}

// cached is the program of a checkpoint in the user's cache, built if it is not
// there. Older ones of that checkpoint are removed then.
func (f *buildFlags) cached(ctx context.Context, c *console, argument, flags string) (string, error) {
	checkpoint, name, err := locate(argument)
	if err != nil {
		return "", err
	}
	payloads, err := api.CacheFolder()
	if err != nil {
		return "", fmt.Errorf("no place for the program: %w", err)
	}
	folder := filepath.Join(filepath.Dir(payloads), "programs")
	whole, err := filepath.Abs(checkpoint)
	if err != nil {
		return "", err
	}
	key, err := f.key(whole, flags)
	if err != nil {
		return "", err
	}
	prefix := name + "-" + digest(whole)[:8] + "-"
	f.out = filepath.Join(folder, executableName(prefix+key[:16]))
	if _, err := os.Stat(f.out); err == nil {
		return f.out, nil
	}
	if err := makeFolders(folder); err != nil {
		return "", err
	}
	older, err := filepath.Glob(filepath.Join(folder, globbed(prefix)+"*"))
	if err != nil {
		return "", err
	}
	if _, err := f.make(ctx, c, argument); err != nil {
		return "", err
	}
	for _, path := range older {
		if err := removeFile(path); err != nil {
			return "", err
		}
	}
	return f.out, nil
}

// key stands for all that a program depends on: files are known by their sizes
// and times, as reading gigabytes takes longer than a build.
func (f *buildFlags) key(checkpoint, flags string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	files := []string{self}
	if f.text != "" {
		files = append(files, f.text)
	}
	if f.tuningFile != "" {
		files = append(files, f.tuningFile)
	}
	entries, err := os.ReadDir(checkpoint)
	for _, e := range entries {
		files = append(files, filepath.Join(checkpoint, e.Name()))
	}
	if err != nil { // it is one file
		files = append(files, checkpoint)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n%s", version, cpu.Model(), flags)
	for _, path := range files {
		st, err := os.Stat(path)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%s %d %d\n", path, st.Size(), st.ModTime().UnixNano())
	}
	return digest(b.String()), nil
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// globbed is a pattern that matches a text alone.
func globbed(text string) string {
	return strings.NewReplacer(`[`, `\[`, `*`, `\*`, `?`, `\?`, `\`, `\\`).Replace(text)
}
