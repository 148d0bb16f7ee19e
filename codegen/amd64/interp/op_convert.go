package interp

import "math"

func init() {
	register(4, rounding, "VROUNDPS", "VRNDSCALEPS")
	register(4, lanes1(func(v uint32) uint32 { return toInteger(math.Float32frombits(v), math.RoundToEven) }), "VCVTPS2DQ")
	register(4, lanes1(func(v uint32) uint32 { return toInteger(math.Float32frombits(v), math.Trunc) }), "VCVTTPS2DQ")
	register(4, lanes1(func(v uint32) uint32 { return math.Float32bits(float32(int32(v))) }), "VCVTDQ2PS")
	register(4, widenHalves, "VCVTPH2PS")
	register(4, widenWords(false), "VPMOVZXWD")
	register(4, widenWords(true), "VPMOVSXWD")
	register(4, widenBytes, "VPMOVSXBD")
}

// rounding rounds to a whole number as the low three bits of the constant
// say; VRNDSCALEPS can keep fraction bits as well, which is not implemented.
func rounding(s *state, in *instruction) error {
	modes := []func(float64) float64{math.RoundToEven, math.Floor, math.Ceil, math.Trunc, math.RoundToEven}
	control := in.ops[0].value
	if control>>4 != 0 || int(control&7) >= len(modes) {
		return errNotImplemented
	}
	n := in.destination().lanes()
	v, err := s.readVector(in, &in.ops[1], n)
	if err != nil {
		return err
	}
	for i := range n {
		v[i] = floats1(func(a float32) float32 { return float32(modes[control&7](float64(a))) })(v[i])
	}
	return s.writeVector(in, v)
}

// toInteger is the smallest int32 where the number is out of range.
func toInteger(a float32, round func(float64) float64) uint32 {
	rounded := round(float64(a))
	if !(rounded >= math.MinInt32 && rounded <= math.MaxInt32) {
		return 1 << 31
	}
	return uint32(int32(rounded))
}

// readWords reads n words of 16 bits, from a register or from memory; those
// that the mask shuts out are not accessed.
func (s *state) readWords(in *instruction, o *op, n int) ([]uint16, error) {
	words := make([]uint16, n)
	for i := range words {
		if o.kind == vectorOp {
			words[i] = s.vectors[o.number].word(i)
			continue
		}
		if !s.active(in, i) {
			continue
		}
		value, err := s.load(s.resolve(o.mem)+uint64(2*i), 2)
		if err != nil {
			return nil, err
		}
		words[i] = uint16(value)
	}
	return words, nil
}

// widenBytes reads bytes from memory, as kernels do.
func widenBytes(s *state, in *instruction) error {
	if in.ops[0].kind == vectorOp || in.masked {
		return errNotImplemented
	}
	var v vector
	for i := range in.destination().lanes() {
		value, err := s.load(s.resolve(in.ops[0].mem)+uint64(i), 1)
		if err != nil {
			return err
		}
		v[i] = uint32(int8(value))
	}
	return s.writeVector(in, v)
}

func widenWords(sign bool) handler {
	return wordsToLanes(func(w uint16) uint32 {
		if sign {
			return uint32(int16(w))
		}
		return uint32(w)
	})
}

func widenHalves(s *state, in *instruction) error { return wordsToLanes(halfToSingle)(s, in) }

func wordsToLanes(f func(uint16) uint32) handler {
	return func(s *state, in *instruction) error {
		n := in.destination().lanes()
		words, err := s.readWords(in, &in.ops[0], n)
		if err != nil {
			return err
		}
		var v vector
		for i, w := range words {
			v[i] = f(w)
		}
		return s.writeVector(in, v)
	}
}

// halfToSingle widens the bits of an IEEE half.
func halfToSingle(h uint16) uint32 {
	sign, magnitude := uint32(h>>15)<<31, uint32(h&0x7fff)
	switch exponent := magnitude >> 10; {
	case exponent == 31 && magnitude&0x3ff != 0: // NaN, made quiet
		return sign | 0x7fc00000 | magnitude<<13
	case exponent == 31:
		return sign | 0x7f800000
	case exponent == 0:
		return sign | math.Float32bits(float32(magnitude)*0x1p-24)
	}
	return sign | magnitude<<13 + 112<<23
}
