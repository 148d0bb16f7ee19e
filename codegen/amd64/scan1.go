package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() {
	registerKind("scan1", emitter{
		supports: func(_ *Level, s kernel.Spec) bool { return s.(kernel.Scan1).States > 0 },
		emit:     func(a *asm, s kernel.Spec) { (&scan1{asm: a, Scan1: s.(kernel.Scan1)}).emit() },
	})
}

// scanUnroll is the number of states of one turn of the loop over states; up
// to it there is no loop.
const scanUnroll = 16

// scan1 walks, per group of channels, the tokens, and per token the states.
// The states rest in the first-level cache: a load and a store beside some
// fifteen instructions of arithmetic. What depends on no state is computed for
// all tokens before: the long chains of softplus and silu would fill the
// processor's queues, and the states of the next token would wait.
type scan1 struct {
	asm *asm
	kernel.Scan1
	channel, row    reg.GPVirtual    // byte offsets of the group: per channel, per channel and state
	y, u, dt, z, bc reg.GPVirtual    // of the token at hand
	ready           reg.GPVirtual    // r, q and gate of the token at hand
	a, d, bias, h   reg.GPVirtual    // of the group
	acc             []reg.VecVirtual // the sum of the group's channels
	powers          *exp2Constants
}

// groupBytes is one row of a group of channels.
const groupBytes = 4 * kernel.GroupChannels

func (s *scan1) emit() {
	groups, done, loop := s.asm.integer("groups"), s.asm.label("done"), s.asm.label("group")
	s.asm.TESTQ(groups, groups)
	s.asm.JZ(operand.LabelRef(done))
	s.channel, s.row = s.asm.GP64(), s.asm.GP64()
	s.asm.XORQ(s.channel, s.channel)
	s.asm.XORQ(s.row, s.row)
	s.asm.legend("A group of 16 channels a turn.", holds("byte of its channels", s.channel), holds("byte of its states", s.row), holds("groups left", groups))
	s.asm.Label(loop)
	s.channels()
	s.asm.ADDQ(operand.U32(groupBytes), s.channel)
	s.asm.ADDQ(operand.U32(uint32(groupBytes*s.States)), s.row)
	s.asm.DECQ(groups)
	s.asm.JNZ(operand.LabelRef(loop))
	s.asm.Label(done)
}

// channels runs all tokens for one group, twice: what depends on no state, then
// the states.
func (s *scan1) channels() {
	s.prepareAll()
	s.y, s.u, s.bc, s.ready = s.asm.pointerFrom("y", s.channel), s.asm.pointerFrom("u", s.channel), s.asm.pointer("bc"), s.asm.pointer("scratch")
	s.a, s.d, s.h = s.asm.pointerFrom("a", s.row), s.asm.pointerFrom("d", s.channel), s.asm.pointerFrom("h", s.row)
	s.powers = s.asm.exp2Constants()
	moves := []move{{s.y, s.StrideY}, {s.u, s.StrideU}, {s.bc, s.StrideBC}, {s.ready, readyFloats}}
	s.asm.tokens("One token a turn.", moves, nil, s.token, holds("y", s.y), holds("u", s.u), holds("r, q, gate", s.ready),
		holds("B and C", s.bc), holds("a", s.a), holds("d", s.d), holds("h", s.h))
}

// readyFloats is what scratch holds of a token: r, q and the gate.
const readyFloats = 3 * kernel.GroupChannels

// prepareAll computes r, q and the gate of all tokens.
func (s *scan1) prepareAll() {
	s.ready, s.u, s.dt = s.asm.pointer("scratch"), s.asm.pointerFrom("u", s.channel), s.asm.pointerFrom("dt", s.channel)
	moves := []move{{s.ready, readyFloats}, {s.u, s.StrideU}, {s.dt, s.StrideD}}
	if s.Softplus {
		s.bias = s.asm.pointerFrom("dtBias", s.channel)
	}
	if s.Gate {
		s.z = s.asm.pointerFrom("z", s.channel)
		moves = append(moves, move{s.z, s.StrideZ})
	}
	k := s.asm.expConstants()
	s.asm.tokens("What of a token depends on no state.", moves, nil, func() { s.prepare(k) },
		holds("u", s.u), holds("dt", s.dt), holds("its bias", s.bias), holds("z", s.z), holds("r, q, gate", s.ready))
}

