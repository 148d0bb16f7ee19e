package irtest

import (
	"fmt"
	"math/rand/v2"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
	"github.com/mambac/mambac/ir/tensor"
)

// Mixed is Random with layers of every kind: a scan, of Mamba-1, 2 or 3, or
// attention, and behind some an MLP or experts, each with the options that its
// op has, under any norm and with multipliers. Seeds below MixedSeeds make every
// op and every option.
func Mixed(seed uint64) *ir.Module {
	r := rand.New(rand.NewPCG(seed, 5))
	return MixedOf(seed, Sizes{
		Vocab: 2 + r.IntN(40), Hidden: 3 + r.IntN(40), Inner: 8 + r.IntN(50), Layers: 1 + r.IntN(2),
		States: pick(r, 2, 3, 7, 16, 17, 24), Taps: pick(r, 1, 2, 3, 4, 5), Rank: 1 + r.IntN(5),
	})
}

// MixedSeeds is how many seeds of Mixed it takes.
const MixedSeeds = 60

// Any is Random and Mixed in turn.
func Any(seed uint64) *ir.Module {
	if seed%2 == 0 {
		return Random(seed / 2)
	}
	return Mixed(seed / 2)
}

// MixedOf is Mixed with given sizes; the inner size is about that of every mixer
// and MLP.
func MixedOf(seed uint64, s Sizes) *ir.Module {
	m := &mixed{random: random{Rand: rand.New(rand.NewPCG(seed, 6)), Sizes: s}, turns: int(seed)}
	m.headDim = pick(m.Rand, 2, 5, 6, 8, 16, 18, 33)
	return m.filled(m.module(m.begin, m.block))
}

// mixed makes such modules.
type mixed struct {
	random
	turns    int       // of the kinds of layers, so that none is left out for long
	norms    int       // of the module
	headDim  int       // of attention
	angles   *ir.Value // that heads of attention are turned by; nil for none
	embedded *ir.Value // the stream before the layers
}

// block is one layer: a mixer, and perhaps something without a state.
func (m *mixed) block(x *ir.Value) *ir.Value {
	mixers := []func(*ir.Value) *ir.Value{m.mixer, m.mamba2, m.mamba3, m.attention}
	forwards := []func(*ir.Value) *ir.Value{m.mlp, m.gated, m.experts}
	x = m.residual(x, m.multiplied(mixers[m.turns%len(mixers)](m.norm(x))))
	if m.turns++; m.chance(3) {
		return x
	}
	return m.residual(x, m.multiplied(forwards[m.IntN(len(forwards))](m.norm(x))))
}

// begin is what comes before the layers: the embedding, and perhaps angles.
func (m *mixed) begin(x *ir.Value) *ir.Value {
	if turned := m.headDim / 2 * 2; m.chance(2) {
		if m.chance(2) {
			turned = 2 * (1 + m.IntN(turned/2))
		}
		frequencies := &ir.Param{Name: "frequencies", Shape: tensor.Shape{turned / 2}, DType: tensor.F32}
		m.angles = m.b.Angles(frequencies, float32(pick(m.Rand, 4, 5))/4)
	}
	m.embedded = m.multiplied(x)
	return m.embedded
}

// upTo is a number from 1 to n.
func (m *mixed) upTo(n int) int { return 1 + m.IntN(n) }

// multiplied is x times a constant, sometimes.
func (m *mixed) multiplied(x *ir.Value) *ir.Value {
	if m.chance(4) {
		return m.b.Scale(x, float32(pick(m.Rand, 3, 5, -6))/4)
	}
	return x
}

// matrix is a linear of x, which has a bias or not.
func (m *mixed) matrix(name string, x *ir.Value, rows int) *ir.Value {
	return m.b.Linear(x, m.param(name+".weight", rows, x.Type.Width), m.maybe(name+".bias", rows))
}

// parts are linears of x, one by one or as slices of a single one.
func (m *mixed) parts(name string, x *ir.Value, widths ...int) []*ir.Value {
	if m.chance(2) {
		total := 0
		for _, w := range widths {
			total += w
		}
		return m.b.Split(m.matrix(name, x, total), widths...)
	}
	var list []*ir.Value
	for i, w := range widths {
		list = append(list, m.matrix(fmt.Sprintf("%s.%d", name, i), x, w))
	}
	return list
}

