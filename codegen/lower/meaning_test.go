package lower_test

import (
	"math"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/plan"
)

// job is one worker's part of a step.
type job struct {
	*machine
	of            *plan.Step
	args          map[string]*plan.Arg
	panel, panels int
	token, tokens int
	sequence      int // whose states it has
}

// step runs a step's part of the worker at hand.
func (x *machine) step(s *plan.Step) {
	x.what = s.Spec.Name()
	j := &job{machine: x, of: s, args: map[string]*plan.Arg{}, panels: s.Panels, tokens: x.count()}
	switch s.Split {
	case plan.ByChannels:
		j.panel, j.panels = x.share(s.Panels)
	case plan.ByHeads:
		if !paged(s.Spec) {
			j.panel, j.panels = x.share(s.Panels)
		}
	case plan.ByTokens:
		j.token, j.tokens = x.share(x.count())
	case plan.One:
		if x.worker != 0 {
			return
		}
	}
	next := 0
	for _, p := range s.Spec.Signature() {
		if p.Name == "rows" {
			next++
		} else if p.Type != "int" {
			j.args[p.Name] = &s.Args[next]
			next++
		}
	}
	if next != len(s.Args) {
		x.fail("%d arguments, want %d", len(s.Args), next)
		return
	}
	if paged(s.Spec) {
		j.paged(s)
		return
	}
	if j.panels > 0 && j.tokens > 0 {
		j.rows(s)
	}
}

// paged reports whether a kernel treats one page of a cache.
func paged(s kernel.Spec) bool { return s.Kind() == "keep" || s.Kind() == "attend" }

// rows runs a step's rows at once, or each with the states of its sequence.
func (j *job) rows(s *plan.Step) {
	if !s.Apart {
		j.run(s.Spec)
		return
	}
	first, n := j.token, j.tokens
	j.tokens = 1
	for i := range n {
		j.token, j.sequence = first+i, first+i
		j.run(s.Spec)
	}
}

// share is the worker's run of n units: its first, and how many.
func (x *machine) share(n int) (first, count int) {
	first = n * x.worker / x.workers
	return first, n*(x.worker+1)/x.workers - first
}

func (j *job) run(spec kernel.Spec) {
	switch s := spec.(type) {
	case kernel.Gemv:
		for i := range j.panels {
			j.linear(s.Storage, s.K, 0, 0, s.Epilogue, i)
		}
	case kernel.Gemm:
		j.scratch(kernel.GemmScratch(j.tokens))
		for i := range j.panels {
			j.linear(s.Storage, s.K, s.StrideX, s.StrideY, s.Epilogue, i)
		}
	case kernel.Conv:
		j.channels(func(c int) { j.conv(&s, c) })
	case kernel.Scan1:
		j.scratch(kernel.Scan1Scratch(j.tokens))
		j.channels(func(c int) { j.scan1(&s, c) })
	case kernel.SSD:
		j.scratch(s.Scratch(j.tokens))
		for i := range j.panels {
			j.ssd(&s, i)
		}
	case kernel.Mamba3Prepare:
		j.scratch(s.Scratch())
		for i := range j.panels {
			j.mamba3Prepare(&s, i)
		}
	case kernel.Mamba3:
		for i := range j.panels {
			j.mamba3(&s, i)
		}
	case kernel.Mamba3Gate:
		j.mamba3Gate(&s)
	case kernel.RMSNorm:
		j.rmsnorm(&s)
	case kernel.GatedNorm:
		j.gatednorm(&s)
	case kernel.LayerNorm:
		j.layernorm(&s)
	case kernel.Angles:
		j.angles(&s)
	case kernel.RoPE:
		j.rope(&s)
	case kernel.Map:
		j.mapped(&s, j.of.Split)
	case kernel.Embed:
		j.embed(&s)
	case kernel.Gather:
		j.gather(&s)
	case kernel.Scatter:
		j.scatter(&s)
	case kernel.Weigh:
		j.weigh(&s)
	case kernel.Route:
		j.route(&s)
	default:
		j.fail("no meaning")
	}
}

// locate finds element (t, column) of a view, or element `column` of a weight
// or state, from the share's first token and panel on; promised is the row
// stride that the kernel will use.
func (j *job) locate(name string, promised, t, column int) (*memory, int) {
	a := j.args[name]
	at := j.panel*a.Advance + column + a.Expert*j.expert
	if a.Kind == plan.StateArg {
		slot := j.call.States[a.Slot]
		if at += a.Start; at >= slot.Slot.Elements {
			j.fail("%s: element %d of %d", name, at, slot.Slot.Elements)
		}
		return j.states[j.sequence], slot.Offset + at
	}
	b := a.Buffer
	if j.tokens > 1 && promised != b.Stride {
		j.fail("%s: stride %d, the buffer's is %d", name, promised, b.Stride)
	}
	row := j.token + t
	if a.Whole {
		row = t
	}
	if b.Carried && j.head {
		row += j.row
	}
	if at >= a.Width || a.Column+at >= b.Stride || row >= b.Rows {
		j.fail("%s: column %d of %d, row %d of %d", name, at, a.Width, row, b.Rows)
		return j.private[j.worker], 0
	}
	return j.space(b.Space), b.Offset + row*b.Stride + a.Column + at
}

