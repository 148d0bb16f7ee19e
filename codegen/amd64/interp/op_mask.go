package interp

import "math"

func init() {
	for suffix, n := range map[string]int{"B": 1, "W": 2, "D": 4, "Q": 8} {
		register(0, moveMask(n), "KMOV"+suffix)
		register(0, maskLogic(n, func(a, b uint64) uint64 { return a & b }), "KAND"+suffix)
		register(0, maskLogic(n, func(a, b uint64) uint64 { return a | b }), "KOR"+suffix)
		register(0, maskLogic(n, func(a, b uint64) uint64 { return a ^ b }), "KXOR"+suffix)
		register(0, maskLogic(n, func(a, b uint64) uint64 { return ^(a ^ b) }), "KXNOR"+suffix)
		register(0, notMask(n), "KNOT"+suffix)
	}
	register(4, compareFloats, "VCMPPS")
	register(4, compareIntegers(func(a, b int32) bool { return a == b }), "VPCMPEQD")
	register(4, compareIntegers(func(a, b int32) bool { return a > b }), "VPCMPGTD")
	register(0, blendBySign, "VBLENDVPS")
	register(0, blendByMask, "VBLENDMPS", "VPBLENDMD")
}

func moveMask(n int) handler {
	return func(s *state, in *instruction) error {
		source, destination := &in.ops[0], in.destination()
		value := uint64(0)
		var err error
		if source.kind == maskOp {
			value = truncate(s.masks[source.number], n)
		} else if value, err = s.readGeneral(source, n); err != nil {
			return err
		}
		switch destination.kind {
		case maskOp:
			s.masks[destination.number] = value
			return nil
		case memoryOp:
			return s.writeGeneral(destination, n, value)
		}
		return s.writeGeneral(destination, 8, value) // zero-extended
	}
}

func maskLogic(n int, f func(a, b uint64) uint64) handler {
	return func(s *state, in *instruction) error {
		value := f(s.masks[in.ops[1].number], s.masks[in.ops[0].number])
		s.masks[in.ops[2].number] = truncate(value, n)
		return nil
	}
}

func notMask(n int) handler {
	return func(s *state, in *instruction) error {
		s.masks[in.ops[1].number] = truncate(^s.masks[in.ops[0].number], n)
		return nil
	}
}

// compareFloats writes lanes of ones, or mask bits. The predicates 16 to 31
// repeat the first 16; only whether quiet NaN signals differs.
func compareFloats(s *state, in *instruction) error {
	predicates := []func(a, b float32) bool{
		func(a, b float32) bool { return a == b },
		func(a, b float32) bool { return a < b },
		func(a, b float32) bool { return a <= b },
		func(a, b float32) bool { return a != a || b != b },
		func(a, b float32) bool { return !(a == b) },
		func(a, b float32) bool { return !(a < b) },
		func(a, b float32) bool { return !(a <= b) },
		func(a, b float32) bool { return a == a && b == b },
		func(a, b float32) bool { return !(a < b || a > b) },
		func(a, b float32) bool { return !(a >= b) },
		func(a, b float32) bool { return !(a > b) },
		func(float32, float32) bool { return false },
		func(a, b float32) bool { return a < b || a > b },
		func(a, b float32) bool { return a >= b },
		func(a, b float32) bool { return a > b },
		func(float32, float32) bool { return true },
	}
	holds := predicates[in.ops[0].value&15]
	return s.compareLanes(in, in.ops[1:], func(a, b uint32) bool {
		return holds(math.Float32frombits(a), math.Float32frombits(b))
	})
}

func compareIntegers(holds func(a, b int32) bool) handler {
	return func(s *state, in *instruction) error {
		return s.compareLanes(in, in.ops, func(a, b uint32) bool { return holds(int32(a), int32(b)) })
	}
}

func (s *state) compareLanes(in *instruction, ops []op, holds func(a, b uint32) bool) error {
	n := ops[1].lanes()
	b, err := s.readVector(in, &ops[0], n)
	if err != nil {
		return err
	}
	a, destination := s.vectors[ops[1].number], in.destination()
	var v vector
	mask := uint64(0)
	for i := range n {
		if s.active(in, i) && holds(a[i], b[i]) {
			v[i] = math.MaxUint32
			mask |= 1 << i
		}
	}
	if destination.kind == maskOp {
		s.masks[destination.number] = mask
		return nil
	}
	return s.writeVector(in, v)
}

// blendBySign takes the second source where the selector, written first, has
// its highest bit set.
func blendBySign(s *state, in *instruction) error {
	n := in.destination().lanes()
	b, err := s.readVector(in, &in.ops[1], n)
	if err != nil {
		return err
	}
	selector, v := s.vectors[in.ops[0].number], s.vectors[in.ops[2].number]
	for i := range n {
		if selector[i]>>31 == 1 {
			v[i] = b[i]
		}
	}
	return s.writeVector(in, v)
}

// blendByMask takes the second source, written first, where the mask is set.
func blendByMask(s *state, in *instruction) error {
	n := in.destination().lanes()
	b, err := s.readVector(in, &in.ops[0], n)
	if err != nil {
		return err
	}
	v, mask := s.vectors[in.ops[1].number], s.masks[in.ops[2].number]
	for i := range n {
		if mask>>i&1 == 1 {
			v[i] = b[i]
		}
	}
	return s.writeVector(in, v)
}