// norm is one of the norms of the stream; sometimes the embedding, too, comes
// into it.
func (m *mixed) norm(x *ir.Value) *ir.Value {
	b, n, name := m.b, m.Hidden, fmt.Sprintf("norm%d", m.norms)
	if m.norms++; m.chance(6) {
		n, x = 2*n, b.Concat(x, m.embedded)
	}
	switch m.turn(6) {
	case 0:
		return b.LayerNorm(x, m.param(name+".weight", n), m.maybe(name+".bias", n), 1e-3)
	case 1:
		return b.RMSNorm(x, nil, 1e-3)
	case 2:
		if group := n / m.divisor(n, 3); group > 1 {
			return b.GroupNorm(x, m.param(name+".weight", pick(m.Rand, n, group)), group, 1e-2)
		}
	}
	return b.RMSNorm(x, m.param(name+".weight", n), 1e-5)
}

// divisor is one of n, at most most.
func (m *mixed) divisor(n, most int) int {
	for {
		if d := m.upTo(most); n%d == 0 {
			return d
		}
	}
}

// heads is sizes of a scan, whose heads are of whole groups.
func (m *mixed) heads() (heads, dim, groups int) {
	groups = m.upTo(3)
	heads = groups * m.upTo(2)
	return heads, max(2, m.Inner/heads), groups
}

// mamba2 is block.Mamba2 with every option.
func (m *mixed) mamba2(x *ir.Value) *ir.Value {
	b, layer := m.b, m.layer
	heads, dim, groups := m.heads()
	inner, shared := heads*dim, groups*m.States
	p := m.parts("in_proj", x, inner, inner+2*shared, heads)
	z, xBC := p[0], p[1]
	if m.chance(3) { // the multipliers of parts
		u := b.Split(xBC, inner, shared, shared)
		xBC = b.Concat(b.Scale(u[0], 0.75), u[1], m.multiplied(u[2]))
	}
	window := b.State(layer+".conv", ir.Window, inner+2*shared, m.Taps-1)
	conv := b.Conv(xBC, m.param("conv1d.weight", inner+2*shared, 1, m.Taps), m.maybe("conv1d.bias", inner+2*shared), m.Taps, window)
	u := b.Split(b.Activate(conv, m.function()), inner, shared, shared)
	a, d := m.param("A_log", heads), m.param("D", heads)
	a.Transform = ir.NegExp
	scan := op.SSD{Heads: heads, HeadDim: dim, Groups: groups, States: m.States}
	switch m.turn(4) {
	case 0:
		scan.Low = 0.3
	case 1:
		scan.Low, scan.High = 0.2, 0.6
	}
	if m.chance(3) {
		d = m.param("D", inner)
	}
	y := b.SSD(scan, u[0], u[1], u[2], p[2], a, m.param("dt_bias", heads), d, b.State(layer+".ssm", ir.Recurrence, heads, dim, m.States))
	return m.matrix("out_proj", m.gatedNorm(y, z, groups), m.Hidden)
}

// gatedNorm is one of those, or the gate alone.
func (m *mixed) gatedNorm(y, z *ir.Value, groups int) *ir.Value {
	o := op.GatedNorm{Eps: 1e-3, NormFirst: m.chance(2)}
	switch m.turn(4) {
	case 0:
		return m.b.Mul(m.b.SiLU(z), y)
	case 1, 2:
		o.Group = y.Type.Width / groups
	}
	return m.b.GatedNorm(o, y, z, m.param("norm.weight", y.Type.Width))
}

// mamba3 is block.Mamba3 with every option.
func (m *mixed) mamba3(x *ir.Value) *ir.Value {
	b, layer := m.b, m.layer
	heads, dim, groups := m.heads()
	o := op.Mamba3{Heads: heads, HeadDim: dim, Groups: groups, States: max(2, m.States), Rank: pick(m.Rand, 1, 1, 2, 4), Floor: 1e-4, Softplus: m.chance(2)}
	o.Angles, o.Halved = m.upTo(o.States/2), o.States%2 == 0 && m.chance(2)
	inner, shared := heads*dim, o.Rank*groups*o.States
	p := m.b.Split(m.matrix("in_proj", x, 2*(inner+shared)+3*heads+o.Angles), inner, inner, shared, shared, heads, heads, heads, o.Angles)
	var mimo [3]*ir.Param
	if o.Rank > 1 || m.chance(2) {
		for i, name := range []string{"mimo_x", "mimo_z", "mimo_o"} {
			mimo[i] = m.param(name, heads, o.Rank, dim)
		}
	}
	p[2] = b.GroupNorm(p[2], m.param("B_norm.weight", o.States), o.States, 1e-3)
	p[3] = b.GroupNorm(p[3], m.param("C_norm.weight", o.States), o.States, 1e-3)
	y := b.Op(o, p[1:], []*ir.Param{m.param("dt_bias", heads), m.param("B_bias", heads, o.Rank, o.States), m.param("C_bias", heads, o.Rank, o.States),
		m.param("D", heads), mimo[0]}, []*ir.State{
		b.State(layer+".angles", ir.Recurrence, heads, o.Angles), b.State(layer+".ssm", ir.Recurrence, heads, dim, o.States),
		b.State(layer+".key", ir.Recurrence, heads, o.Rank, o.States), b.State(layer+".value", ir.Recurrence, heads, dim)})
	gate := op.Mamba3Gate{HeadDim: dim, Rank: o.Rank}
	var norm *ir.Param
	if m.chance(2) {
		gate.Norm, gate.Eps = true, 1e-3
		norm = m.param("norm.weight", inner)
	}
	return m.matrix("out_proj", b.Mamba3Gate(gate, y, p[0], mimo[1], mimo[2], norm), m.Hidden)
}

