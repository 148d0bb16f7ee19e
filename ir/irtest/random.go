package irtest

import (
	"fmt"
	"math/rand/v2"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/build"
	"github.com/mambac/mambac/ir/op"
	"github.com/mambac/mambac/ir/tensor"
)

// Random makes a module of a few Mamba-1 layers with odd sizes, odd element
// types, and everything in it that may keep a fusion from firing: biases left
// out, values with further users, equal and whole slices, dead values, states
// of dead values, swapped operands. Equal seeds give equal modules; the
// parameters are filled.
func Random(seed uint64) *ir.Module {
	r := rand.New(rand.NewPCG(seed, 1))
	return Disturbed(seed, Sizes{
		Vocab: 2 + r.IntN(40), Hidden: 1 + r.IntN(40), Inner: 1 + r.IntN(50), Layers: r.IntN(4),
		States: pick(r, 1, 2, 3, 7, 16, 17), Taps: pick(r, 1, 2, 3, 4, 5, 9), Rank: 1 + r.IntN(5),
	})
}

// Sizes are those of a Mamba-1 model; see families.md for the words.
type Sizes struct {
	Layers, Vocab, Hidden, Inner, States, Taps, Rank int
	DType                                            tensor.DType // of matrices and vectors; Invalid mixes
}

// Disturbed is Random with given sizes.
func Disturbed(seed uint64, s Sizes) *ir.Module {
	r := &random{Rand: rand.New(rand.NewPCG(seed, 2)), Sizes: s}
	return r.filled(r.module(unchanged, r.mamba))
}

// Mamba makes a module as the importer would: equal layers, a tied head.
func Mamba(s Sizes) *ir.Module {
	r := &random{Rand: rand.New(rand.NewPCG(0, 0)), Sizes: s, calm: true}
	return r.filled(r.module(unchanged, r.mamba))
}

type random struct {
	*rand.Rand
	Sizes
	calm  bool // no disturbances
	b     *build.Builder
	layer string
}

// filled is a module whose parameters have values.
func (r *random) filled(m *ir.Module, err error) *ir.Module {
	if err != nil {
		panic(fmt.Sprintf("BUG: random module of %+v: %v", r.Sizes, err))
	}
	Fill(m)
	return m
}

func pick(r *rand.Rand, of ...int) int { return of[r.IntN(len(of))] }

// chance is true once in n times, for a disturbance.
func (r *random) chance(n int) bool { return !r.calm && r.IntN(n) == 0 }

// turn is one of n disturbances, or none of them: −1.
func (r *random) turn(n int) int {
	if r.calm {
		return -1
	}
	return r.IntN(n)
}

// param declares a parameter of the layer at hand.
func (r *random) param(name string, shape ...int) *ir.Param {
	d := r.DType
	if d == tensor.Invalid {
		d = []tensor.DType{tensor.F32, tensor.F16, tensor.BF16}[r.IntN(3)]
	}
	return &ir.Param{Name: r.layer + "." + name, Shape: shape, DType: d}
}

// maybe is a parameter that is left out half of the time.
func (r *random) maybe(name string, shape ...int) *ir.Param {
	if r.chance(2) {
		return nil
	}
	return r.param(name, shape...)
}

func unchanged(x *ir.Value) *ir.Value { return x }

// mamba is a layer of Mamba-1.
func (r *random) mamba(x *ir.Value) *ir.Value {
	return r.residual(x, r.mixer(r.b.RMSNorm(x, r.param("norm.weight", r.Hidden), 1e-5)))
}

// module is a model: what begin makes of the embedding, layers, norm and head.
func (r *random) module(begin, block func(x *ir.Value) *ir.Value) (*ir.Module, error) {
	r.b = build.New("random")
	b := r.b
	r.layer = "embed"
	b.Region(r.layer)
	embedding := r.param("weight", r.Vocab, r.Hidden)
	x := begin(b.Embed(b.Input(), embedding))
	for i := range r.Layers {
		r.layer = fmt.Sprintf("layers.%d", i)
		b.Region(r.layer)
		x = block(x)
	}
	r.layer = "head"
	b.Region(r.layer)
	head := embedding
	if r.chance(2) {
		head = r.param("weight", r.Vocab, r.Hidden)
	}
	return b.Finish(b.Linear(b.RMSNorm(x, r.param("norm.weight", r.Hidden), 1e-5), head, nil))
}

