package main

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/mambac/mambac/codegen/lower"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/importer"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
	"github.com/mambac/mambac/ir/pass"
	"github.com/mambac/mambac/ir/text"
	"github.com/mambac/mambac/runtime/payload"
)

// inspectFlags is what the flags of inspect say.
type inspectFlags struct {
	choice
	ir, plan, json bool
	after          string
	context        int64
	bandwidth      float64 // GB/s; 0 measures
}

func newInspect(c *console) *cobra.Command {
	var f inspectFlags
	cmd := &cobra.Command{
		Use:   "inspect CHECKPOINT",
		Short: "Show what a checkpoint holds and what becomes of it",
		Long: `Shows family, sizes, layers and costs of a checkpoint. Only headers are read.

For every format of weights it says how large they become, how much of weights
and states one token needs, and how many tokens a second that allows at the rate
at which this machine reads memory, which is measured for a moment or given by
--bandwidth. State is what is fixed, and what every token of the text adds to
it; --context is the tokens of a text to count in. A model that is computed for
texts of some length only says so, and why.

--ir prints the module as it was imported, --after PASS what the passes up to
that one made of it, --plan the buffers, phases and kernels.
The passes are, in order:
  ` + strings.Join(pass.Names(), ",\n  ") + ".",
		Example: `  mambac inspect ./my-checkpoint
  mambac inspect ./my-checkpoint --json --context 4096
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
	flags.Int64Var(&f.context, "context", 0, "tokens of the text before the one that is counted")
	flags.Float64Var(&f.bandwidth, "bandwidth", 0, "GB/s at which memory is read (default: measured)")
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
	if f.context < 0 {
		return usagef("--context %d: want a number of tokens", f.context)
	}
	if !(f.bandwidth >= 0) || math.IsInf(f.bandwidth, 0) {
		return usagef("--bandwidth %v: want GB/s", f.bandwidth)
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
	default:
		err = f.describe(c, m)
	}
	return err
}

// describe prints what the checkpoint is.
func (f *inspectFlags) describe(c *console, m *model) error {
	if err := m.refuseLonger(fmt.Sprintf("--context %d", f.context), f.context+1); err != nil {
		return err
	}
	module, err := f.passes(m)
	if err != nil {
		return err
	}
	m.Module = withCache(m.Module, cacheFormat(module))
	d := describe(m)
	if err := d.estimate(f, m); err != nil {
		return fmt.Errorf("%s: %w", m.checkpoint.Path, err)
	}
	if f.json {
		return c.printJSON(d)
	}
	return c.printDescription(d)
}

// dump prints what the passes or the lowering made.
func (f *inspectFlags) dump(c *console, m *model) error {
	module, err := pass.Run(m.Module, pass.Options{Disable: f.disable, After: f.after, Storage: f.weights, Cache: f.caches()})
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
	// SentencePiece: there is a tokenizer.model instead, which is not read.
	SentencePiece bool            `json:"sentencepiece,omitempty"`
	Longest       payload.Longest `json:"longest_text,omitzero"`
	sizes
	Tensors      int              `json:"tensors"`
	BytesByDType map[string]int64 `json:"bytes_by_dtype"`
	FlopPerToken int64            `json:"flop_per_token"` // of decode: all ops, head included
	Layers       []layerKind      `json:"layers"`
	Caches       []cache          `json:"caches"`
	Context      int64            `json:"context"` // tokens of the text before
	// ContextBytes is the size of the caches after the context.
	ContextBytes int64 `json:"context_bytes"`
	// ContextFlop is the products of attention for the token after it.
	ContextFlop int64          `json:"context_flop"`
	Bandwidth   bandwidth      `json:"bandwidth"`
	Formats     []weightFormat `json:"formats"`

	facts []string // names of Facts, in order
}

// layerKind is equal regions; costs are of one of them.
type layerKind struct {
	Regions    string `json:"regions"`
	Count      int    `json:"count"`
	Ops        string `json:"ops"`
	Parameters int64  `json:"parameters"` // that it uses, shared ones too
	StateBytes int64  `json:"state_bytes"`
	CacheBytes int64  `json:"cache_bytes_per_token"`
	Flop       int64  `json:"flop_per_token"`
	CachedFlop int64  `json:"flop_per_cached_token"`

	window      int // of its caches
	first, last string
	runs        []string // of regions before the last one
	next        int      // number of the region behind the last
}

func describe(m *model) *description {
	d := &description{
		Path: m.checkpoint.Path, Name: m.name, Family: m.Family, VocabSize: m.VocabSize, BOS: m.BOS, EOS: m.EOS,
		Tokenizer: m.Tokenizer != nil, SentencePiece: m.SentencePiece, Longest: m.longest(), sizes: measure(m.Module), Tensors: len(m.checkpoint.Names()),
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
	for i, r := range m.Module.Regions {
		d.add(i, kindOf(r))
	}
	d.Caches = cachesOf(m.Module)
	return d
}

// add joins the region of a number to the kind that it is of.
func (d *description) add(number int, k layerKind) {
	d.FlopPerToken += k.Flop
	for i := range d.Layers {
		if of := &d.Layers[i]; of.same(&k) {
			of.join(number, k.first)
			return
		}
	}
	k.next = number + 1
	d.Layers = append(d.Layers, k)
}

// same reports whether two kinds are one.
func (k *layerKind) same(other *layerKind) bool {
	return k.Ops == other.Ops && k.Parameters == other.Parameters && k.StateBytes == other.StateBytes &&
		k.CacheBytes == other.CacheBytes && k.window == other.window && k.Flop == other.Flop && k.CachedFlop == other.CachedFlop
}

// join adds a region; those that follow each other are one run of the list.
func (k *layerKind) join(number int, name string) {
	if number != k.next {
		k.runs = append(k.runs, run(k.first, k.last))
		k.first = name
	}
	k.last, k.next = name, number+1
	k.Count++
	k.Regions = strings.Join(append(slices.Clone(k.runs), run(k.first, k.last)), ", ")
}

func run(first, last string) string {
	if first == last {
		return first
	}
	return first + "…" + last
}

// kindOf adds up a region: parameters that it uses, each once.
func kindOf(r *ir.Region) layerKind {
	k := layerKind{Regions: r.Name, Count: 1, first: r.Name, last: r.Name}
	var ops []string
	params := map[*ir.Param]bool{}
	for _, v := range r.Body {
		ops = append(ops, v.Op.OpName())
		c := costOf(v)
		k.Flop += int64(c.Flops)
		k.CachedFlop += int64(c.CachedFlops)
		k.CacheBytes += cacheBytes(v)
		for _, p := range v.Params {
			if _, made := v.Op.(op.Angles); p != nil && !params[p] && !made {
				params[p] = true
				k.Parameters += int64(p.Shape.Elements())
			}
		}
		for _, s := range v.States {
			if s.Kind != ir.Cache {
				k.StateBytes += 4 * int64(s.Shape.Elements())
			}
			k.window = max(k.window, s.Window)
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
	t.choices(d.Choices)
	t.line("parameters", "%d in %d tensors", d.Parameters, d.Tensors)
	if d.ActiveParameters+d.ActiveParameters/8 < d.Parameters { // more than an embedding is left out
		t.line("active parameters", "%d for a token", d.ActiveParameters)
	}
	for _, dtype := range slices.Sorted(maps.Keys(d.BytesByDType)) {
		t.line("stored "+dtype, "%s", formatBytes(d.BytesByDType[dtype]))
	}
	d.printState(t)
	t.line("per token", "%s read or written, %d flop", formatBytes(d.DecodeBytes), d.FlopPerToken)
	t.line("prefill", "%d flop a token, and %d for the head", d.PrefillFlop, d.HeadFlop)
	if d.CachedFlop > 0 {
		t.line("per token of the text", "%d flop, after %d tokens %d", d.CachedFlop, d.Context, d.ContextFlop)
	}
	t.line("end tokens", "%v", d.EOS)
	t.line("tokenizer", "%s", d.tokenizer())
	t.text("")
	d.printFormats(t)
	t.text("")
	d.printLayers(t)
	return t.print(c.out)
}

// tokenizer says what programs will know of text.
func (d *description) tokenizer() string {
	switch {
	case d.Tokenizer:
		return "tokenizer.json"
	case d.SentencePiece:
		return "only tokenizer.model of SentencePiece, which mambac does not read: programs will take token ids alone; " + importer.SaveTokenizer
	}
	return "none: text commands will not work"
}

// printState says what a sequence has in memory.
func (d *description) printState(t *table) {
	t.line("state", "%s a sequence", formatBytes(d.StateBytes))
	for _, c := range d.Caches {
		bound := ""
		if c.Window > 0 {
			bound = fmt.Sprintf(", up to %d tokens", c.Window)
		}
		t.line("caches", "%s a token, %s in f16, %s in int8, of %d layers%s", formatBytes(c.BytesPer), formatBytes(c.BytesPerHalf), formatBytes(c.BytesPerByte), c.Count, bound)
	}
	if d.Context > 0 && len(d.Caches) > 0 {
		t.line("after the context", "%s of caches for %d tokens", formatBytes(d.ContextBytes), d.Context)
	}
	t.longest(d.Longest)
}

// printLayers is a line for every kind of layer.
func (d *description) printLayers(t *table) {
	width := len("regions")
	for _, k := range d.Layers {
		width = max(width, utf8.RuneCountInString(k.shortRegions()))
	}
	t.text("%5s  %-*s %12s %12s %12s %12s  %s", "count", width, "regions", "parameters", "state", "a token", "flop", "ops")
	for _, k := range d.Layers {
		t.text("%5d  %-*s %12d %12s %12s %12d  %s", k.Count, width, k.shortRegions(), k.Parameters, formatBytes(k.StateBytes), formatBytes(k.CacheBytes), k.Flop, distinct(k.Ops))
	}
}

// shortRegions is the regions for a line: of many runs the first and the last.
func (k *layerKind) shortRegions() string {
	if len(k.runs) < 3 {
		return k.Regions
	}
	return k.runs[0] + ", …, " + run(k.first, k.last)
}

// distinct is the words of a list, each once.
func distinct(words string) string {
	var list []string
	for _, word := range strings.Fields(words) {
		if !slices.Contains(list, word) {
			list = append(list, word)
		}
	}
	return strings.Join(list, " ")
}
