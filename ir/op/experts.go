package op

import (
	"fmt"

	"github.com/mambac/mambac/ir"
)

// Experts is the sum of the chosen experts' MLPs times their weights
// (families.md §1.9), e in ascending order:
//
//	y = Σ_e Down_e·( act(Gate_e·x) · (Up_e·x) · w_e )    gated: In_e = Gate_e | Up_e
//	y = Σ_e Down_e·( act(In_e·x) · w_e )                 with Plain
//
// Arguments: x [D], w [X], 0 for experts not chosen; parameters: In [X·2I,D] or
// [X·I,D], Down [X·O,I], an expert's rows below those of the one before.
type Experts struct {
	Function string // the activation
	Plain    bool   // no gate
	Top      int    // experts chosen of a token, at most
}

func init() { register(Experts{}) }

// OpName implements ir.Op.
func (Experts) OpName() string { return "experts" }

// Infer implements ir.Op.
func (o Experts) Infer(args []ir.Type, params []*ir.Param, states []*ir.State) (ir.Type, error) {
	if err := first(want(args, params, states, 2, 2, 0, 0), floats(args), knownActivation(o.Function)); err != nil {
		return ir.Type{}, err
	}
	in, down, x := params[0], params[1], args[1].Width
	if len(down.Shape) != 2 || down.Shape[0]%x != 0 {
		return ir.Type{}, fmt.Errorf("%s: have %v, want the rows of %d experts", down.Name, down.Shape, x)
	}
	if o.Top < 1 || o.Top > x {
		return ir.Type{}, fmt.Errorf("%d of %d experts cannot be chosen", o.Top, x)
	}
	return ir.Vec(down.Shape[0] / x), shaped(in, x*o.rows(down.Shape[1]), args[0].Width)
}

// rows is the rows of In of one expert.
func (o Experts) rows(inner int) int {
	if o.Plain {
		return inner
	}
	return 2 * inner
}

// Step implements ir.Op.
func (o Experts) Step(f *ir.Frame) {
	x, inner := f.Args[0], f.Shapes[1][1]
	sum := make([]float64, len(f.Out))
	for e, weight := range f.Args[1] {
		if weight == 0 {
			continue
		}
		in := f.Params[0][e*o.rows(inner)*len(x):]
		hidden := o.hidden(in, x, inner, weight)
		if f.Narrow != nil {
			f.Narrow(hidden)
		}
		down := f.Params[1][e*len(sum)*inner:]
		for i := range sum {
			sum[i] += dot(down[i*inner:(i+1)*inner], hidden)
		}
	}
	for i, v := range sum {
		f.Out[i] = float32(v)
	}
}

// hidden is what an expert's last matrix is multiplied by, its weight included.
func (o Experts) hidden(in, x []float32, inner int, weight float32) []float32 {
	act := activations[o.Function]
	list := make([]float32, inner)
	for i := range list {
		v := act(dot(in[i*len(x):(i+1)*len(x)], x))
		if !o.Plain {
			v *= dot(in[(inner+i)*len(x):(inner+i+1)*len(x)], x)
		}
		list[i] = float32(v) * weight
	}
	return list
}

// Cost implements ir.Op: of the experts that are chosen.
func (o Experts) Cost(args []ir.Type, params []*ir.Param, _ []*ir.State) ir.Cost {
	n := (params[0].Shape.Elements() + params[1].Shape.Elements()) / args[1].Width * o.Top
	return ir.Cost{ParamElements: n, Flops: 2 * n}
}