// prepare computes r, q and the gate of one token.
func (s *scan1) prepare(k *expConstants) {
	s.asm.askToken(s.u, s.StrideU)
	s.asm.askToken(s.dt, s.StrideD)
	if s.Gate {
		s.asm.askToken(s.z, s.StrideZ)
	}
	delta := s.load(s.dt)
	if s.Softplus {
		for i, v := range delta {
			s.asm.VADDPS(s.part(s.bias, i), v, v)
		}
		s.asm.softplus(delta, k)
	}
	for i, v := range delta {
		q := s.asm.vec()
		s.asm.VMULPS(s.part(s.u, i), v, q)
		s.asm.VMOVUPS(q, s.q(i))
		s.asm.VMULPS(k.log2e, v, v)
		s.asm.VMOVUPS(v, s.rate(i))
	}
	if s.Gate {
		gate := s.load(s.z)
		s.asm.silu(gate, k)
		for i, v := range gate {
			s.asm.VMOVUPS(v, s.gate(i))
		}
	}
}

// rate, q and gate are vector i of what scratch holds of a token.
func (s *scan1) rate(i int) operand.Mem { return s.part(s.ready, i) }
func (s *scan1) q(i int) operand.Mem    { return s.part(s.ready, s.vectors()+i) }
func (s *scan1) gate(i int) operand.Mem { return s.part(s.ready, 2*s.vectors()+i) }

// vectors is the number of registers that hold a group's channels.
func (s *scan1) vectors() int { return kernel.GroupChannels / s.asm.level.lanes }

// part is vector i of a row of the group.
func (s *scan1) part(row reg.GPVirtual, i int) operand.Mem {
	return operand.Mem{Base: row, Disp: i * s.asm.bytes()}
}

// load reads the channels of the group.
func (s *scan1) load(row reg.GPVirtual) []reg.VecVirtual {
	list := s.asm.vecs(s.vectors())
	for i, v := range list {
		s.asm.VMOVUPS(s.part(row, i), v)
	}
	return list
}

// token computes the outputs of the group's channels.
func (s *scan1) token() {
	s.acc = s.asm.zeros(s.vectors())
	s.states()
	for i, in := range s.load(s.u) {
		s.asm.VFMADD231PS(s.part(s.d, i), in, s.acc[i])
	}
	for i, v := range s.acc {
		if s.Gate {
			s.asm.VMULPS(s.gate(i), v, v)
		}
		s.asm.VMOVUPS(v, s.part(s.y, i))
	}
}

// states advances all states of the channels and adds h·C to acc: straight
// code for few states, a loop with the pointers set back after it for many.
func (s *scan1) states() {
	if s.States <= scanUnroll {
		s.run(s.States)
		return
	}
	turns, n, loop := s.States/scanUnroll, s.asm.GP64(), s.asm.label("state")
	s.asm.MOVQ(operand.U32(uint32(turns)), n)
	s.asm.legend("Sixteen states a turn.", holds("sums", s.acc...), holds("turns left", n))
	s.asm.Label(loop)
	s.run(scanUnroll)
	s.asm.ADDQ(operand.U32(scanUnroll*groupBytes), s.a)
	s.asm.ADDQ(operand.U32(scanUnroll*groupBytes), s.h)
	s.asm.ADDQ(operand.U32(4*scanUnroll), s.bc)
	s.asm.DECQ(n)
	s.asm.JNZ(operand.LabelRef(loop))
	s.run(s.States % scanUnroll)
	s.asm.SUBQ(operand.U32(uint32(turns*scanUnroll*groupBytes)), s.a)
	s.asm.SUBQ(operand.U32(uint32(turns*scanUnroll*groupBytes)), s.h)
	s.asm.SUBQ(operand.U32(uint32(turns*4*scanUnroll)), s.bc)
}

// scanVectors is the number of vectors whose steps are emitted side by side.
const scanVectors = 4

// run advances n states: h ← 2^(r·a)·h + q·B, acc ← acc + h·C.
func (s *scan1) run(n int) {
	atOnce := scanVectors / s.vectors()
	for first := 0; first < n; first += atOnce {
		states := min(atOnce, n-first)
		t := s.asm.vecs(states * s.vectors())
		for i := range states {
			for j := range s.vectors() {
				v := t[i*s.vectors()+j]
				s.asm.VMOVUPS(s.part(s.a, (first+i)*s.vectors()+j), v)
				s.asm.VMULPS(s.rate(j), v, v)
			}
		}
		decays := s.asm.exp2(t, s.powers)
		for i := range states {
			s.advance(first+i, decays[i*s.vectors():][:s.vectors()])
		}
	}
}

// advance updates one state, which takes the place of its decay.
func (s *scan1) advance(n int, state []reg.VecVirtual) {
	b := s.asm.broadcast(s.bc, 4*(s.OffsetB+n))
	for i, v := range state {
		in := s.asm.vec()
		s.asm.VMULPS(s.q(i), b, in)
		h := s.part(s.h, n*s.vectors()+i)
		s.asm.VFMADD132PS(h, in, v)
		s.asm.VMOVUPS(v, h)
	}
	c := s.asm.broadcast(s.bc, 4*(s.OffsetC+n))
	for i, v := range state {
		s.asm.VFMADD231PS(c, v, s.acc[i])
	}
}
