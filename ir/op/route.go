package op

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/mambac/mambac/ir"
)

// Route chooses experts (families.md §1.9, §10): the result is the weight of
// each, 0 for those not chosen. Kinds:
//
//	softmax        p = softmax(x); the Top greatest p
//	softmax_renorm the same, divided by their sum
//	top_softmax    softmax over the Top greatest x
//	sigmoid        s = σ(x), c = s + bias; of Groups equal slices the TopGroups
//	               whose two greatest c have the greatest sums; there the Top
//	               greatest c; their s, with Renorm divided by (their sum + 1e-20)
//
// all times Factor. Of equals the lower index is taken. Arguments: x [X];
// parameters: the bias [X], only of sigmoid, optional.
type Route struct {
	Kind              string
	Top               int
	Groups, TopGroups int `text:"omitzero"` // of sigmoid
	Renorm            bool
	Factor            float32
}

func init() { register(Route{}) }

// OpName implements ir.Op.
func (Route) OpName() string { return "route" }

// Infer implements ir.Op.
func (o Route) Infer(args []ir.Type, params []*ir.Param, states []*ir.State) (ir.Type, error) {
	if err := first(want(args, params, states, 1, 1, 1, 0), floats(args)); err != nil {
		return ir.Type{}, err
	}
	n := args[0].Width
	if o.Top < 1 || o.Top > n {
		return ir.Type{}, fmt.Errorf("the top %d of %d experts cannot be taken", o.Top, n)
	}
	switch o.Kind {
	case "softmax", "softmax_renorm", "top_softmax":
		if params[0] != nil {
			return ir.Type{}, fmt.Errorf("a router of kind %s has no bias", o.Kind)
		}
	case "sigmoid":
		if o.Groups < 1 || n%o.Groups != 0 || o.TopGroups < 1 || o.TopGroups > o.Groups || o.Top > n/o.Groups*o.TopGroups {
			return ir.Type{}, fmt.Errorf("%d of %d groups do not give %d of %d experts", o.TopGroups, o.Groups, o.Top, n)
		}
	default:
		return ir.Type{}, fmt.Errorf("unknown router %q", o.Kind)
	}
	return args[0], shaped(params[0], n)
}

// Step implements ir.Op.
func (o Route) Step(f *ir.Frame) {
	x := make([]float64, len(f.Out))
	for i, v := range f.Args[0] {
		x[i] = float64(v)
	}
	weights, chosen := o.choose(x, f.Params[0])
	clear(f.Out)
	for _, i := range chosen {
		f.Out[i] = float32(weights[i] * float64(o.Factor))
	}
}

// choose gives the weights of experts and which of them are taken.
func (o Route) choose(x []float64, bias []float32) (weights []float64, chosen []int) {
	all := make([]int, len(x))
	for i := range all {
		all[i] = i
	}
	switch o.Kind {
	case "sigmoid":
		return o.sigmoid(x, bias)
	case "top_softmax":
		chosen = greatest(x, all, o.Top)
		return softmax(x, chosen), chosen
	}
	weights = softmax(x, all)
	chosen = greatest(weights, all, o.Top)
	if o.Kind == "softmax_renorm" {
		divide(weights, chosen, 0)
	}
	return weights, chosen
}

func (o Route) sigmoid(x []float64, bias []float32) (weights []float64, chosen []int) {
	weights, score := make([]float64, len(x)), make([]float64, len(x))
	for i, v := range x {
		weights[i] = activations["sigmoid"](v)
		score[i] = weights[i]
		if bias != nil {
			score[i] += float64(bias[i])
		}
	}
	size := len(x) / o.Groups
	sums, groups := make([]float64, o.Groups), make([]int, o.Groups)
	members := func(g int) (list []int) {
		for i := range size {
			list = append(list, g*size+i)
		}
		return list
	}
	for g := range sums {
		groups[g] = g
		for _, i := range greatest(score, members(g), min(2, size)) {
			sums[g] += score[i]
		}
	}
	var open []int
	taken := greatest(sums, groups, o.TopGroups)
	slices.Sort(taken)
	for _, g := range taken {
		open = append(open, members(g)...)
	}
	chosen = greatest(score, open, o.Top)
	if o.Renorm {
		divide(weights, chosen, 1e-20)
	}
	return weights, chosen
}

// greatest is the indices of the n greatest of those given, the greatest
// first; of equals the one given first.
func greatest(x []float64, of []int, n int) []int {
	list := slices.Clone(of)
	slices.SortStableFunc(list, func(a, b int) int { return cmp.Compare(x[b], x[a]) })
	return list[:n]
}

// softmax is over the indices given; the others are 0.
func softmax(x []float64, of []int) []float64 {
	most, sum := math.Inf(-1), 0.0
	for _, i := range of {
		most = max(most, x[i])
	}
	p := make([]float64, len(x))
	for _, i := range of {
		p[i] = math.Exp(x[i] - most)
		sum += p[i]
	}
	for _, i := range of {
		p[i] /= sum
	}
	return p
}

// divide makes the sum of the chosen, and a little more, one.
func divide(x []float64, chosen []int, more float64) {
	sum := more
	for _, i := range chosen {
		sum += x[i]
	}
	for _, i := range chosen {
		x[i] /= sum
	}
}

// Cost implements ir.Op.
func (Route) Cost(args []ir.Type, params []*ir.Param, _ []*ir.State) ir.Cost {
	c := ir.Cost{Flops: 6 * args[0].Width}
	if params[0] != nil {
		c.ParamElements = args[0].Width
	}
	return c
}
