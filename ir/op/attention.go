package op

import (
	"fmt"
	"math"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/storage"
)

// Attention is causal attention over a cache (families.md §1.7). Query head h
// reads head ⌊h/(Heads/KVHeads)⌋ of the cache, which k and v are appended to:
//
//	s_j = Scale·q_h·K_j,  p = softmax(s),  y_h = Σ_j p_j·V_j
//
// over the positions j up to the token's own, the last Window of them if that
// is not 0. Arguments: q [Heads·HeadDim], k, v [KVHeads·HeadDim]; states: the
// caches of K and V, [KVHeads,HeadDim] a token, each row in the format Cache.
type Attention struct {
	Heads, KVHeads, HeadDim int
	Scale                   float32
	Window                  int    `text:"omitzero"`
	Cache                   string // one of storage.Caches, or nothing for f32
}

func init() { register(Attention{}) }

// OpName implements ir.Op.
func (Attention) OpName() string { return "attention" }

// CacheFormat is the format of keys and values by its name.
func (o Attention) CacheFormat() string {
	if o.Cache == "" {
		return "f32"
	}
	return o.Cache
}

// Infer implements ir.Op.
func (o Attention) Infer(args []ir.Type, params []*ir.Param, states []*ir.State) (ir.Type, error) {
	if err := first(want(args, params, states, 3, 0, 0, 2), floats(args)); err != nil {
		return ir.Type{}, err
	}
	if o.KVHeads < 1 || o.Heads < 1 || o.Heads%o.KVHeads != 0 {
		return ir.Type{}, fmt.Errorf("%d heads of keys do not divide %d heads of queries", o.KVHeads, o.Heads)
	}
	if o.HeadDim < 1 || o.Window < 0 {
		return ir.Type{}, fmt.Errorf("a head dim of %d and a window of %d make no attention", o.HeadDim, o.Window)
	}
	n := o.KVHeads * o.HeadDim
	return args[0], first(storage.CheckCache(o.Cache), width(args, 0, o.Heads*o.HeadDim), width(args, 1, n), width(args, 2, n),
		o.cache(states[0]), o.cache(states[1]))
}

func (o Attention) cache(s *ir.State) error {
	if s.Window != o.Window {
		return fmt.Errorf("state %s: has a window of %d, want %d", s.Name, s.Window, o.Window)
	}
	return stateShaped(s, ir.Cache, o.KVHeads, o.HeadDim)
}

// Step implements ir.Op.
func (o Attention) Step(f *ir.Frame) {
	width := o.KVHeads * o.HeadDim
	for i := range f.States {
		f.States[i] = append(f.States[i], f.Args[1+i]...)
		kept := f.States[i][len(f.States[i])-width:]
		for h := range o.KVHeads {
			storage.RoundCache(o.Cache, kept[h*o.HeadDim:(h+1)*o.HeadDim])
		}
	}
	from := 0
	if o.Window > 0 {
		from = max(0, len(f.States[0])/width-o.Window)
	}
	keys, values := f.States[0][from*width:], f.States[1][from*width:]
	for h := range o.Heads {
		at := h / (o.Heads / o.KVHeads) * o.HeadDim
		o.head(f.Out[h*o.HeadDim:(h+1)*o.HeadDim], f.Args[0][h*o.HeadDim:(h+1)*o.HeadDim], keys[at:], values[at:], width)
	}
}

// head is one head of queries; a token's keys and values begin every width
// elements.
func (o Attention) head(y, q, keys, values []float32, width int) {
	var p []float64
	greatest, sum := math.Inf(-1), 0.0
	for at := 0; at < len(keys); at += width {
		s := float64(o.Scale) * dot(keys[at:at+o.HeadDim], q)
		p, greatest = append(p, s), max(greatest, s)
	}
	out := make([]float64, o.HeadDim)
	for j, s := range p {
		e := math.Exp(s - greatest)
		sum += e
		for i, v := range values[j*width : j*width+o.HeadDim] {
			out[i] += e * float64(v)
		}
	}
	for i, v := range out {
		y[i] = float32(v / sum)
	}
}

// Cost implements ir.Op: everything grows with the text. Of what is done to a
// position, the products count: q·K and p·V.
func (o Attention) Cost([]ir.Type, []*ir.Param, []*ir.State) ir.Cost {
	return ir.Cost{CachedFlops: 4 * o.Heads * o.HeadDim}
}
