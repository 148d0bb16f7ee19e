package arm64

import "github.com/mambac/mambac/codegen/kernel"

func init() {
	registerKind(
		func(s kernel.Scan1) bool { return s.States > 0 },
		func(a *asm, s kernel.Scan1) { (&scan1{asm: a, Scan1: s}).emit() },
	)
}

// groupBytes is one row of a group of channels.
const groupBytes = 4 * kernel.GroupChannels

// scan1 walks, per vector of channels, the tokens, and per token the states.
// The states rest in the first-level cache: a load and a store beside some
// twenty instructions of arithmetic.
type scan1 struct {
	*asm
	kernel.Scan1
	channel, row         general // bytes up to the vector at hand: per channel, per channel and state
	y, u, dt, z, bc      general // of the token at hand
	a, h, b, c           general // of the state at hand
	skip, bias           vector  // d, dtBias
	rate, q, acc, inputs vector  // Δ·log₂e, Δ·u, the sum, u
	rowB, rowC           vector  // B and C of four states
	constants            *expConstants
	powers               *exp2Constants
	softplusOf           *softplusConstants
}

func (s *scan1) emit() {
	groups, done := s.argument("groups"), s.label("done")
	s.ifZero(groups, done)
	s.constants, s.powers = s.expConstants(), s.exp2Constants()
	if s.Softplus {
		s.softplusOf = s.softplusConstants()
		s.bias = s.vec()
	}
	s.channel, s.row = s.gp(), s.gp()
	s.set(0, s.channel)
	s.set(0, s.row)
	s.skip, s.rate, s.q, s.acc, s.inputs, s.rowB, s.rowC = s.vec(), s.vec(), s.vec(), s.vec(), s.vec(), s.vec(), s.vec()
	group, vectors, loop := s.label("group"), s.gp(), s.label("channels")
	s.legend("A group of 16 channels a turn.", holds("byte of its states", s.row), holds("groups left", groups))
	s.place(group)
	s.set(kernel.GroupChannels/lanes, vectors)
	s.legend("A vector of channels a turn.", holds("byte of its channels", s.channel), holds("byte of its states", s.row), holds("vectors left", vectors))
	s.place(loop)
	s.channels()
	s.addConstant(4*lanes, s.channel)
	s.addConstant(4*lanes, s.row)
	s.countdown(vectors, loop)
	s.addConstant(groupBytes*(s.States-1), s.row)
	s.countdown(groups, group)
	s.place(done)
}

// of is a parameter's pointer, moved by the bytes in a register.
func (s *scan1) of(name string, offset general) general {
	p := s.argument(name)
	s.add(offset, p)
	return p
}

// channels runs all tokens for one vector of channels.
func (s *scan1) channels() {
	next, loop, n := s.label("next"), s.label("token"), s.argument("tokens")
	s.ifZero(n, next)
	s.constant("d", s.skip)
	if s.Softplus {
		s.constant("dtBias", s.bias)
	}
	s.y, s.u, s.dt, s.bc = s.of("y", s.channel), s.of("u", s.channel), s.of("dt", s.channel), s.argument("bc")
	pointers := []general{s.y, s.u, s.dt, s.bc}
	strides := []int{s.StrideY, s.StrideU, s.StrideD, s.StrideBC}
	if s.Gate {
		s.z = s.of("z", s.channel)
		pointers, strides = append(pointers, s.z), append(strides, s.StrideZ)
	}
	s.a, s.h, s.b, s.c = s.of("a", s.row), s.of("h", s.row), s.gp(), s.gp()
	s.legend("One token a turn.", holds("y", s.y), holds("u", s.u), holds("dt", s.dt), holds("z", pointers[4:]...), holds("B and C", s.bc),
		holds("a", s.a), holds("h", s.h), holds("d", s.skip), holds("tokens left", n))
	s.place(loop)
	s.token()
	for i, p := range pointers {
		s.addConstant(4*strides[i], p)
	}
	s.countdown(n, loop)
	s.place(next)
	s.freeGP(append(pointers, s.a, s.h, s.b, s.c, n)...)
}

// constant loads what the channels have for all tokens.
func (s *scan1) constant(name string, v vector) {
	p := s.of(name, s.channel)
	s.loadVector(p, 0, v)
	s.freeGP(p)
}

// token computes one output vector.
func (s *scan1) token() {
	delta := s.rate
	s.loadVector(s.dt, 0, delta)
	if s.Softplus {
		s.fadd(delta, s.bias, delta)
		s.softplus(delta, s.softplusOf, s.constants)
	}
	s.loadVector(s.u, 0, s.inputs)
	s.fmul(delta, s.inputs, s.q)
	s.fmul(delta, s.constants.log2e, s.rate)
	s.zero(s.acc)
	s.states()
	s.fmla(s.inputs, s.skip, s.acc)
	if s.Gate {
		gate := s.vec()
		s.loadVector(s.z, 0, gate)
		s.silu([]vector{gate}, s.constants)
		s.fmul(s.acc, gate, s.acc)
		s.free(gate)
	}
	s.storeVector(s.acc, s.y, 0)
}

// states advances all states of the channels and adds h·C to acc: a loop over
// four at a time, with the pointers set back after it.
func (s *scan1) states() {
	s.offset(s.bc, 4*s.OffsetB, s.b)
	s.offset(s.bc, 4*s.OffsetC, s.c)
	turns := s.States / lanes
	if turns == 0 {
		s.run(s.States)
		return
	}
	n, loop := s.gp(), s.label("state")
	s.set(turns, n)
	s.legend("Four states a turn.", holds("Δ·log₂e", s.rate), holds("Δ·u", s.q), holds("sum", s.acc), holds("B", s.rowB), holds("C", s.rowC), holds("turns left", n))
	s.place(loop)
	s.run(lanes)
	s.addConstant(lanes*groupBytes, s.a)
	s.addConstant(lanes*groupBytes, s.h)
	s.countdown(n, loop)
	s.freeGP(n)
	s.run(s.States % lanes)
	s.sub(turns*lanes*groupBytes, s.a)
	s.sub(turns*lanes*groupBytes, s.h)
}

// scanAtOnce is the number of states whose steps are emitted side by side.
const scanAtOnce = 2

// run advances n states, at most as many as a register has lanes:
// h ← 2^(r·a)·h + q·B, acc ← acc + h·C.
func (s *scan1) run(n int) {
	s.loadLanes(s.b, n, s.rowB)
	s.loadLanes(s.c, n, s.rowC)
	for first := 0; first < n; first += scanAtOnce {
		decay := s.vecs(min(scanAtOnce, n-first))
		for i, v := range decay {
			s.loadVector(s.a, (first+i)*groupBytes, v)
			s.fmul(v, s.rate, v)
		}
		s.exp2(decay, s.powers, s.constants)
		for i, v := range decay {
			s.advance(first+i, v)
		}
		s.free(decay...)
	}
}

// advance updates one state.
func (s *scan1) advance(i int, decay vector) {
	h, state := s.vec(), s.vec()
	s.loadVector(s.h, i*groupBytes, h)
	s.fmulLane(s.q, element{s.rowB, i}, state)
	s.fmla(h, decay, state)
	s.storeVector(state, s.h, i*groupBytes)
	s.fmlaLane(state, element{s.rowC, i}, s.acc)
	s.free(h, state)
}
