package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mambac/mambac/runtime/payload"
)

// buildFlags is what the flags of build say.
type buildFlags struct {
	choice
	reportFlags
	out, payload string
	apart        string // why there is a payload that nobody asked for
	dryRun, json bool
	allTargets   string          // the folder for a program for each of
	targets      []string        // these
	found        json.RawMessage // the report
}

func newBuild(c *console) *cobra.Command {
	var f buildFlags
	cmd := &cobra.Command{
		Use:   "build CHECKPOINT [-o FILE]",
		Short: "Compile a checkpoint into one static program",
		Long: `Compiles a checkpoint into one static program that holds code made for its
shapes, its weights and its tokenizer. Needs the Go toolchain and nothing else:
no network, no module cache. Two builds of one checkpoint give the same bytes.

The program runs on this CPU; --cpu all puts every level into it, and it picks
one at start, as a program for another --target does anyway. Weights follow the
executable in its file, where the system allows that: for darwin and wasip1 they
are a file beside it, NAME.payload. An interrupted build leaves nothing behind.

With --tune it measures in what form the products of matrices are fastest on
this machine, which takes some seconds, and remembers that for its processor in
the user's cache (mambac/tuning; remove the file to measure again). The file
gives the same program anywhere by --tuning. Answers stay the same to the bit.`,
		Example: `  mambac build ./my-checkpoint -o my-model
  mambac build state-spaces/mamba-130m-hf --weights bf16 --cpu all
  mambac build ./my-checkpoint --target windows/amd64
  mambac build ./my-checkpoint --all-targets ./release
  mambac build ./my-checkpoint --dry-run`,
		Args: exactly(1, "CHECKPOINT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.allTargets != "" {
				f.targets = chosenTargets(cmd, targets())
				return runRelease(cmd.Context(), c, &f, args[0])
			}
			return runBuild(cmd.Context(), c, &f, args[0])
		},
	}
	f.registerPasses(cmd)
	f.registerCalibration(cmd)
	f.registerLevels(cmd, "native")
	f.registerTarget(cmd)
	f.tuneFlags.register(cmd)
	f.featureFlags.register(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&f.out, "out", "o", "", "name of the program (default: the checkpoint's)")
	flags.StringVar(&f.payload, "payload", "", "keep the weights in this file instead of the program")
	flags.StringVar(&f.allTargets, "all-targets", "", "new folder for a program for every target, or those that --target lists, with checksums, manifest and SBOM")
	f.reportFlags.register(cmd, "")
	flags.BoolVar(&f.dryRun, "dry-run", false, "print sizes and choices, build nothing")
	flags.BoolVar(&f.json, "json", false, "print sizes and choices as one JSON object")
	return cmd
}

// executableBytes is more than the code of any program takes.
const executableBytes = 16 << 20

func runBuild(ctx context.Context, c *console, f *buildFlags, argument string) error {
	out, err := f.make(ctx, c, argument)
	if err != nil {
		return err
	}
	return f.print(c, out)
}

// make makes what the flags say, and shows progress.
func (f *buildFlags) make(ctx context.Context, c *console, argument string) (*compiled, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	if !f.dryRun {
		defer f.warm(ctx)()
	}
	m, err := c.openForProgram(argument, f.options())
	if err != nil {
		return nil, err
	}
	defer m.close()
	f.place(m)
	if err := m.refuseOutputs(output{"-o", f.out}, output{"--payload", f.payload}, output{"--report", f.report}, output{"--report-text", f.reportText}, output{"--calibrate", f.text}); err != nil {
		return nil, err
	}
	p := c.progress(f.json || f.dryRun)
	defer p.end()
	end, err := f.prepare(ctx, m, f.dryRun, p)
	if err != nil {
		return nil, err
	}
	defer end()
	out, err := f.compile(m, f.programOptions(m), "build")
	if err != nil {
		return nil, err
	}
	if !f.dryRun {
		err = f.build(ctx, out, p)
	}
	return out, err
}

func programDoc(m *model) string {
	return fmt.Sprintf("Command main is a %s model as a program.", m.Family)
}

// place decides the names of the files: the model's where none was given, and
// a payload file where the system demands one.
func (f *buildFlags) place(m *model) {
	s := systemOf(f.platform)
	if f.out == "" {
		f.out = s.executable(m.name)
	}
	if f.payload == "" && s.apart != "" {
		f.payload, f.apart = s.beside(f.out), s.apart
	}
}

func (f *buildFlags) check() error {
	if f.platform == anyPlatform {
		return usagef("--target is empty: want %s", strings.Join(targets(), ", "))
	}
	if f.report != "" && f.platform != platform() {
		return usagef("--report needs a program that runs here, not one for %s", f.platform)
	}
	if err := f.choice.check(); err != nil {
		return err
	}
	return f.reportFlags.check(&f.choice)
}

