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
	r := &random{Rand: rand.New(rand.NewPCG(seed, 1)), b: build.New("random")}
	r.vocab, r.hidden, r.inner = 2+r.IntN(40), 1+r.IntN(40), 1+r.IntN(50)
	r.states, r.taps, r.rank = pick(r, 1, 2, 3, 7, 16, 17), pick(r, 1, 2, 3, 4, 5, 9), 1+r.IntN(5)
	m, err := r.module()
	if err != nil {
		panic(fmt.Sprintf("BUG: seed %d: %v", seed, err))
	}
	Fill(m)
	return m
}

type random struct {
	*rand.Rand
	b                                        *build.Builder
	vocab, hidden, inner, states, taps, rank int
	layer                                    string
	params                                   int
}

func pick(r *random, of ...int) int { return of[r.IntN(len(of))] }

// chance is true once in n times.
func (r *random) chance(n int) bool { return r.IntN(n) == 0 }

// param declares a parameter under a name of its own.
func (r *random) param(shape ...int) *ir.Param {
	r.params++
	d := []tensor.DType{tensor.F32, tensor.F16, tensor.BF16}[r.IntN(3)]
	return &ir.Param{Name: fmt.Sprintf("%s.p%d", r.layer, r.params), Shape: shape, DType: d}
}

// maybe is a parameter that is left out half of the time.
func (r *random) maybe(shape ...int) *ir.Param {
	if r.chance(2) {
		return nil
	}
	return r.param(shape...)
}

func (r *random) module() (*ir.Module, error) {
	b := r.b
	r.layer = "embed"
	b.Region(r.layer)
	embedding := r.param(r.vocab, r.hidden)
	x := b.Embed(b.Input(), embedding)
	for i := range r.IntN(4) {
		r.layer = fmt.Sprintf("layers.%d", i)
		b.Region(r.layer)
		x = r.residual(x, r.mixer(b.RMSNorm(x, r.param(r.hidden), 1e-5)))
	}
	r.layer = "head"
	b.Region(r.layer)
	head := embedding
	if r.chance(2) {
		head = r.param(r.vocab, r.hidden)
	}
	return b.Finish(b.Linear(b.RMSNorm(x, r.param(r.hidden), 1e-5), head, nil))
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
	b, inner, states, rank := r.b, r.inner, r.states, r.rank
	r.dead(x)
	uz := r.whole(b.Linear(x, r.param(2*inner, r.hidden), r.maybe(2*inner)))
	conv := b.Conv(r.slice(uz, 0, inner), r.param(inner, 1, r.taps), r.maybe(inner), r.taps, b.State(r.layer+".conv", ir.Window, inner, r.taps-1))
	u := r.activate(conv)
	parts := b.Split(b.Linear(r.whole(u), r.param(rank+2*states, inner), nil), rank, states, states)
	dt := b.Linear(parts[0], r.param(inner, rank), r.maybe(inner))
	delta := b.Softplus(dt)
	a := r.param(inner, states)
	a.Transform = ir.NegExp
	y := b.Scan1(u, delta, parts[1], parts[2], a, r.param(inner), b.State(r.layer+".ssm", ir.Recurrence, inner, states))
	y = r.gate(y, uz)
	for _, v := range []*ir.Value{conv, dt, delta} {
		if r.chance(6) {
			y = b.Add(y, v)
		}
	}
	return b.Linear(y, r.param(r.hidden, inner), r.maybe(r.hidden))
}

// activate is silu most of the time.
func (r *random) activate(conv *ir.Value) *ir.Value {
	switch r.IntN(6) {
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
	z := func() *ir.Value { return r.slice(uz, r.inner, 2*r.inner) }
	switch r.IntN(8) {
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
		window := r.b.State(r.layer+".dead", ir.Window, r.hidden, 1)
		r.b.SiLU(r.b.Conv(x, r.param(r.hidden, 1, 2), nil, 2, window))
	}
}