// attention is block.Attention with every option.
func (m *mixed) attention(x *ir.Value) *ir.Value {
	b, kv := m.b, m.upTo(3)
	o := op.Attention{Heads: kv * m.upTo(3), KVHeads: kv, HeadDim: m.headDim, Scale: 0.4, Window: pick(m.Rand, 0, 0, 1, 5, 30)}
	p := m.parts("qkv_proj", x, o.Heads*o.HeadDim, kv*o.HeadDim, kv*o.HeadDim)
	q, k := p[0], m.multiplied(p[1])
	if m.angles != nil {
		interleaved := m.chance(2)
		q, k = b.RoPE(q, m.angles, o.HeadDim, interleaved), b.RoPE(k, m.angles, o.HeadDim, interleaved)
	}
	keys, values := b.Cache(m.layer+".keys", o.Window, kv, o.HeadDim), b.Cache(m.layer+".values", o.Window, kv, o.HeadDim)
	return m.matrix("o_proj", b.Attention(o, q, k, p[2], keys, values), m.Hidden)
}

// function is the name of an activation.
func (m *mixed) function() string {
	return []string{"silu", "gelu", "gelu_tanh", "relu", "relu2", "sigmoid"}[m.IntN(6)]
}

// mlp is an MLP without a gate.
func (m *mixed) mlp(x *ir.Value) *ir.Value {
	return m.matrix("down_proj", m.b.Activate(m.matrix("up_proj", x, m.Inner), m.function()), m.Hidden)
}

// gated is one with a gate, as one op or as two.
func (m *mixed) gated(x *ir.Value) *ir.Value {
	p := m.parts("gate_up_proj", x, m.Inner, m.Inner)
	gate := m.multiplied(p[0])
	if m.chance(2) {
		return m.matrix("down_proj", m.b.Mul(p[1], m.b.Activate(gate, m.function())), m.Hidden)
	}
	return m.matrix("down_proj", m.b.GLU(gate, p[1], m.function()), m.Hidden)
}

// experts is a router of any kind, experts of any, and perhaps an MLP beside
// them.
func (m *mixed) experts(x *ir.Value) *ir.Value {
	b, groups := m.b, m.upTo(3)
	count := groups * m.upTo(3)
	o := op.Route{Kind: []string{"softmax", "softmax_renorm", "top_softmax", "sigmoid"}[m.IntN(4)], Top: m.upTo(min(count, 3)), Factor: 1}
	var bias *ir.Param
	if o.Kind == "sigmoid" {
		o.Groups, o.TopGroups, o.Renorm, o.Factor = groups, m.upTo(groups), m.chance(2), 1.5
		o.Top = min(o.Top, count/groups*o.TopGroups)
		bias = m.maybe("router.bias", count)
	}
	weights := b.Route(o, b.Linear(x, m.param("router.weight", count, x.Type.Width), nil), bias)
	e := op.Experts{Function: m.function(), Plain: m.chance(2), Top: o.Top}
	inner, rows := max(1, m.Inner/2), 2
	if e.Plain {
		rows = 1
	}
	given, out := x, m.Hidden
	if m.chance(3) { // a narrower stream
		given = m.matrix("latent_in", x, max(1, m.Hidden/2))
		out = given.Type.Width
	}
	y := b.Experts(e, given, weights, m.param("experts.in", rows*count*inner, given.Type.Width), m.param("experts.down", count*out, inner))
	if out != m.Hidden {
		y = m.matrix("latent_out", y, m.Hidden)
	}
	if m.chance(2) {
		y = b.Add(y, m.mlp(x))
	}
	return y
}
