package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mambac/mambac/importer/container"
	"github.com/mambac/mambac/importer/synth"
	"github.com/mambac/mambac/ir/tensor"
)

// synthFlags is what the flags of synth say.
type synthFlags struct {
	preset, config, out string
	dtype, container    string
	seed                uint64
	shardBytes          int64
	json                bool
}

func newSynth(c *console) *cobra.Command {
	var f synthFlags
	cmd := &cobra.Command{
		Use:   "synth --preset NAME|--config FILE --out FOLDER",
		Short: "Write a checkpoint with random weights",
		Long: `Writes a checkpoint with random, sensibly scaled weights, for benchmarks and
tests. The same seed gives the same bytes. Values are streamed to the disk.

Presets have the published sizes:
  ` + strings.Join(synth.Presets(), ", ") + `.
A config.json may be of any of the families ` + strings.Join(synth.Families(), ", ") + `.`,
		Example: `  mambac synth --preset mamba-130m --out ./mamba-130m
  mambac synth --config config.json --out ./odd --seed 7`,
		Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return runSynth(cmd.Context(), c, &f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.preset, "preset", "", "sizes of a published model")
	flags.StringVar(&f.config, "config", "", "config.json with the sizes")
	flags.StringVarP(&f.out, "out", "o", "", "new folder for the checkpoint")
	flags.StringVar(&f.dtype, "dtype", "bf16", "element type: f32, f16 or bf16")
	flags.StringVar(&f.container, "container", "", "format of the files: "+strings.Join(container.Names(), ", ")+" (default: the family's own)")
	flags.Uint64Var(&f.seed, "seed", 1, "seed of the weights")
	flags.Int64Var(&f.shardBytes, "shard-bytes", 0, "size of a shard, for sharded containers (default 2 GiB)")
	flags.BoolVar(&f.json, "json", false, "print what was made as one JSON object")
	choices(cmd, "preset", synth.Presets()...)
	choices(cmd, "container", container.Names()...)
	choices(cmd, "dtype", "f32", "f16", "bf16")
	return cmd
}

func runSynth(ctx context.Context, c *console, f *synthFlags) error {
	ck, err := f.checkpoint()
	if err != nil {
		return err
	}
	if err := requireSpace(f.out, ck.Bytes()+1<<20); err != nil {
		return err
	}
	p := c.progress(f.json)
	err = during(p, "synth", ck.Bytes(), func(set func(int64)) error {
		return replaceFolder(f.out, func(path string) error { return writeSynth(ctx, ck, path, set) })
	})
	p.end()
	if err != nil {
		return err
	}
	if f.json {
		return c.printJSON(map[string]any{
			"family": ck.Family(), "container": ck.Container(), "dtype": f.dtype, "seed": f.seed,
			"parameters": ck.Parameters(), "bytes": ck.Bytes(), "path": f.out,
		})
	}
	_, err = fmt.Fprintf(c.out, "%s: %s, %d parameters, %s %s\n", f.out, ck.Family(), ck.Parameters(), formatBytes(ck.Bytes()), f.dtype)
	return err
}

// writeSynth makes the folder with its files.
func writeSynth(ctx context.Context, ck *synth.Checkpoint, folder string, set func(int64)) error {
	if err := makeFolder(folder); err != nil {
		return err
	}
	return ck.Write(creator(ctx, folder, set))
}

// checkpoint checks the flags.
func (f *synthFlags) checkpoint() (*synth.Checkpoint, error) {
	switch {
	case f.out == "":
		return nil, usagef("--out is missing")
	case (f.preset == "") == (f.config == ""):
		return nil, usagef("want either --preset or --config")
	}
	dtype, err := tensor.ParseDType(f.dtype)
	if err != nil || dtype != tensor.F32 && dtype != tensor.F16 && dtype != tensor.BF16 {
		return nil, usagef("--dtype %s: want f32, f16 or bf16", f.dtype)
	}
	if f.shardBytes < 0 {
		return nil, usagef("--shard-bytes %d: want a number of bytes", f.shardBytes)
	}
	if f.container != "" {
		if err := oneOf("container", f.container, container.Names()...); err != nil {
			return nil, err
		}
	}
	o := synth.Options{DType: dtype, Container: f.container, Seed: f.seed, ShardBytes: f.shardBytes}
	if f.preset != "" {
		if err := oneOf("preset", f.preset, synth.Presets()...); err != nil {
			return nil, err
		}
		o.Config, err = synth.Preset(f.preset)
	} else {
		o.Config, err = readConfig(f.config)
	}
	if err != nil {
		return nil, err
	}
	ck, err := synth.New(o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.preset+f.config, err)
	}
	return ck, nil
}

// maxConfig bounds a config.json in bytes.
const maxConfig = 1 << 20

func readConfig(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err == nil && len(text) > maxConfig {
		err = fmt.Errorf("%s: more than %d bytes, want a config.json", path, maxConfig)
	}
	return text, err
}
