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

// scan1 walks, per vector of channels, the tokens, and per token the states.
// The states rest in the first-level cache: a load and a store beside some
// twenty instructions of arithmetic.
type scan1 struct {
	*asm
	kernel.Scan1
	channel, row    reg.GPVirtual // byte offsets of the group: per channel, per channel and state
	y, u, dt, z, bc reg.GPVirtual // of the token at hand
	a, d, bias, h   reg.GPVirtual // of the group
	delta, q, acc   reg.VecVirtual
	constants       *expConstants
}

// groupBytes is one row of a group of channels.
const groupBytes = 4 * kernel.GroupChannels

func (s *scan1) emit() {
	groups, done, loop := s.integer("groups"), s.label("done"), s.label("group")
	s.TESTQ(groups, groups)
	s.JZ(operand.LabelRef(done))
	s.constants = s.expConstants()
	s.channel, s.row = s.GP64(), s.GP64()
	s.XORQ(s.channel, s.channel)
	s.XORQ(s.row, s.row)
	s.legend("A group of 16 channels a turn.", holds("byte of its channels", s.channel), holds("byte of its states", s.row), holds("groups left", groups))
	s.Label(loop)
	for half := 0; half < kernel.GroupChannels; half += s.level.lanes {
		s.channels(4 * half)
	}
	s.ADDQ(operand.U32(groupBytes), s.channel)
	s.ADDQ(operand.U32(uint32(groupBytes*s.States)), s.row)
	s.DECQ(groups)
	s.JNZ(operand.LabelRef(loop))
	s.Label(done)
}

// of is a parameter's pointer, moved to the group at hand.
func (s *scan1) of(name string, offset reg.GPVirtual) reg.GPVirtual {
	p := s.pointer(name)
	s.ADDQ(offset, p)
	return p
}

// channels runs all tokens for one vector of channels, at byte `at` of the
// group.
func (s *scan1) channels(at int) {
	next, loop, n := s.label("next"), s.label("token"), s.integer("tokens")
	s.TESTQ(n, n)
	s.JZ(operand.LabelRef(next))
	s.y, s.u, s.dt, s.bc = s.of("y", s.channel), s.of("u", s.channel), s.of("dt", s.channel), s.pointer("bc")
	s.a, s.d, s.h = s.of("a", s.row), s.of("d", s.channel), s.of("h", s.row)
	if s.Gate {
		s.z = s.of("z", s.channel)
	}
	if s.Softplus {
		s.bias = s.of("dtBias", s.channel)
	}
	s.legend("One token a turn.", holds("y", s.y), holds("u", s.u), holds("dt", s.dt), holds("z", s.z), holds("B and C", s.bc),
		holds("a", s.a), holds("d", s.d), holds("h", s.h), holds("tokens left", n))
	s.Label(loop)
	s.token(at)
	s.nextToken()
	s.DECQ(n)
	s.JNZ(operand.LabelRef(loop))
	s.Label(next)
}

// token computes one output vector.
func (s *scan1) token(at int) {
	s.q, s.acc = s.vec(), s.vec()
	s.step(at)
	s.VMULPS(operand.Mem{Base: s.u, Disp: at}, s.delta, s.q)
	s.zero(s.acc)
	s.states(at)
	in := s.vec()
	s.VMOVUPS(operand.Mem{Base: s.u, Disp: at}, in)
	s.VFMADD231PS(operand.Mem{Base: s.d, Disp: at}, in, s.acc)
	if s.Gate {
		gate := s.vec()
		s.VMOVUPS(operand.Mem{Base: s.z, Disp: at}, gate)
		s.VMULPS(s.silu(gate, s.constants), s.acc, s.acc)
	}
	s.VMOVUPS(s.acc, operand.Mem{Base: s.y, Disp: at})
}

// nextToken moves the pointers of the token.
func (s *scan1) nextToken() {
	move := func(p reg.GPVirtual, stride int) {
		if p != nil {
			s.ADDQ(operand.U32(uint32(4*stride)), p)
		}
	}
	move(s.y, s.StrideY)
	move(s.u, s.StrideU)
	move(s.dt, s.StrideD)
	move(s.z, s.StrideZ)
	move(s.bc, s.StrideBC)
}

// step computes Δ of the token at hand.
func (s *scan1) step(at int) {
	s.delta = s.vec()
	s.VMOVUPS(operand.Mem{Base: s.dt, Disp: at}, s.delta)
	if s.Softplus {
		s.VADDPS(operand.Mem{Base: s.bias, Disp: at}, s.delta, s.delta)
		s.delta = s.softplus(s.delta, s.constants)
	}
}

// states advances all states of the channels and adds h·C to acc: straight
// code for few states, a loop with the pointers set back after it for many.
func (s *scan1) states(at int) {
	if s.States <= scanUnroll {
		s.run(at, s.States)
		return
	}
	turns, n, loop := s.States/scanUnroll, s.GP64(), s.label("state")
	s.MOVQ(operand.U32(uint32(turns)), n)
	s.legend("Sixteen states a turn.", holds("Δ·u", s.q), holds("sum", s.acc), holds("turns left", n))
	s.Label(loop)
	s.run(at, scanUnroll)
	s.ADDQ(operand.U32(scanUnroll*groupBytes), s.a)
	s.ADDQ(operand.U32(scanUnroll*groupBytes), s.h)
	s.ADDQ(operand.U32(4*scanUnroll), s.bc)
	s.DECQ(n)
	s.JNZ(operand.LabelRef(loop))
	s.run(at, s.States%scanUnroll)
	s.SUBQ(operand.U32(uint32(turns*scanUnroll*groupBytes)), s.a)
	s.SUBQ(operand.U32(uint32(turns*scanUnroll*groupBytes)), s.h)
	s.SUBQ(operand.U32(uint32(turns*4*scanUnroll)), s.bc)
}

// scanAtOnce is the number of states whose steps are emitted side by side.
const scanAtOnce = 2

// run advances n states: h ← e^(Δ·a)·h + q·B, acc ← acc + h·C.
func (s *scan1) run(at, n int) {
	for first := 0; first < n; first += scanAtOnce {
		t := s.vecs(min(scanAtOnce, n-first))
		for i := range t {
			s.VMULPS(operand.Mem{Base: s.a, Disp: (first+i)*groupBytes + at}, s.delta, t[i])
		}
		for i, decay := range s.decays(t, s.constants) {
			s.advance(at, first+i, decay)
		}
	}
}

// advance updates one state.
func (s *scan1) advance(at, i int, decay reg.VecVirtual) {
	in, state := s.broadcast(s.bc, 4*(s.OffsetB+i)), s.vec()
	s.VMULPS(s.q, in, in)
	h := operand.Mem{Base: s.h, Disp: i*groupBytes + at}
	s.VMOVUPS(h, state)
	s.VFMADD213PS(in, decay, state)
	s.VMOVUPS(state, h)
	s.VFMADD231PS(s.broadcast(s.bc, 4*(s.OffsetC+i)), state, s.acc)
}
