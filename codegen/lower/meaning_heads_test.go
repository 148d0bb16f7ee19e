package lower_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/lower"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/build"
	"github.com/mambac/mambac/ir/irtest"
	"github.com/mambac/mambac/ir/op"
	"github.com/mambac/mambac/ir/pass"
	"github.com/mambac/mambac/ir/tensor"
)

// ssd runs head i of the share.
func (j *job) ssd(s *kernel.SSD, i int) {
	group := (j.panel + i) / s.PerGroup * s.States
	for t := range j.tokens {
		delta := max(softplus(j.get("dt", s.StrideD, t, i)+j.weight("dtBias", i)), float64(s.Low()))
		if s.HighBits != 0 {
			delta = min(delta, float64(s.High()))
		}
		decay := math.Exp(delta * j.weight("a", i))
		for p := range s.HeadDim {
			e, d := i*s.HeadDim+p, i
			if s.Elements {
				d = e
			}
			u := j.get("u", s.StrideU, t, e)
			y := j.weight("d", d) * u
			for n := range s.States {
				at := headElement(s.HeadDim, s.States, i, p, n)
				h := decay*j.get("h", 0, 0, at) + delta*u*j.get("bc", s.StrideBC, t, s.OffsetB+group+n)
				j.put("h", 0, 0, at, h)
				y += h * j.get("bc", s.StrideBC, t, s.OffsetC+group+n)
			}
			j.put("y", s.StrideY, t, e, y)
		}
	}
}

// headElement is where row p, column n of head i of a state lies.
func headElement(dim, columns, i, p, n int) int {
	const lanes = kernel.GroupChannels
	return (i*kernel.PadGroup(dim)+p/lanes*lanes)*columns + n*lanes + p%lanes
}

// mixer is a module of one layer: what a function makes of an embedding.
func mixer(t *testing.T, width int, body func(b *build.Builder, x *ir.Value) *ir.Value) *ir.Module {
	t.Helper()
	b := build.New("mixer")
	b.Region("embed")
	x := b.Embed(b.Input(), floats("embed.weight", 3, width))
	b.Region("layers.0")
	y := body(b, x)
	b.Region("head")
	m, err := b.Finish(b.Linear(y, floats("head.weight", 5, y.Type.Width), nil))
	if err != nil {
		t.Fatal(err)
	}
	irtest.Fill(m)
	return m
}

func floats(name string, shape ...int) *ir.Param {
	return &ir.Param{Name: name, Shape: shape, DType: tensor.F32}
}

// TestHeadsCompute: scans of heads of all sizes, in groups of one and more, by
// one to four workers, lead to the evaluator's logits.
func TestHeadsCompute(t *testing.T) {
	for i, o := range []op.SSD{
		{Heads: 3, HeadDim: 5, Groups: 1, States: 7},
		{Heads: 3, HeadDim: 16, Groups: 3, States: 2, Low: 0.4},
		{Heads: 6, HeadDim: 33, Groups: 3, States: 70, Low: 0.1, High: 0.9},
		{Heads: 4, HeadDim: 48, Groups: 2, States: 16},
	} {
		requireMixer(t, fmt.Sprint(o), ssdMixer(t, o, i%2 == 0))
	}
}

// ssdMixer has the convolution of Mamba-2 before the scan, or the scan alone.
func ssdMixer(t *testing.T, o op.SSD, conv bool) *ir.Module {
	inner, shared := o.Heads*o.HeadDim, o.Groups*o.States
	return mixer(t, 4, func(b *build.Builder, x *ir.Value) *ir.Value {
		all := b.Linear(x, floats("in_proj.weight", inner+2*shared+o.Heads, 4), nil)
		parts := b.Split(all, inner+2*shared, o.Heads)
		d := floats("D", o.Heads)
		if conv {
			window := b.State("conv", ir.Window, inner+2*shared, 2)
			parts[0] = b.Conv(parts[0], floats("conv.weight", inner+2*shared, 1, 3), nil, 3, window)
			d = floats("D", inner)
		}
		u := b.Split(parts[0], inner, shared, shared)
		a := floats("A_log", o.Heads)
		a.Transform = ir.NegExp
		return b.SSD(o, u[0], u[1], u[2], parts[1], a, floats("dt_bias", o.Heads), d,
			b.State("h", ir.Recurrence, o.Heads, o.HeadDim, o.States))
	})
}

// requireMixer takes a module through its plan, with and without passes.
func requireMixer(t *testing.T, name string, m *ir.Module) {
	t.Helper()
	for i, disable := range [][]string{nil, pass.Names()} {
		passed, err := pass.Run(m, pass.Options{Disable: disable})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		p, err := lower.Lower(passed, lower.Options{Chunk: chunk})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if again, err := plan.Parse(plan.Format(p)); err != nil || plan.Format(again) != plan.Format(p) {
			t.Fatalf("%s: the plan is not read back (%v):\n%s", name, err, plan.Format(p))
		}
		want := irtest.Logits(t, passed, ids)
		for n, mode := range []plan.Mode{plan.Decode, plan.Batch, plan.Prefill} {
			x := newMachine(t, p, 1+(i+n)%4)
			got := x.feedAll(mode)
			if e := irtest.RelativeError(got, want); x.fault != nil || !(e <= 2e-6) {
				t.Fatalf("%s: %s: %v, logits differ by %g in\n%s", name, mode, x.fault, e, plan.Format(p))
			}
		}
	}
}

// TestHeadState: a state of heads is found in the order of its axes.
func TestHeadState(t *testing.T) {
	m := ssdMixer(t, op.SSD{Heads: 3, HeadDim: 5, Groups: 1, States: 7}, true)
	p, err := lower.Lower(m, lower.Options{Chunk: chunk})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(p.States, func(s *plan.State) bool { return s.Slot.Layout == plan.Heads })
	if s := p.States[i]; s.Run() != 5 || s.Lanes() != 16 || s.Slot.Elements != 3*16*7 {
		t.Errorf("runs of %d, %d lanes, %d elements", s.Run(), s.Lanes(), s.Slot.Elements)
	}
}
