package lower

import (
	"math"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
)

func init() { register(op.Mamba3Gate{}.OpName(), rule{lower: lowerMamba3Gate, private: true}) }

// lowerMamba3Gate gates one rank as other families gate: by silu(z)·y, or by the
// norm of each head before the gate.
func lowerMamba3Gate(l *lowering, v *ir.Value) error {
	o := v.Op.(op.Mamba3Gate)
	x, z, y := l.at(v.Args[0]), l.at(v.Args[1]), l.at(v)
	step := plan.Step{Split: l.rowSplit(y), Panels: panels(v.Type.Width), Args: []plan.Arg{written(whole(y)), whole(x), whole(z)}}
	switch ranked := v.Params[0] != nil; {
	case ranked:
		step.Spec = kernel.Mamba3Gate{Width: v.Type.Width, HeadDim: o.HeadDim, Rank: o.Rank,
			StrideX: x.stride(), StrideZ: z.stride(), StrideY: y.stride(), EpsBits: normEps(o), Norm: o.Norm}
		step.Args = append(step.Args, l.rowWeight(v.Params[0]), l.rowWeight(v.Params[1]))
	case o.Norm:
		step.Spec = kernel.GatedNorm{Width: v.Type.Width, Group: o.HeadDim,
			StrideX: x.stride(), StrideZ: z.stride(), StrideY: y.stride(), EpsBits: normEps(o), NormFirst: true}
	default:
		l.emit(l.mapStep(kernel.Map{Function: kernel.MapSiLU.Gated(), Width: v.Type.Width}, y, z, x))
		return nil
	}
	if o.Norm {
		step.Args = append(step.Args, l.rowWeight(v.Params[2]))
	}
	l.emit(step)
	return nil
}

// normEps is the bits of the constant under the root, if there is one.
func normEps(o op.Mamba3Gate) uint32 {
	if !o.Norm {
		return 0
	}
	return math.Float32bits(o.Eps)
}
