package ladder

import (
	"fmt"
	"testing"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/build"
	"github.com/mambac/mambac/ir/irtest"
	"github.com/mambac/mambac/ir/op"
	"github.com/mambac/mambac/ir/tensor"
)

// headChunk is short, so that sequences end on, before and behind a border.
const headChunk = 16

// TestHeads takes scans of heads up the ladder: sizes that fill no group of
// channels, one and more, and sequences of a chunk, one less and one more.
func TestHeads(t *testing.T) {
	RequireSame(t, headCases(1, headChunk-1, headChunk, headChunk+1, 3*headChunk+5)...)
}

// TestHeadsInterpreted does it for levels that are interpreted.
func TestHeadsInterpreted(t *testing.T) {
	RequireSameInterpreted(t, Interpretation{[]string{"v3", "v4"}, []string{"prefill", "decode", "batch3"}}, headCases(headChunk+1)...)
}

// headCases is every module with a sequence of each length.
func headCases(lengths ...int) []Case {
	modules := []*ir.Module{
		ssdModule(op.SSD{Heads: 3, HeadDim: 5, Groups: 1, States: 7}),
		ssdModule(op.SSD{Heads: 3, HeadDim: 33, Groups: 3, States: 70, Low: 0.1, High: 0.9}),
		ssdModule(op.SSD{Heads: 6, HeadDim: 64, Groups: 3, States: 16, Low: 0.4}),
		mamba3Module(op.Mamba3{Heads: 3, HeadDim: 5, Groups: 1, States: 7, Rank: 1, Angles: 2, Floor: 1e-4}),
		mamba3Module(op.Mamba3{Heads: 6, HeadDim: 33, Groups: 3, States: 18, Rank: 4, Angles: 5, Halved: true, Softplus: true}),
	}
	var cases []Case
	for i, m := range modules {
		for _, n := range lengths {
			list := ids(uint64(i), m.Output.Type.Width)
			for len(list) < n {
				list = append(list, list...)
			}
			cases = append(cases, Case{Name: fmt.Sprintf("%d of %d", i, n), Module: m, IDs: list[:n], Chunk: headChunk})
		}
	}
	return cases
}

// headModule is one layer: what a function makes of the rows of a linear.
func headModule(rows int, body func(b *build.Builder, x *ir.Value) *ir.Value) *ir.Module {
	b := build.New("heads")
	b.Region("embed")
	x := b.Embed(b.Input(), f32("embed.weight", 7, 20))
	b.Region("layers.0")
	y := body(b, b.Linear(x, f32("in_proj.weight", rows, 20), nil))
	b.Region("head")
	m, err := b.Finish(b.Linear(y, f32("head.weight", 7, y.Type.Width), nil))
	if err != nil {
		panic("BUG: " + err.Error())
	}
	irtest.Fill(m)
	return m
}

func f32(name string, shape ...int) *ir.Param {
	return &ir.Param{Name: name, Shape: shape, DType: tensor.F32}
}

func ssdModule(o op.SSD) *ir.Module {
	inner, shared := o.Heads*o.HeadDim, o.Groups*o.States
	return headModule(inner+2*shared+o.Heads, func(b *build.Builder, x *ir.Value) *ir.Value {
		parts := b.Split(x, inner+2*shared, o.Heads)
		window := b.State("conv", ir.Window, inner+2*shared, 2)
		u := b.Split(b.Conv(parts[0], f32("conv.weight", inner+2*shared, 1, 3), nil, 3, window), inner, shared, shared)
		a := f32("A_log", o.Heads)
		a.Transform = ir.NegExp
		return b.SSD(o, u[0], u[1], u[2], parts[1], a, f32("dt_bias", o.Heads), f32("D", o.Heads),
			b.State("h", ir.Recurrence, o.Heads, o.HeadDim, o.States))
	})
}

func mamba3Module(o op.Mamba3) *ir.Module {
	inner, shared := o.Heads*o.HeadDim, o.Rank*o.Groups*o.States
	return headModule(2*(inner+shared)+3*o.Heads+o.Angles, func(b *build.Builder, x *ir.Value) *ir.Value {
		p := b.Split(x, inner, inner, shared, shared, o.Heads, o.Heads, o.Heads, o.Angles)
		var mimo [3]*ir.Param
		if o.Rank > 1 {
			for i, name := range []string{"mimo_x", "mimo_z", "mimo_o"} {
				mimo[i] = f32(name, o.Heads, o.Rank, o.HeadDim)
			}
		}
		y := b.Op(o, p[1:], []*ir.Param{f32("dt_bias", o.Heads), f32("B_bias", o.Heads, o.Rank, o.States),
			f32("C_bias", o.Heads, o.Rank, o.States), f32("D", o.Heads), mimo[0]}, []*ir.State{
			b.State("theta", ir.Recurrence, o.Heads, o.Angles), b.State("h", ir.Recurrence, o.Heads, o.HeadDim, o.States),
			b.State("k", ir.Recurrence, o.Heads, o.Rank, o.States), b.State("v", ir.Recurrence, o.Heads, o.HeadDim)})
		gate := op.Mamba3Gate{HeadDim: o.HeadDim, Rank: o.Rank, Norm: true, Eps: 1e-5}
		return b.Op(gate, []*ir.Value{y, p[0]}, []*ir.Param{mimo[1], mimo[2], f32("norm.weight", inner)}, nil)
	})
}
