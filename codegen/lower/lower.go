// Package lower turns an optimised module into a plan: a rule per op says
// which kernel specs express it. It sees ir, kernel and plan; never a
// checkpoint, never a CPU.
package lower

import (
	"fmt"
	"go/token"
	"slices"
	"strings"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/ir"
)

// Options bound the sizes of the programs.
type Options struct {
	// Chunk is the number of tokens of one Prefill; 0 chooses one by the size of
	// the activations and the number of experts.
	Chunk int
	// Math is the arithmetic of products of matrices.
	Math Math
}

// Math says how weights and activations are multiplied.
type Math string

// Exact widens weights to float32. Fast narrows activations where weights are
// narrow and there are instructions for such products. Auto, and nothing, is
// fast for weights that are codes and exact for others.
const (
	Auto  Math = "auto"
	Exact Math = "exact"
	Fast  Math = "fast"
)

// blockRows is the number of rows of one Logits call, and of sequences of one
// Batch: enough for a full register tile of tokens, so few that the logits of a
// block stay small.
const blockRows = 16

// rule lowers one op. Added files register theirs by op name.
type rule struct {
	// lower emits the steps of v for the current mode.
	lower func(l *lowering, v *ir.Value) error
	// lanes lists the arguments that the kernel reads in whole groups of
	// channels, so that they must start a panel and own its padding.
	lanes []int
	// aligned lists the arguments that are better off starting a panel: where a
	// linear is cut for it, nothing needs to wait.
	aligned []int
	// private says that for few rows every worker makes its own copy of the result
	// rather than wait for another one's.
	private bool
	// inPlace lists the arguments whose memory the result may take over: they
	// are read channel by channel, each before the result's channel is written.
	inPlace []int
}

var rules = map[string]rule{}

func register(op string, r rule) {
	if _, ok := rules[op]; ok {
		panic("BUG: two rules lower " + op)
	}
	rules[op] = r
}