// residual adds in either order, sometimes with a further user of the sum's
// second operand.
func (r *random) residual(x, y *ir.Value) *ir.Value {
	if r.chance(5) {
		x = r.b.Add(x, y)
	}
	if r.chance(3) {
		return r.b.Add(y, x)
	}
	return r.b.Add(x, y)
}

// mixer is block.Mamba1 with disturbances.
func (r *random) mixer(x *ir.Value) *ir.Value {
	b, inner, states, rank := r.b, r.Inner, r.States, r.Rank
	r.dead(x)
	uz := r.whole(b.Linear(x, r.param("in_proj.weight", 2*inner, x.Type.Width), r.maybe("in_proj.bias", 2*inner)))
	window := b.State(r.layer+".conv", ir.Window, inner, r.Taps-1)
	conv := b.Conv(r.slice(uz, 0, inner), r.param("conv1d.weight", inner, 1, r.Taps), r.maybe("conv1d.bias", inner), r.Taps, window)
	u := r.activate(conv)
	parts := b.Split(b.Linear(r.whole(u), r.param("x_proj.weight", rank+2*states, inner), nil), rank, states, states)
	dt := b.Linear(parts[0], r.param("dt_proj.weight", inner, rank), r.maybe("dt_proj.bias", inner))
	delta := b.Softplus(dt)
	a := r.param("A_log", inner, states)
	a.Transform = ir.NegExp
	y := b.Scan1(u, delta, parts[1], parts[2], a, r.param("D", inner), b.State(r.layer+".ssm", ir.Recurrence, inner, states))
	y = r.gate(y, uz)
	for _, v := range []*ir.Value{conv, dt, delta} {
		if r.chance(6) {
			y = b.Add(y, v)
		}
	}
	return r.shortcut(b.Linear(y, r.param("out_proj.weight", r.Hidden, inner), r.maybe("out_proj.bias", r.Hidden)), uz)
}

// shortcut sometimes adds a run of uz that begins anywhere.
func (r *random) shortcut(y, uz *ir.Value) *ir.Value {
	room := uz.Type.Width - y.Type.Width
	if room < 0 || !r.chance(4) {
		return y
	}
	lo := r.IntN(room + 1)
	return r.b.Add(y, r.slice(uz, lo, lo+y.Type.Width))
}

// activate is silu most of the time.
func (r *random) activate(conv *ir.Value) *ir.Value {
	switch r.turn(6) {
	case 0:
		return conv
	case 1:
		return r.b.Add(r.b.SiLU(conv), r.b.Softplus(conv))
	}
	return r.b.SiLU(conv)
}

// gate multiplies by silu(z) most of the time, in either order; where z is
// used twice, it is sliced twice.
func (r *random) gate(y, uz *ir.Value) *ir.Value {
	b := r.b
	z := func() *ir.Value { return r.slice(uz, r.Inner, 2*r.Inner) }
	switch r.turn(8) {
	case 0:
		return y
	case 1:
		return b.Mul(y, z())
	case 2:
		return b.Mul(b.SiLU(z()), y)
	case 3:
		g := b.SiLU(z())
		return b.Add(b.Mul(y, g), g)
	case 4:
		return b.Add(b.Mul(y, b.SiLU(z())), y)
	case 5:
		return b.Add(b.Mul(y, b.SiLU(z())), z())
	}
	return b.Mul(r.whole(y), b.SiLU(z()))
}

func (r *random) slice(x *ir.Value, lo, hi int) *ir.Value {
	return r.b.Op(op.Slice{Lo: lo, Hi: hi}, []*ir.Value{x}, nil, nil)
}

// whole sometimes hides a value behind a slice of everything.
func (r *random) whole(x *ir.Value) *ir.Value {
	if r.chance(5) {
		return r.slice(x, 0, x.Type.Width)
	}
	return x
}

// dead sometimes appends values that nothing uses, one with a state.
func (r *random) dead(x *ir.Value) {
	if r.chance(4) {
		n := x.Type.Width
		r.b.SiLU(r.b.Conv(x, r.param("dead.weight", n, 1, 2), nil, 2, r.b.State(r.layer+".dead", ir.Window, n, 1)))
	}
}