// build makes the program, with its payload in it or beside it.
func (f *buildFlags) build(ctx context.Context, c *compiled, p progress) error {
	weights := f.out
	if f.payload != "" {
		weights = f.payload
	}
	if err := requireSpace(weights, c.Plan.Bytes+executableBytes); err != nil {
		return err
	}
	var err error
	if f.report != "" {
		if f.found, err = f.equivalence(ctx, &f.choice, c, p); err != nil {
			return err
		}
	}
	if f.payload == "" {
		err = replaceFile(f.out, func(path string) error {
			return f.program(ctx, c, path, f.found, p)
		})
	} else {
		err = f.buildApart(ctx, c, f.found, p)
	}
	if err != nil || f.found == nil {
		return err
	}
	return f.reportFlags.write(f.found)
}

// buildApart makes a program and a payload file. The payload comes to its
// place last: whatever fails before leaves neither.
func (f *buildFlags) buildApart(ctx context.Context, c *compiled, report []byte, p progress) error {
	return replaceFile(f.payload, func(path string) error {
		digest, err := c.payloadFile(ctx, path, p)
		if err != nil {
			return err
		}
		link, err := c.link(f.out, f.payload, digest, report)
		if err != nil {
			return err
		}
		return replaceFile(f.out, func(path string) error { return f.code(ctx, c, path, link, p) })
	})
}

// built is the object of build --json.
type built struct {
	Path    string            `json:"path"`
	Payload string            `json:"payload,omitempty"`        // "" if it is in the program
	Reason  string            `json:"payload_reason,omitempty"` // why it is not
	Family  string            `json:"family"`
	Choices map[string]string `json:"choices,omitempty"` // what no config says, by the names of flags
	Target  string            `json:"target"`
	Levels  []string          `json:"levels"`
	Tuning  string            `json:"tuning,omitempty"` // hash of choices that were measured
	Weights string            `json:"weights"`
	Math    string            `json:"math"`
	Cache   string            `json:"cache,omitempty"` // format of keys and values, if there are any
	sizes
	Longest     payload.Longest `json:"longest_text,omitzero"`
	PackedBytes int64           `json:"packed_bytes"` // with padding
	Chunk       int             `json:"chunk"`
	Kernels     int             `json:"kernels"`
	With        []string        `json:"with,omitempty"` // commands that were added
	DryRun      bool            `json:"dry_run"`

	Report json.RawMessage `json:"report,omitempty"`
}

func (f *buildFlags) print(c *console, m *compiled) error {
	b := built{
		Path: f.out, Payload: f.payload, Reason: f.reason(), Family: m.Family, Choices: m.chosen(), Target: f.platform, Levels: m.levels, Tuning: m.Tuning,
		Weights: m.weights, Math: m.math, Cache: m.cache, sizes: measure(m.module), Longest: m.longest(), PackedBytes: m.Plan.Bytes,
		Chunk: m.Plan.Chunk, Kernels: len(m.Plan.Specs()), With: f.features(), DryRun: f.dryRun, Report: f.found,
	}
	switch {
	case f.json:
		return c.printJSON(b)
	case f.dryRun:
		return c.printBuilt(&b)
	}
	apart := ""
	if b.Payload != "" {
		apart = fmt.Sprintf(" in %s (%s)", b.Payload, b.Reason)
	}
	_, err := fmt.Fprintf(c.out, "%s: %s, %s, %s, weights %s (%s)%s\n", b.Path, b.Family, b.Target, strings.Join(b.Levels, " "), b.Weights, formatBytes(b.PackedBytes), apart)
	return err
}

// reason says why the payload is a file of its own, if it is.
func (f *buildFlags) reason() string {
	if f.payload != "" && f.apart == "" {
		return "as --payload says"
	}
	return f.apart
}

func (c *console) printBuilt(b *built) error {
	t := &table{}
	t.line("would write", "%s", b.Path)
	if b.Payload != "" {
		t.line("payload", "%s: %s", b.Payload, b.Reason)
	} else {
		t.line("payload", "in the program")
	}
	t.line("family", "%s", b.Family)
	t.choices(b.Choices)
	t.line("target", "%s, levels %s", b.Target, strings.Join(b.Levels, ", "))
	if b.Tuning != "" {
		t.line("tuned", "as measured (%s)", b.Tuning)
	}
	t.line("parameters", "%d", b.Parameters)
	t.line("weights", "%s, %s math, %s (%s packed)", b.Weights, b.Math, formatBytes(b.WeightBytes), formatBytes(b.PackedBytes))
	t.line("state", "%s a sequence", formatBytes(b.StateBytes))
	if b.CacheBytes > 0 {
		t.line("caches", "%s for every token of the text, in %s", formatBytes(b.CacheBytes), b.Cache)
	}
	t.longest(b.Longest)
	t.line("per token", "%s read or written, %d flop", formatBytes(b.DecodeBytes), b.PrefillFlop+b.HeadFlop)
	t.line("prefill", "%d tokens at a time", b.Chunk)
	t.line("kernels", "%d", b.Kernels)
	if len(b.With) > 0 {
		t.line("with", "%s", strings.Join(b.With, ", "))
	}
	return t.print(c.out)
}