// Ops lists the ops that have a rule, sorted.
func Ops() []string {
	var names []string
	for name := range rules {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// lowering is the state of one Lower: the plan under construction and the
// region and mode at hand.
type lowering struct {
	plan   *plan.Plan
	module *ir.Module
	*placement
	options Options

	mode    plan.Mode
	steps   []looped
	loop    *plan.Loop // of the steps to come
	block   *plan.Block
	weights []*plan.Weight // of the region, parallel to block.Weights
	states  []*plan.State
	packed  map[packKey]*plan.Weight
	names   map[string]bool // slot names of the block
	pairs   map[*ir.Value]*plan.Buffer
	experts map[*ir.Value]*expertBuffers
	// prepared is what is ready of each token for the scan that makes a value.
	prepared map[*ir.Value]*plan.Buffer

	quantised map[quantisedKey]*plan.Buffer // of the region at hand
	ready     map[*plan.Buffer]bool         // quantised in the mode at hand
}

// Lower plans the module. It fails with the op, its region and the remedy
// where no kernel expresses an op.
func Lower(m *ir.Module, o Options) (*plan.Plan, error) {
	if err := complete(m); err != nil {
		return nil, err
	}
	m = withHead(beforeHead(m))
	l := &lowering{plan: &plan.Plan{Name: m.Name, IDs: embeddings(m), Vocab: m.Output.Type.Width, Block: blockRows},
		module: m, options: o, packed: map[packKey]*plan.Weight{}, pairs: map[*ir.Value]*plan.Buffer{}, experts: map[*ir.Value]*expertBuffers{},
		prepared: map[*ir.Value]*plan.Buffer{}}
	l.placement = place(m)
	for i, r := range m.Regions {
		head := i == len(m.Regions)-1
		if err := l.region(r, head); err != nil {
			return nil, fmt.Errorf("region %s: %w", r.Name, err)
		}
	}
	l.finish(o)
	l.taps(m)
	merge(l.plan)
	return l.plan, nil
}

// complete proves that every op has a rule.
func complete(m *ir.Module) error {
	for _, r := range m.Regions {
		for _, v := range r.Body {
			if _, ok := rules[v.Op.OpName()]; !ok {
				return fmt.Errorf("region %s: no kernel expresses op %s (known: %s); add codegen/lower/%s.go",
					r.Name, v.Op.OpName(), strings.Join(Ops(), ", "), v.Op.OpName())
			}
		}
	}
	return nil
}

// region lowers one region in each of its modes.
func (l *lowering) region(r *ir.Region, head bool) error {
	modes := []plan.Mode{plan.Decode, plan.Batch, plan.Prefill}
	if head {
		modes = []plan.Mode{plan.LogitsOne, plan.LogitsRows}
	}
	l.block = &plan.Block{Name: blockName(r.Name)}
	l.weights, l.states, l.names, l.quantised = nil, nil, map[string]bool{}, map[quantisedKey]*plan.Buffer{}
	for _, mode := range modes {
		l.mode, l.steps, l.ready = mode, nil, map[*plan.Buffer]bool{}
		for _, v := range r.Body {
			if err := rules[v.Op.OpName()].lower(l, v); err != nil {
				return fmt.Errorf("%s: %w", v.Op.OpName(), err)
			}
		}
		l.block.Bodies = append(l.block.Bodies, plan.Body{Mode: mode, Phases: phases(l.steps)})
	}
	l.plan.Blocks = append(l.plan.Blocks, l.block)
	l.plan.Calls = append(l.plan.Calls, plan.Call{Region: r.Name, Block: l.block, Weights: l.weights, States: l.states})
	return nil
}

// single reports whether the current mode treats exactly one token.
func (l *lowering) single() bool { return l.mode == plan.Decode || l.mode == plan.LogitsOne }

// emit adds a step. Rows of a batch meet nowhere but in weights: what has a
// state, or a place in a sequence, treats each with that of its own.
func (l *lowering) emit(s plan.Step) {
	own := slices.ContainsFunc(s.Args, func(a plan.Arg) bool { return a.Kind == plan.StateArg }) ||
		slices.ContainsFunc(s.Spec.Signature(), func(p kernel.Param) bool { return p.Name == "position" })
	s.Apart = l.mode == plan.Batch && own
	l.steps = append(l.steps, looped{s, l.loop})
}

// tokenSplit divides work that is row by row: among the workers where all of
// them have rows, not at all for one token.
func (l *lowering) tokenSplit() plan.Split {
	if l.mode == plan.Prefill || l.mode == plan.Batch {
		return plan.ByTokens
	}
	return plan.One
}

// finish fixes the chunk and with it every offset of the arena.
func (l *lowering) finish(o Options) {
	p := l.plan
	if p.Chunk = o.Chunk; p.Chunk == 0 {
		p.Chunk = l.chunk()
	}
	p.Scratch = scratch(p)
	l.placement.offsets(p)
}

// scratch is the number of float32 that the kernels of a worker need.
func scratch(p *plan.Plan) int {
	n, rows := 0, max(p.Chunk, p.Block)
	for _, s := range p.Specs() {
		switch s := s.(type) {
		case kernel.Gemm:
			n = max(n, kernel.GemmScratch(rows))
		case kernel.DotGemm:
			n = max(n, kernel.DotGemmScratch(rows))
		case kernel.Scan1:
			n = max(n, kernel.Scan1Scratch(rows))
		case kernel.SSD:
			n = max(n, s.Scratch(rows))
		case kernel.Mamba3Prepare:
			n = max(n, s.Scratch())
		case kernel.Attend:
			n = max(n, s.AttendStats()+kernel.AttendScratch)
		}
	}
	return n
}

// blockName makes an identifier of a region's name: layers.0 → layer. Names
// that emitted code uses for something else get a suffix.
func blockName(region string) string {
	name := identifier(strings.TrimRight(region, "0123456789."))
	if s := strings.TrimSuffix(name, "s"); s != name && len(s) > 1 {
		name = s
	}
	for _, taken := range []string{"bind", "kernel", "token", "decode", "batch", "prefill", "one", "row"} {
		if strings.HasPrefix(name, taken) {
			return name + "Region"
		}
	}
	return name
}

// identifier keeps the letters and digits of a name in camel case; it never
// yields anything but a Go identifier, whatever the name.
func identifier(name string) string {
	var b strings.Builder
	upper := false
	for _, c := range name {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		switch {
		case letter && b.Len() == 0:
			b.WriteString(strings.ToLower(string(c)))
		case letter && upper:
			b.WriteString(strings.ToUpper(string(c)))
		case letter || c >= '0' && c <= '9' && b.Len() > 0:
			b.WriteRune(c)
		default:
			upper = true
			continue
		}
		upper = false
	}
	switch name := b.String(); {
	case name == "":
		return "w"
	case token.IsKeyword(name):
		return name + "Value"
	default:
		return name
	}
}
