package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mambac/mambac/importer/convert"
)

// convertFlags is what the flags of convert say.
type convertFlags struct {
	to, out, dtype string
	json           bool
}

func newConvert(c *console) *cobra.Command {
	var f convertFlags
	cmd := &cobra.Command{
		Use:   "convert CHECKPOINT --to gguf|hf|ssm --out PATH",
		Short: "Write a checkpoint in another layout",
		Long: `Writes a checkpoint in the layout of another program. Targets:
` + targetList() + `
Models of Mamba-1 and Mamba-2 go to each of them; Llama, Mistral and Mixtral to
gguf.

Tensors keep the types they are stored in, unless --dtype names one for all:
A_log, D and dt_bias become f32 then. In gguf, --dtype is that of the large
matrices; all that is small is f32, and q8_0 keeps dt_proj in f16 where its rows
are no multiple of 32. q4_0, q4_k_m and the like are made from an f32 or f16
file by llama-quantize of llama.cpp.

What the target has no place for is an error, before anything is written. For
gguf that is a model without a tokenizer.json of byte-level BPE; of Mamba, a
projection with a bias; of Mamba-1, an inner size that is not twice the hidden
one; of Mamba-2, bounds of the time step; of Mistral, a sliding window shorter
than max_position_embeddings. Groups of Mamba-2 are normed each by itself in ssm
and gguf, all together in hf: with n_groups above 1, hf goes to neither.

The small files of a tokenizer are copied into folders. Values are streamed, the
same checkpoint gives the same bytes, and an interrupt leaves nothing behind.`,
		Example: `  mambac convert ./my-checkpoint --to gguf --out my-model.gguf --dtype f16
  mambac convert state-spaces/mamba-130m --to hf --out ./mamba-130m-hf
  mambac convert ./mamba-130m-hf --to ssm --out ./mamba-130m`,
		Args: exactly(1, "CHECKPOINT"),
		RunE: func(cmd *cobra.Command, args []string) error { return runConvert(cmd.Context(), c, &f, args[0]) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.to, "to", "", "target: "+strings.Join(conversionNames(), ", "))
	flags.StringVarP(&f.out, "out", "o", "", "file to write, or new folder")
	flags.StringVar(&f.dtype, "dtype", "", "element type: f32, f16, bf16 or, for gguf, q8_0 (default: as stored)")
	flags.BoolVar(&f.json, "json", false, "print what was made as one JSON object")
	choices(cmd, "to", conversionNames()...)
	choices(cmd, "dtype", "f32", "f16", "bf16", "q8_0")
	return cmd
}

func conversionNames() []string {
	var names []string
	for _, t := range convert.Targets() {
		names = append(names, t.Name)
	}
	return names
}

// targetList is a line for each target.
func targetList() string {
	var b strings.Builder
	for _, t := range convert.Targets() {
		fmt.Fprintf(&b, "  %-5s %s\n", t.Name, t.About)
	}
	return b.String()
}

func (f *convertFlags) check() error {
	if f.to == "" || f.out == "" {
		return usagef("want both --to and --out")
	}
	if err := oneOf("to", f.to, conversionNames()...); err != nil {
		return err
	}
	for _, t := range convert.Targets() {
		if t.Name == f.to && f.dtype != "" {
			return oneOf("dtype", f.dtype, t.DTypes...)
		}
	}
	return nil
}

func runConvert(ctx context.Context, c *console, f *convertFlags, argument string) error {
	if err := f.check(); err != nil {
		return err
	}
	m, err := openModel(argument, nil)
	if err != nil {
		return err
	}
	defer m.close()
	if err := m.refuseOutputs(output{"--out", f.out}); err != nil {
		return err
	}
	v, err := convert.New(&convert.Source{Checkpoint: m.checkpoint, Model: m.Model, Name: m.name}, f.to, f.dtype)
	if err != nil {
		return err
	}
	if err := requireSpace(f.out, v.Bytes+1<<20); err != nil {
		return err
	}
	p := c.progress(f.json)
	written := int64(0)
	err = during(p, "convert", v.Bytes, func(set func(int64)) error {
		return f.write(ctx, v, func(n int64) { written = n; set(n) })
	})
	p.end()
	if err != nil {
		return err
	}
	return f.print(c, m, v, written)
}

// write makes the file or the folder.
func (f *convertFlags) write(ctx context.Context, v *convert.Conversion, set func(int64)) error {
	if v.Target.Folder {
		return replaceFolder(f.out, func(path string) error {
			if err := makeFolder(path); err != nil {
				return err
			}
			return v.Write(creator(ctx, path, set))
		})
	}
	return replaceFile(f.out, func(path string) error { return v.Write(creator(ctx, path, set)) })
}

func (f *convertFlags) print(c *console, m *model, v *convert.Conversion, bytes int64) error {
	dtype := f.dtype
	if dtype == "" {
		dtype = "as stored"
	}
	if f.json {
		return c.printJSON(map[string]any{
			"path": f.out, "family": m.Family, "architecture": m.Architecture.Kind(), "to": f.to, "dtype": dtype,
			"tensors": v.Tensors, "bytes": bytes,
		})
	}
	_, err := fmt.Fprintf(c.out, "%s: %s, %d tensors, %s, %s\n", f.out, f.to, v.Tensors, dtype, formatBytes(bytes))
	return err
}
