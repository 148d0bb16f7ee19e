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
// fifteen instructions of arithmetic.
type scan1 struct {
	*asm
	kernel.Scan1
	channel, row    reg.GPVirtual    // byte offsets of the group: per channel, per channel and state
	y, u, dt, z, bc reg.GPVirtual    // of the token at hand
	a, d, bias, h   reg.GPVirtual    // of the group
	rate, q, acc    []reg.VecVirtual // Δ·log₂e, Δ·u and the sum of the group's channels
	constants       *expConstants
	powers          *exp2Constants
}

// groupBytes is one row of a group of channels.
const groupBytes = 4 * kernel.GroupChannels

func (s *scan1) emit() {
	groups, done, loop := s.integer("groups"), s.label("done"), s.label("group")
	s.TESTQ(groups, groups)
	s.JZ(operand.LabelRef(done))
	s.constants, s.powers = s.expConstants(), s.exp2Constants()
	s.channel, s.row = s.GP64(), s.GP64()
	s.XORQ(s.channel, s.channel)
	s.XORQ(s.row, s.row)
	s.legend("A group of 16 channels a turn.", holds("byte of its channels", s.channel), holds("byte of its states", s.row), holds("groups left", groups))
	s.Label(loop)
	s.channels()
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

// channels runs all tokens for one group.
func (s *scan1) channels() {
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
	s.token()
	s.nextToken()
	s.DECQ(n)
	s.JNZ(operand.LabelRef(loop))
	s.Label(next)
}

// vectors is the number of registers that hold a group's channels.
func (s *scan1) vectors() int { return kernel.GroupChannels / s.level.lanes }

// part is vector i of a row of the group.
func (s *scan1) part(row reg.GPVirtual, i int) operand.Mem {
	return operand.Mem{Base: row, Disp: i * s.bytes()}
}

// load reads the channels of the group.
func (s *scan1) load(row reg.GPVirtual) []reg.VecVirtual {
	list := s.vecs(s.vectors())
	for i, v := range list {
		s.VMOVUPS(s.part(row, i), v)
	}
	return list
}

// token computes the outputs of the group's channels.
func (s *scan1) token() {
	s.step()
	s.acc = s.vecs(s.vectors())
	for _, v := range s.acc {
		s.zero(v)
	}
	s.states()
	for i, in := range s.load(s.u) {
		s.VFMADD231PS(s.part(s.d, i), in, s.acc[i])
	}
	if s.Gate {
		gate := s.load(s.z)
		s.silu(gate, s.constants)
		for i, v := range gate {
			s.VMULPS(v, s.acc[i], s.acc[i])
		}
	}
	for i, v := range s.acc {
		s.VMOVUPS(v, s.part(s.y, i))
	}
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

// step computes what all states use of Δ.
func (s *scan1) step() {
	delta := s.load(s.dt)
	if s.Softplus {
		for i, v := range delta {
			s.VADDPS(s.part(s.bias, i), v, v)
		}
		s.softplus(delta, s.constants)
	}
	s.rate, s.q = delta, s.vecs(s.vectors())
	for i, v := range delta {
		s.VMULPS(s.part(s.u, i), v, s.q[i])
		s.VMULPS(s.constants.log2e, v, v)
	}
}

// states advances all states of the channels and adds h·C to acc: straight
// code for few states, a loop with the pointers set back after it for many.
func (s *scan1) states() {
	if s.States <= scanUnroll {
		s.run(s.States)
		return
	}
	turns, n, loop := s.States/scanUnroll, s.GP64(), s.label("state")
	s.MOVQ(operand.U32(uint32(turns)), n)
	s.legend("Sixteen states a turn.", holds("Δ·u", s.q...), holds("sum", s.acc...), holds("turns left", n))
	s.Label(loop)
	s.run(scanUnroll)
	s.ADDQ(operand.U32(scanUnroll*groupBytes), s.a)
	s.ADDQ(operand.U32(scanUnroll*groupBytes), s.h)
	s.ADDQ(operand.U32(4*scanUnroll), s.bc)
	s.DECQ(n)
	s.JNZ(operand.LabelRef(loop))
	s.run(s.States % scanUnroll)
	s.SUBQ(operand.U32(uint32(turns*scanUnroll*groupBytes)), s.a)
	s.SUBQ(operand.U32(uint32(turns*scanUnroll*groupBytes)), s.h)
	s.SUBQ(operand.U32(uint32(turns*4*scanUnroll)), s.bc)
}

// scanVectors is the number of vectors whose steps are emitted side by side.
const scanVectors = 2

// run advances n states: h ← 2^(r·a)·h + q·B, acc ← acc + h·C.
func (s *scan1) run(n int) {
	atOnce := scanVectors / s.vectors()
	for first := 0; first < n; first += atOnce {
		states := min(atOnce, n-first)
		t := s.vecs(states * s.vectors())
		for i := range states {
			for j, rate := range s.rate {
				s.VMULPS(s.part(s.a, (first+i)*s.vectors()+j), rate, t[i*s.vectors()+j])
			}
		}
		decays := s.exp2(t, s.powers)
		for i := range states {
			s.advance(first+i, decays[i*s.vectors():][:s.vectors()])
		}
	}
}

// advance updates one state, which takes the place of its decay.
func (s *scan1) advance(n int, state []reg.VecVirtual) {
	b := s.broadcast(s.bc, 4*(s.OffsetB+n))
	for i, v := range state {
		in := s.vec()
		s.VMULPS(s.q[i], b, in)
		h := s.part(s.h, n*s.vectors()+i)
		s.VFMADD132PS(h, in, v)
		s.VMOVUPS(v, h)
	}
	c := s.broadcast(s.bc, 4*(s.OffsetC+n))
	for i, v := range state {
		s.VFMADD231PS(c, v, s.acc[i])
	}
}
