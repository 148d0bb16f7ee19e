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
	preset, family, config, out string
	settings                    []string
	dtype, container            string
	seed                        uint64
	shardBytes                  int64
	headersOnly, json           bool
}

func newSynth(c *console) *cobra.Command {
	var f synthFlags
	cmd := &cobra.Command{
		Use:   "synth --preset NAME|--family NAME|--config FILE --out FOLDER",
		Short: "Write a checkpoint with random weights",
		Long: `Writes a checkpoint with random, sensibly scaled weights, for benchmarks and
tests. The same seed gives the same bytes. Values are streamed to the disk.

Presets have the published sizes, or with -like about those:
` + columns(synth.Presets()) + `.
--family makes a little model of one of the families
` + columns(synth.Families()) + `.
--set changes keys of the config, of any origin; dots lead into objects, null
takes a key away. Sizes that the config does not name follow from the others:
--family mamba2 --set hidden_size=40 --set num_heads=3 is enough. The
config.json that is written has them all.

--headers-only leaves holes in place of the values, which read as zeros: files
are as long as they would be and take next to no room, for inspect to look at.`,
		Example: `  mambac synth --preset mamba-130m --out ./mamba-130m
  mambac synth --family bamba --set hidden_size=40 --out ./odd --seed 7
  mambac synth --preset jamba-v0.1 --headers-only --out ./jamba
  mambac synth --config config.json --out ./mine`,
		Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return runSynth(cmd.Context(), c, &f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.preset, "preset", "", "sizes of a published model")
	flags.StringVar(&f.family, "family", "", "a little model of a family")
	flags.StringVar(&f.config, "config", "", "config.json with the sizes")
	flags.StringArrayVar(&f.settings, "set", nil, "KEY=VALUE of the config; may be repeated")
	flags.StringVarP(&f.out, "out", "o", "", "new folder for the checkpoint")
	flags.StringVar(&f.dtype, "dtype", "bf16", "element type: f32, f16 or bf16")
	flags.StringVar(&f.container, "container", "", "format of the files: "+strings.Join(container.Names(), ", ")+" (default: the family's own)")
	flags.Uint64Var(&f.seed, "seed", 1, "seed of the weights")
	flags.Int64Var(&f.shardBytes, "shard-bytes", 0, "size of a shard, for sharded containers (default 2 GiB)")
	flags.BoolVar(&f.headersOnly, "headers-only", false, "files as long as they would be, with holes in place of the values")
	flags.BoolVar(&f.json, "json", false, "print what was made as one JSON object")
	choices(cmd, "preset", synth.Presets()...)
	choices(cmd, "family", synth.Families()...)
	choices(cmd, "container", container.Names()...)
	choices(cmd, "dtype", "f32", "f16", "bf16")
	return cmd
}

func runSynth(ctx context.Context, c *console, f *synthFlags) error {
	ck, err := f.checkpoint()
	if err != nil {
		return err
	}
	if err := requireSpace(f.out, ck.Room()+1<<20); err != nil {
		return err
	}
	p := c.progress(f.json)
	err = during(p, "synth", ck.Room(), func(set func(int64)) error {
		return replaceFolder(f.out, func(path string) error { return writeSynth(ctx, ck, path, set) })
	})
	p.end()
	if err != nil {
		return err
	}
	if f.json {
		return c.printJSON(map[string]any{
			"family": ck.Family(), "container": ck.Container(), "dtype": f.dtype, "seed": f.seed,
			"parameters": ck.Parameters(), "bytes": ck.Bytes(), "path": f.out, "headers_only": f.headersOnly,
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
	if err := f.check(); err != nil {
		return nil, err
	}
	dtype, err := tensor.ParseDType(f.dtype)
	if err != nil || dtype != tensor.F32 && dtype != tensor.F16 && dtype != tensor.BF16 {
		return nil, usagef("--dtype %s: want f32, f16 or bf16", f.dtype)
	}
	o := synth.Options{DType: dtype, Container: f.container, Seed: f.seed, ShardBytes: f.shardBytes, HeadersOnly: f.headersOnly}
	if f.config != "" {
		if o.Config, err = readConfig(f.config); err != nil {
			return nil, err
		}
	}
	if err := f.configure(&o.Config); err != nil {
		return nil, fmt.Errorf("%s: %w", f.preset+f.family+f.config, err)
	}
	ck, err := synth.New(o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.preset+f.family+f.config, err)
	}
	return ck, nil
}

// check refuses flags that do not go together.
func (f *synthFlags) check() error {
	origins := 0
	for _, o := range []string{f.preset, f.family, f.config} {
		if o != "" {
			origins++
		}
	}
	switch {
	case f.out == "":
		return usagef("--out is missing")
	case origins != 1:
		return usagef("want either --preset or --family or --config")
	case f.shardBytes < 0:
		return usagef("--shard-bytes %d: want a number of bytes", f.shardBytes)
	}
	for _, o := range []struct {
		flag, value string
		known       []string
	}{{"preset", f.preset, synth.Presets()}, {"family", f.family, synth.Families()}, {"container", f.container, container.Names()}} {
		if o.value == "" {
			continue
		}
		if err := oneOf(o.flag, o.value, o.known...); err != nil {
			return err
		}
	}
	return nil
}

// configure makes the config.json that the flags ask for, or changes the one that
// was read. A file that nothing is set of stays as it is.
func (f *synthFlags) configure(text *[]byte) (err error) {
	switch {
	case f.preset != "":
		*text, err = synth.Preset(f.preset, f.settings...)
	case f.family != "":
		*text, err = synth.Small(f.family, f.settings...)
	case len(f.settings) > 0:
		*text, err = synth.Change(*text, f.settings...)
	}
	return err
}

// columns lists names in lines that fit a terminal.
func columns(names []string) string {
	const width = 76
	var lines []string
	line := " "
	for i, name := range names {
		if i < len(names)-1 {
			name += ","
		}
		if len(line)+1+len(name) > width {
			lines = append(lines, line)
			line = " "
		}
		line += " " + name
	}
	return strings.Join(append(lines, line), "\n")
}

// maxConfig bounds a config.json in bytes.
const maxConfig = 1 << 20

func readConfig(path string) ([]byte, error) {
	text, err := readBounded(path, maxConfig)
	if err == nil && len(text) > maxConfig {
		err = fmt.Errorf("%s: more than %d bytes, want a config.json", path, maxConfig)
	}
	return text, err
}

// readBounded reads a file that a user names, and one byte more than it may have
// if it has more: what is named may have no end.
func readBounded(path string, most int) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, int64(most)+1))
}
