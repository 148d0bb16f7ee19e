package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mambac/mambac/codegen/lower"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/pass"
	"github.com/mambac/mambac/ir/text"
)

// inspectFlags is what the flags of inspect say.
type inspectFlags struct {
	choice
	ir, plan, json bool
	after          string
}

func newInspect(c *console) *cobra.Command {
	var f inspectFlags
	cmd := &cobra.Command{
		Use:   "inspect CHECKPOINT",
		Short: "Show what a checkpoint holds and what becomes of it",
		Long: `Shows family, sizes, layers and costs of a checkpoint. Only headers are read.

--ir prints the module as it was imported, --after PASS what the passes up to
that one made of it, --plan the buffers, phases and kernels.
The passes are, in order:
  ` + strings.Join(pass.Names(), ",\n  ") + ".",
		Example: `  mambac inspect ./my-checkpoint
  mambac inspect ./my-checkpoint --json
  mambac inspect ./my-checkpoint --ir
  mambac inspect ./my-checkpoint --after fuse-gate
  mambac inspect ./my-checkpoint --plan --weights bf16`,
		Args: exactly(1, "CHECKPOINT"),
		RunE: func(_ *cobra.Command, args []string) error { return runInspect(c, &f, args[0]) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.ir, "ir", false, "print the module in the IR's text form")
	flags.StringVar(&f.after, "after", "", "print the module after this pass")
	flags.BoolVar(&f.plan, "plan", false, "print the plan in its text form")
	flags.BoolVar(&f.json, "json", false, "print one JSON object")
	f.registerPasses(cmd)
	choices(cmd, "after", pass.Names()...)
	return cmd
}

func (f *inspectFlags) check() error {
	if f.after != "" {
		if err := oneOf("after", f.after, pass.Names()...); err != nil {
			return err
		}
		f.ir = true
	}
	if f.ir && (f.plan || f.json) || f.plan && f.json {
		return usagef("--ir, --plan and --json exclude each other")
	}
	return f.checkPasses()
}

func runInspect(c *console, f *inspectFlags, argument string) error {
	if err := f.check(); err != nil {
		return err
	}
	m, err := openModel(argument, f.options())
	if err != nil {
		return err
	}
	defer m.close()
	switch {
	case f.ir && f.after == "":
		_, err = io.WriteString(c.out, text.Format(m.Module))
	case f.ir, f.plan:
		err = f.dump(c, m)
	case f.json:
		err = c.printJSON(describe(m))
	default:
		err = c.printDescription(describe(m))
	}
	return err
}

// dump prints what the passes or the lowering made.
func (f *inspectFlags) dump(c *console, m *model) error {
	module, err := pass.Run(m.Module, pass.Options{Disable: f.disable, After: f.after, Storage: f.weights})
	if err != nil {
		return fmt.Errorf("%s: %w", m.checkpoint.Path, err)
	}
	if f.ir {
		_, err = io.WriteString(c.out, text.Format(module))
		return err
	}
	p, err := lower.Lower(module, lower.Options{})
	if err != nil {
		return fmt.Errorf("%s: %w", m.checkpoint.Path, err)
	}
	_, err = io.WriteString(c.out, plan.Format(p))
	return err
}

// description is the object of inspect --json. Sizes are of the checkpoint as
// it is stored.
type description struct {
	Path      string            `json:"path"`
	Name      string            `json:"name"`
	Family    string            `json:"family"`
	Facts     map[string]int    `json:"facts"`
	Choices   map[string]string `json:"choices,omitempty"` // what the config does not say
	VocabSize int               `json:"vocab_size"`
	BOS       *int32            `json:"bos"`
	EOS       []int32           `json:"eos"`
	Tokenizer bool              `json:"tokenizer"`
	sizes
	Tensors      int              `json:"tensors"`
	BytesByDType map[string]int64 `json:"bytes_by_dtype"`
	FlopPerToken int64            `json:"flop_per_token"` // all ops, head included
	Layers       []layerKind      `json:"layers"`

	facts []string // names of Facts, in order
}

// layerKind is a run of equal regions; costs are of one of them.
type layerKind struct {
	Regions    string `json:"regions"`
	Count      int    `json:"count"`
	Ops        string `json:"ops"`
	Parameters int64  `json:"parameters"`
	StateBytes int64  `json:"state_bytes"`
	Flop       int64  `json:"flop_per_token"`

	first, last string
}

func describe(m *model) *description {
	d := &description{
		Path: m.checkpoint.Path, Name: m.name, Family: m.Family, VocabSize: m.VocabSize, BOS: m.BOS, EOS: m.EOS,
		Tokenizer: m.Tokenizer != nil, sizes: measure(m.Module), Tensors: len(m.checkpoint.Names()),
		Choices: m.chosen(), Facts: map[string]int{}, BytesByDType: map[string]int64{},
	}
	if d.EOS == nil {
		d.EOS = []int32{} // a list in JSON too
	}
	for _, f := range m.Facts {
		d.Facts[f.Name] = f.Value
		d.facts = append(d.facts, f.Name)
	}
	for _, p := range m.Module.Params {
		d.BytesByDType[p.DType.String()] += int64(p.Shape.Elements()) * int64(p.DType.Size())
	}
	for _, r := range m.Module.Regions {
		d.add(kindOf(r))
	}
	return d
}

// add joins a region to the last kind if it is the same.
func (d *description) add(k layerKind) {
	d.FlopPerToken += k.Flop
	if n := len(d.Layers); n > 0 {
		last := &d.Layers[n-1]
		if last.Ops == k.Ops && last.Parameters == k.Parameters && last.StateBytes == k.StateBytes && last.Flop == k.Flop {
			last.Count++
			last.last = k.last
			last.Regions = last.first + "…" + last.last
			return
		}
	}
	d.Layers = append(d.Layers, k)
}

// kindOf adds up a region: parameters that it uses, each once.
func kindOf(r *ir.Region) layerKind {
	k := layerKind{Regions: r.Name, Count: 1, first: r.Name, last: r.Name}
	var ops []string
	params := map[*ir.Param]bool{}
	for _, v := range r.Body {
		ops = append(ops, v.Op.OpName())
		types := make([]ir.Type, len(v.Args))
		for i, a := range v.Args {
			types[i] = a.Type
		}
		k.Flop += int64(v.Op.Cost(types, v.Params, v.States).Flops)
		for _, p := range v.Params {
			if p != nil && !params[p] {
				params[p] = true
				k.Parameters += int64(p.Shape.Elements())
			}
		}
		for _, s := range v.States {
			k.StateBytes += 4 * int64(s.Shape.Elements())
		}
	}
	k.Ops = strings.Join(ops, " ")
	return k
}

func (c *console) printDescription(d *description) error {
	t := &table{}
	t.line("checkpoint", "%s", d.Path)
	t.line("family", "%s", d.Family)
	for _, name := range d.facts {
		t.line(name, "%d", d.Facts[name])
	}
	for _, name := range slices.Sorted(maps.Keys(d.Choices)) {
		t.line(name, "%s", d.Choices[name])
	}
	t.line("parameters", "%d in %d tensors", d.Parameters, d.Tensors)
	for _, dtype := range slices.Sorted(maps.Keys(d.BytesByDType)) {
		t.line("stored "+dtype, "%s", formatBytes(d.BytesByDType[dtype]))
	}
	t.line("state", "%s a sequence", formatBytes(d.StateBytes))
	t.line("per token", "%s read or written, %d flop", formatBytes(d.DecodeBytes), d.FlopPerToken)
	t.line("end tokens", "%v", d.EOS)
	t.line("tokenizer", "%s", map[bool]string{true: "tokenizer.json", false: "none: text commands will not work"}[d.Tokenizer])
	t.text("")
	t.text("%5s  %-20s %12s %12s %12s  %s", "count", "regions", "parameters", "state", "flop", "ops")
	for _, k := range d.Layers {
		t.text("%5d  %-20s %12d %12s %12d  %s", k.Count, k.Regions, k.Parameters, formatBytes(k.StateBytes), k.Flop, k.Ops)
	}
	return t.print(c.out)
}
