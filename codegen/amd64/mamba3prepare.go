package amd64

import (
	"math"
	"strconv"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() {
	registerKind("mamba3prepare", emitter{
		supports: func(_ *Level, s kernel.Spec) bool {
			m := s.(kernel.Mamba3Prepare)
			return m.HeadDim > 0 && m.States > 0
		},
		emit: func(a *asm, s kernel.Spec) {
			(&mamba3Prepare{asm: a, Mamba3Prepare: s.(kernel.Mamba3Prepare), ready: s.(kernel.Mamba3Prepare).Ready()}).emit()
		},
	})
}

// mamba3Prepare walks the heads and for each the tokens. There are more arrays
// than registers for pointers, so a token's are found anew from the numbers of
// token and head.
type mamba3Prepare struct {
	asm *asm
	kernel.Mamba3Prepare
	ready       kernel.Mamba3Ready
	head, token reg.GPVirtual
	group       *headGroups
	constants   *expConstants
	neighbours  *neighbours // of interleaved pairs
}

func (m *mamba3Prepare) emit() {
	a := m.asm
	done, head, token := a.label("done"), a.label("head"), a.label("token")
	for _, name := range []string{"heads", "tokens"} {
		n := a.integer(name)
		a.TESTQ(n, n)
		a.JZ(operand.LabelRef(done))
	}
	m.constants = a.expConstants()
	if !m.Halved {
		m.neighbours = a.neighbours()
	}
	m.still()
	m.head, m.token, m.group = a.GP64(), a.GP64(), a.headGroups(m.PerGroup, m.States)
	a.XORQ(m.head, m.head)
	a.legend("A head a turn.", holds("its number", m.head), holds("byte of its B and C", m.group.offset), holds("heads left of the group", m.group.left))
	a.Label(head)
	a.XORQ(m.token, m.token)
	a.legend("A token a turn.", holds("its number", m.token))
	a.Label(token)
	m.one()
	m.next(m.token, "tokens", token)
	m.group.next()
	m.next(m.head, "heads", head)
	a.Label(done)
}

// next counts, and goes on while there are more.
func (m *mamba3Prepare) next(n reg.GPVirtual, of, loop string) {
	a := m.asm
	a.INCQ(n)
	a.CMPQ(n, a.integer(of))
	a.JLT(operand.LabelRef(loop))
}

// still fills the cosines and sines of the pairs that no vector of angles
// reaches: they are not turned.
func (m *mamba3Prepare) still() {
	a := m.asm
	reached := (m.Angles + a.level.lanes - 1) / a.level.lanes * a.level.lanes
	if reached >= m.Scratch()/2 {
		return
	}
	p, one, zero := a.pointer("scratch"), a.constantVec(a.float("one", 1)), a.vec()
	a.zero(zero)
	for i := reached; i < m.Scratch()/2; i += a.level.lanes {
		a.VMOVUPS(one, operand.Mem{Base: p, Disp: 4 * i})
		a.VMOVUPS(zero, operand.Mem{Base: p, Disp: m.sines() + 4*i})
	}
}

// sines is where they lie in scratch, behind the cosines, in bytes.
func (m *mamba3Prepare) sines() int { return 2 * m.Scratch() }

// at points to what the token and the head at hand have of an array.
func (m *mamba3Prepare) at(name string, perToken, perHead int) reg.GPVirtual {
	a := m.asm
	p := a.pointer(name)
	for _, part := range []struct {
		floats int
		number reg.GPVirtual
	}{{perToken, m.token}, {perHead, m.head}} {
		if part.floats > 0 {
			by := a.GP64()
			a.IMUL3Q(operand.U32(uint32(4*part.floats)), part.number, by)
			a.ADDQ(by, p)
		}
	}
	return p
}

// scalar is a number of the token and head at hand in every lane.
func (m *mamba3Prepare) scalar(name string, stride int) reg.VecVirtual {
	return m.asm.broadcast(m.at(name, stride, 1), 0)
}

// row points to what is made ready.
func (m *mamba3Prepare) row() reg.GPVirtual { return m.at("ready", m.StrideReady, m.ready.Floats()) }

// one makes ready what one token has for one head.
func (m *mamba3Prepare) one() {
	a := m.asm
	delta := m.scalar("dt", m.StrideD)
	a.VADDPS(m.scalar("dtBias", 0), delta, delta)
	a.softplus([]reg.VecVirtual{delta}, m.constants)
	m.turn(delta)
	before, now := m.weights(delta)
	for r := range m.Rank {
		m.inputs(r, before, now)
	}
	for r := range m.Rank {
		m.rotate("b", "biasB", m.StrideB, r, m.ready.Key(m.Rank+r), true)
		m.rotate("c", "biasC", m.StrideC, r, m.ready.Query(r), false)
	}
}

// turn moves the angles of the head on, and leaves their cosines and sines in
// scratch.
func (m *mamba3Prepare) turn(delta reg.VecVirtual) {
	a := m.asm
	theta, angle, scratch := m.at("theta", 0, m.Angles), m.at("angle", m.StrideAngle, 0), a.pointer("scratch")
	a.run(m.Angles, 1).each("Angles, a vector a turn.", func(_ int, present tailMask, at element) {
		by := a.load(present, at(angle, 0))
		a.tanh(by, m.constants)
		a.VMULPS(a.float("pi", math.Pi), by, by)
		a.VMULPS(delta, by, by)
		a.VADDPS(a.load(present, at(theta, 0)), by, by)
		a.circled(by)
		a.store(present, by, at(theta, 0))
		sin, cos := a.sincos(by)
		a.VMOVUPS(cos, at(scratch, 0))
		a.VMOVUPS(sin, at(scratch, m.sines()))
	}, holds("angles", theta), holds("by what", angle), holds("cosines and sines", scratch))
}

// weights are those of the previous token's inputs, (1−λ)·Δ·decay, and of this
// one's, λ·Δ. The decay is put into the row.
func (m *mamba3Prepare) weights(delta reg.VecVirtual) (before, now reg.VecVirtual) {
	a := m.asm
	rate := m.rate()
	a.VMULPS(delta, rate, rate)
	a.VXORPS(a.constant32("signBit", 1<<31), rate, rate)
	decay := a.exp([]reg.VecVirtual{rate}, m.constants)[0]
	a.VMOVSS(decay.AsX(), operand.Mem{Base: m.row(), Disp: 4 * m.ready.Update().Decay()})
	lambda := m.scalar("trap", m.StrideT)
	a.sigmoid(lambda, m.constants)
	before, now = a.vec(), a.vec()
	a.VMOVUPS(m.constants.one, before)
	a.VSUBPS(lambda, before, before)
	a.VMULPS(delta, before, before)
	a.VMULPS(decay, before, before)
	a.VMULPS(delta, lambda, now)
	return before, now
}

// rate is −A.
func (m *mamba3Prepare) rate() reg.VecVirtual {
	a := m.asm
	rate := m.scalar("a", m.StrideA)
	if m.Softplus {
		a.softplus([]reg.VecVirtual{rate}, m.constants)
	} else {
		zero, below, one := a.vec(), a.vec(), a.vec()
		a.zero(zero)
		a.VMINPS(rate, zero, below)
		a.VMOVUPS(m.constants.one, one)
		a.VSUBPS(below, one, below)
		a.VDIVPS(below, one, below)
		a.VMAXPS(rate, zero, rate)
		a.VADDPS(below, rate, rate)
	}
	a.VMAXPS(a.float("floor"+strconv.FormatUint(uint64(m.FloorBits), 16), m.Floor()), rate, rate)
	return rate
}

// inputs makes the inputs and the skip of a rank, and behind the last one keeps x.
func (m *mamba3Prepare) inputs(r int, before, now reg.VecVirtual) {
	a, update := m.asm, m.ready.Update()
	x, v, row, d := m.at("x", m.StrideX, m.HeadDim), m.at("v", 0, m.HeadDim), m.row(), m.scalar("d", 0)
	var by reg.GPVirtual
	if m.Mimo {
		by = m.at("mimo", 0, m.Rank*m.HeadDim)
	}
	elements := a.run(m.HeadDim, 1)
	elements.each("Elements of the head, a vector a turn.", func(_ int, present tailMask, at element) {
		in, last := a.load(present, at(x, 0)), a.load(present, at(v, 0))
		if r == m.Rank-1 {
			a.store(present, in, at(v, 0))
		}
		if m.Mimo {
			factor := a.load(present, at(by, 4*r*m.HeadDim))
			a.VMULPS(factor, in, in)
			a.VMULPS(factor, last, last)
		}
		for _, p := range []struct {
			value, weight reg.VecVirtual
			to            int
		}{{last, before, r * update.Rows()}, {in, now, (m.Rank + r) * update.Rows()}, {in, d, update.Skip(r)}} {
			product := a.vec()
			a.VMULPS(p.weight, p.value, product)
			a.keep(present, product)
			a.VMOVUPS(product, at(row, 4*p.to))
		}
	}, holds("x", x), holds("the previous x", v), holds("what is made ready", row))
	m.pad(row, r)
}

// pad clears the vector of a group of rows that no element of the head reaches.
func (m *mamba3Prepare) pad(row reg.GPVirtual, r int) {
	a, update := m.asm, m.ready.Update()
	for i := (m.HeadDim + a.level.lanes - 1) / a.level.lanes; i < update.Rows()/a.level.lanes; i++ {
		zero := a.vec()
		a.zero(zero)
		for _, at := range []int{r * update.Rows(), (m.Rank + r) * update.Rows(), update.Skip(r)} {
			a.VMOVUPS(zero, operand.Mem{Base: row, Disp: 4*at + i*a.bytes()})
		}
	}
}

// rotate makes a key or a query of a rank, float to of the row. A key is kept, and
// the one of the previous token put before it.
func (m *mamba3Prepare) rotate(name, bias string, stride, r, to int, key bool) {
	a := m.asm
	v := &vectorOf{source: m.at(name, stride, 0), bias: m.at(bias, 0, m.Rank*m.States), row: m.row(), cosines: a.pointer("scratch")}
	a.ADDQ(m.group.offset, v.source)
	v.from, v.rank, v.to = 4*r*m.Groups*m.States, 4*r*m.States, 4*to
	if key {
		v.kept, v.previous = m.at("k", 0, m.Rank*m.States), 4*m.ready.Key(r)
	}
	roles := []role{holds(name, v.source), holds("its bias", v.bias), holds("what is kept of it", v.kept),
		holds("what is made ready", v.row), holds("cosines and sines", v.cosines)}
	if m.Halved {
		m.rotateHalves(v, roles)
	} else {
		m.rotateNeighbours(v, roles)
	}
}

// vectorOf is where a key or a query comes from and goes to; displacements are in
// bytes.
type vectorOf struct {
	source, bias, row, cosines reg.GPVirtual
	kept                       reg.GPVirtual // nil for a query
	from, rank, to, previous   int
}

func (m *mamba3Prepare) rotateHalves(v *vectorOf, roles []role) {
	a, half := m.asm, 2*m.States
	a.run(m.States/2, 1).each("Pairs, a vector of each half a turn.", func(_ int, present tailMask, at element) {
		low, high := m.biased(v, present, at, 0), m.biased(v, present, at, half)
		cos, sin := a.vec(), a.vec()
		a.VMOVUPS(at(v.cosines, 0), cos)
		a.VMOVUPS(at(v.cosines, m.sines()), sin)
		first, second := a.turned(cos, sin, low, high)
		m.put(v, present, at, 0, first)
		m.put(v, present, at, half, second)
	}, roles...)
}

func (m *mamba3Prepare) rotateNeighbours(v *vectorOf, roles []role) {
	a := m.asm
	a.legend("A vector of pairs a turn.", roles...)
	m.neighbours.each(m.States, a.tail(m.States%a.level.lanes, 1)[0], tailMask{all: true}, func(present, angles tailMask, at, angle element) {
		x := m.biased(v, present, at, 0)
		m.put(v, present, at, 0, m.neighbours.turn(x, angles, angle(v.cosines, 0), angle(v.cosines, m.sines())))
	})
}

// biased loads a vector and adds the bias.
func (m *mamba3Prepare) biased(v *vectorOf, present tailMask, at element, displacement int) reg.VecVirtual {
	x := m.asm.load(present, at(v.source, v.from+displacement))
	m.asm.VADDPS(m.asm.load(present, at(v.bias, v.rank+displacement)), x, x)
	return x
}

// put stores a vector that was turned.
func (m *mamba3Prepare) put(v *vectorOf, present tailMask, at element, displacement int, turned reg.VecVirtual) {
	a := m.asm
	if v.kept != nil {
		kept := at(v.kept, v.rank+displacement)
		a.store(present, a.load(present, kept), at(v.row, v.previous+displacement))
		a.store(present, turned, kept)
	}
	a.store(present, turned, at(v.row, v.to+displacement))
}
