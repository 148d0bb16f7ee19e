package amd64

import (
	"strconv"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() {
	registerKind("ssd", emitter{
		supports: func(l *Level, s kernel.Spec) bool { return updateFits(l, s.(kernel.SSD).Update()) },
		emit:     func(a *asm, s kernel.Spec) { (&ssd{asm: a, SSD: s.(kernel.SSD)}).emit() },
	})
}

// ssd walks the heads; for each, what depends on no state is computed for all
// tokens, then the states are.
type ssd struct {
	asm *asm
	kernel.SSD
	head, channel, state reg.GPVirtual // byte offsets of the head: in dt, in u, in h
}

func (s *ssd) emit() {
	heads, done, loop := s.asm.integer("heads"), s.asm.label("done"), s.asm.label("head")
	s.asm.TESTQ(heads, heads)
	s.asm.JZ(operand.LabelRef(done))
	s.head, s.channel, s.state = s.asm.GP64(), s.asm.GP64(), s.asm.GP64()
	for _, r := range []reg.GPVirtual{s.head, s.channel, s.state} {
		s.asm.XORQ(r, r)
	}
	group := s.asm.headGroups(s.PerGroup, s.States)
	s.asm.legend("A head a turn.", holds("byte of its dt", s.head), holds("byte of its channels", s.channel),
		holds("byte of its states", s.state), holds("byte of its B and C", group.offset), holds("heads left", heads),
		holds("heads left of the group", group.left))
	s.asm.Label(loop)
	s.prepareAll()
	u := &update{asm: s.asm, Update: s.Update(), state: s.state, inputs: []int{s.OffsetB}, queries: []int{s.OffsetC}}
	u.ready, u.keys, u.y = source{"scratch", nil, u.Floats()}, source{"bc", group.offset, s.StrideBC}, source{"y", s.channel, s.StrideY}
	u.head()
	s.asm.ADDQ(operand.U32(4), s.head)
	s.asm.ADDQ(operand.U32(uint32(4*s.HeadDim)), s.channel)
	s.asm.ADDQ(operand.U32(uint32(u.headBytes())), s.state)
	group.next()
	s.asm.DECQ(heads)
	s.asm.JNZ(operand.LabelRef(loop))
	s.asm.Label(done)
}

// prepareAll computes Δ·u, d·u and the decay of all tokens.
func (s *ssd) prepareAll() {
	ready, u, dt := s.asm.pointer("scratch"), s.asm.pointerFrom("u", s.channel), s.asm.pointerFrom("dt", s.head)
	var of *preparation
	s.asm.tokens("What of a token depends on no state.", []move{{ready, s.Update().Floats()}, {u, s.StrideU}, {dt, s.StrideD}},
		func() { of = s.preparation() }, func() { s.prepare(of, ready, u, dt) },
		holds("it", ready), holds("u", u), holds("dt", dt))
}

// preparation is what is the same for all tokens of a head.
type preparation struct {
	constants *expConstants
	bias, a   reg.VecVirtual
	d         func(i int, m tailMask) operand.Op
	masks     []tailMask
}

func (s *ssd) preparation() *preparation {
	return &preparation{s.asm.expConstants(), s.asm.broadcast(s.asm.pointerFrom("dtBias", s.head), 0),
		s.asm.broadcast(s.asm.pointerFrom("a", s.head), 0), s.skip(), s.masks()}
}

// prepare computes Δ·u, d·u and the decay of one token.
func (s *ssd) prepare(of *preparation, ready, u, dt reg.GPVirtual) {
	s.asm.askToken(u, s.StrideU)
	s.asm.askToken(dt, s.StrideD)
	delta := s.asm.broadcast(dt, 0)
	s.asm.VADDPS(of.bias, delta, delta)
	s.asm.softplus([]reg.VecVirtual{delta}, of.constants)
	s.clamp(delta)
	s.products(ready, u, delta, of.d, of.masks)
	s.asm.VMULPS(of.a, delta, delta)
	decay := s.asm.exp([]reg.VecVirtual{delta}, of.constants)[0]
	s.asm.VMOVSS(decay.AsX(), operand.Mem{Base: ready, Disp: 4 * s.Update().Decay()})
}

// skip is d of the head's elements.
func (s *ssd) skip() func(i int, m tailMask) operand.Op {
	if s.Elements {
		p := s.asm.pointerFrom("d", s.channel)
		return func(i int, m tailMask) operand.Op {
			return s.asm.load(m, operand.Mem{Base: p, Disp: i * s.asm.bytes()})
		}
	}
	d := s.asm.broadcast(s.asm.pointerFrom("d", s.head), 0)
	return func(int, tailMask) operand.Op { return d }
}

// clamp keeps Δ between its bounds. Max and min return the first operand here
// where one is NaN.
func (s *ssd) clamp(delta reg.VecVirtual) {
	if s.LowBits != 0 {
		s.asm.VMAXPS(delta, s.bound(s.LowBits), delta)
	}
	if s.HighBits != 0 {
		s.asm.VMINPS(delta, s.bound(s.HighBits), delta)
	}
}

func (s *ssd) bound(bits uint32) reg.VecVirtual {
	return s.asm.constantVec(s.asm.constant32("bound"+strconv.FormatUint(uint64(bits), 16), bits))
}

// masks selects the elements of a head among those of its groups.
func (s *ssd) masks() []tailMask {
	rest := s.HeadDim % kernel.GroupChannels
	whole := wholeVectors((s.HeadDim - rest) / s.asm.level.lanes)
	return append(whole, s.asm.tail(rest, kernel.PadGroup(rest)/s.asm.level.lanes)...)
}

// products computes Δ·u and d·u of a token's elements.
func (s *ssd) products(ready, u reg.GPVirtual, delta reg.VecVirtual, d func(int, tailMask) operand.Op, masks []tailMask) {
	for i, m := range masks {
		in, w := s.asm.vec(), s.asm.vec()
		if m.none {
			s.asm.zero(in)
			s.asm.zero(w)
		} else {
			in = s.asm.load(m, operand.Mem{Base: u, Disp: i * s.asm.bytes()})
			s.asm.VMULPS(delta, in, w)
			s.asm.VMULPS(d(i, m), in, in)
		}
		s.asm.VMOVUPS(w, operand.Mem{Base: ready, Disp: i * s.asm.bytes()})
		s.asm.VMOVUPS(in, operand.Mem{Base: ready, Disp: 4*s.Update().Skip(0) + i*s.asm.bytes()})
	}
}