func (x *machine) space(s plan.Space) *memory {
	switch s {
	case plan.Private:
		return x.private[x.worker]
	case plan.Output:
		return x.out
	}
	return x.arena
}

func (j *job) get(name string, stride, t, column int) float64 {
	m, i := j.locate(name, stride, t, column)
	return j.load(m, i, name)
}

func (j *job) put(name string, stride, t, column int, v float64) {
	if !j.args[name].Write {
		j.fail("%s is written and not marked so", name)
	}
	m, i := j.locate(name, stride, t, column)
	j.store(m, i, v, name)
}

// weight is an element of packed weights, from the share's first panel on.
func (j *job) weight(name string, i int) float64 {
	a := j.args[name]
	list := j.weights[j.call.Weights[a.Slot]]
	if i += a.Start + j.panel*a.Advance + a.Expert*j.expert; i >= len(list) {
		j.fail("%s: element %d of %d", name, i, len(list))
		return 0
	}
	return float64(list[i])
}

// scratch spoils what a kernel may use as its own.
func (j *job) scratch(n int) {
	if n > j.plan.Scratch {
		j.fail("wants %d of scratch, has %d", n, j.plan.Scratch)
		return
	}
	for i := range n {
		j.store(j.private[j.worker], i, math.NaN(), "scratch")
	}
}

func (j *job) linear(storage kernel.Storage, k, strideX, strideY int, e kernel.Epilogue, panel int) {
	for t := range j.tokens {
		for r := range kernel.PanelRows {
			out, sum := panel*kernel.PanelRows+r, 0.0
			for i := range k {
				sum += j.weight("w", panel*storage.PanelElements(k)+storage.Index(r, i)) * j.get("x", strideX, t, i)
			}
			if e.Bias {
				sum += j.weight("bias", out)
			}
			if e.Residual {
				sum += j.get("residual", strideY, t, out)
			}
			j.put("y", strideY, t, out, sum)
		}
	}
}

// channels visits the channels of the share.
func (j *job) channels(visit func(c int)) {
	for c := range j.panels * kernel.PanelRows {
		visit(c)
	}
}

func (j *job) conv(s *kernel.Conv, c int) {
	for t := range j.tokens {
		inputs := make([]float64, s.Taps)
		for i := range s.Taps - 1 {
			inputs[i] = j.get("window", 0, 0, i*s.Channels+c)
		}
		inputs[s.Taps-1] = j.get("x", s.StrideX, t, c)
		sum := 0.0
		for i, v := range inputs {
			sum += j.weight("w", i*s.Channels+c) * v
			if i > 0 {
				j.put("window", 0, 0, (i-1)*s.Channels+c, v)
			}
		}
		if s.Bias {
			sum += j.weight("bias", c)
		}
		if s.Activation == kernel.SiLU {
			sum = silu(sum)
		}
		j.put("y", s.StrideY, t, c, sum)
	}
}

func (j *job) scan1(s *kernel.Scan1, c int) {
	for t := range j.tokens {
		u, delta := j.get("u", s.StrideU, t, c), j.get("dt", s.StrideD, t, c)
		if s.Softplus {
			delta = softplus(delta + j.weight("dtBias", c))
		}
		y := j.weight("d", c) * u
		for n := range s.States {
			i := c/kernel.GroupChannels*kernel.GroupChannels*s.States + n*kernel.GroupChannels + c%kernel.GroupChannels
			h := math.Exp(delta*j.weight("a", i))*j.get("h", 0, 0, i) + delta*u*j.get("bc", s.StrideBC, t, s.OffsetB+n)
			j.put("h", 0, 0, i, h)
			y += h * j.get("bc", s.StrideBC, t, s.OffsetC+n)
		}
		if s.Gate {
			y *= silu(j.get("z", s.StrideZ, t, c))
		}
		j.put("y", s.StrideY, t, c, y)
	}
}

func (j *job) embed(s *kernel.Embed) {
	for t := range j.tokens {
		id := j.ids[j.token+t]
		for i := range s.Width {
			at := id/kernel.PanelRows*s.Storage.PanelElements(s.Width) + s.Storage.Index(id%kernel.PanelRows, i)
			j.put("y", s.StrideY, t, i, j.weight("w", at))
		}
	}
}
