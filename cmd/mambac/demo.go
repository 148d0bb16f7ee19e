package main

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/mambac/mambac/codegen"
)

// demoFolder holds the bundled checkpoint: a small model of Go source.
const demoFolder = "demo/go-mamba-5m"

//go:embed demo/go-mamba-5m/config.json demo/go-mamba-5m/generation_config.json
//go:embed demo/go-mamba-5m/model.safetensors
//go:embed demo/go-mamba-5m/tokenizer.json demo/go-mamba-5m/tokenizer_config.json
var demoFiles embed.FS

// demoPrompt is what the demo continues.
const demoPrompt = "// Reverse returns a copy of s in reverse order.\nfunc Reverse(s []string) []string {\n"

// demoFlags is what the flags of demo say.
type demoFlags struct {
	tokens int
	out    string
}

func newDemo(c *console) *cobra.Command {
	var f demoFlags
	cmd := &cobra.Command{
		Use:   "demo [PROMPT]",
		Short: "Compile the bundled model and run it",
		Long: `Compiles a small model that comes with mambac, trained on Go source, into a
static program for this CPU, and lets it continue a piece of Go. The model has
4.6 million parameters: what it writes looks like Go and means little.`,
		Example: `  mambac demo
  mambac demo "func main() {" -n 64
  mambac demo -o go-model`,
		Args: atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			prompt := demoPrompt
			if len(args) > 0 {
				prompt = args[0]
			}
			return runDemo(cmd.Context(), c, &f, prompt)
		},
	}
	flags := cmd.Flags()
	flags.IntVarP(&f.tokens, "tokens", "n", 120, "length of the continuation")
	flags.StringVarP(&f.out, "out", "o", "", "keep the program under this name")
	return cmd
}

func runDemo(ctx context.Context, c *console, f *demoFlags, prompt string) error {
	if f.tokens < 1 {
		return usagef("-n %d: want a number of tokens", f.tokens)
	}
	return scratch(func(folder string) error {
		checkpoint := filepath.Join(folder, path.Base(demoFolder))
		if err := unpackDemo(ctx, checkpoint); err != nil {
			return err
		}
		program := filepath.Join(folder, executableName("go-mamba"))
		if f.out != "" {
			program = f.out
		}
		if err := buildDemo(ctx, c, checkpoint, program); err != nil {
			return err
		}
		return runProgram(ctx, c, program, "run", prompt, "--echo", "--stats", "-n", strconv.Itoa(f.tokens))
	})
}

// unpackDemo writes the bundled checkpoint to a folder.
func unpackDemo(ctx context.Context, folder string) error {
	if err := makeFolder(folder); err != nil {
		return err
	}
	return fs.WalkDir(demoFiles, demoFolder, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := demoFiles.ReadFile(name)
		if err != nil {
			return err
		}
		w, err := create(ctx, filepath.Join(folder, path.Base(name)), nil)
		if err != nil {
			return err
		}
		_, err = io.Copy(w, bytes.NewReader(data))
		return errors.Join(err, w.Close())
	})
}

func buildDemo(ctx context.Context, c *console, checkpoint, program string) error {
	m, err := openModel(checkpoint, nil)
	if err != nil {
		return err
	}
	defer m.close()
	o := newChoice()
	out, err := o.compile(m, codegen.Options{Package: "main", Doc: programDoc(m)}, "demo")
	if err != nil {
		return err
	}
	p := c.progress(false)
	defer p.end()
	return replaceFile(program, func(path string) error { return o.program(ctx, out, path, nil, p) })
}

// runProgram lets a program use our streams.
func runProgram(ctx context.Context, c *console, name string, args ...string) error {
	whole, err := filepath.Abs(name)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, whole, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, c.out, c.err
	stopGently(cmd)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
