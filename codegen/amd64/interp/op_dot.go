package interp

import "math"

// What narrow dot products need: products of words, of bytes and of bf16, packing
// of lanes, and the unsigned maximum and minimum.
func init() {
	register(4, lanes2(func(a, b uint32) uint32 { return max(a, b) }), "VPMAXUD")
	register(4, lanes2(multiplyWords), "VPMADDWD")
	register(2, lanes2(multiplyUnsigned), "VPMADDUBSW")
	register(4, accumulate(multiplyBytes), "VPDPBUSD")
	register(4, accumulate(func(sum, a, b uint32) uint32 { return sum + multiplyWords(a, b) }), "VPDPWSSD")
	register(4, accumulate(multiplyPairs), "VDPBF16PS")
	register(4, lanes2(func(a, b uint32) uint32 { return min(a, b) }), "VPMINUD")
	register(4, pack(2, saturate(-1<<15, 1<<15-1)), "VPACKSSDW")
	register(2, pack(1, saturate(-1<<7, 1<<7-1)), "VPACKSSWB")
	register(4, narrow(2), "VPMOVDW")
	register(4, narrow(1), "VPMOVDB")
}

// multiplyWords adds the products of the signed words of two lanes.
func multiplyWords(a, b uint32) uint32 {
	return uint32(int32(int16(a))*int32(int16(b)) + int32(int16(a>>16))*int32(int16(b>>16)))
}

// multiplyUnsigned adds the products of pairs of bytes, unsigned ones of a and
// signed ones of b, as words that saturate.
func multiplyUnsigned(a, b uint32) uint32 {
	word := func(a, b uint32) uint32 {
		sum := int32(a&0xff)*int32(int8(b)) + int32(a>>8&0xff)*int32(int8(b>>8))
		return uint32(uint16(saturate(-1<<15, 1<<15-1)(sum)))
	}
	return word(a, b) | word(a>>16, b>>16)<<16
}

// multiplyBytes adds the products of the unsigned bytes of a and the signed ones
// of b to a sum, which wraps.
func multiplyBytes(sum, a, b uint32) uint32 {
	for range 4 {
		sum += uint32(int32(a&0xff) * int32(int8(b)))
		a, b = a>>8, b>>8
	}
	return sum
}

// multiplyPairs adds the products of a pair of bf16 to a float32 as Intel's
// pseudo-code of VDPBF16PS does: that of the upper halves first, each by one fused
// multiply-add rounded to nearest even, whatever MXCSR says. Denormal inputs count
// as zero, and a result that is denormal after rounding becomes zero.
func multiplyPairs(sum, a, b uint32) uint32 {
	acc := flush(math.Float32frombits(sum))
	for _, half := range []func(uint32) uint32{func(v uint32) uint32 { return v &^ 0xffff }, func(v uint32) uint32 { return v << 16 }} {
		x, y := math.Float32frombits(half(a)), math.Float32frombits(half(b))
		acc = flush(fma(flush(x), flush(y), acc))
	}
	return math.Float32bits(acc)
}

// flush makes zero of a denormal number, of its sign.
func flush(v float32) float32 {
	if math.Abs(float64(v)) < 0x1p-126 {
		return float32(math.Copysign(0, float64(v)))
	}
	return v
}

// accumulate is a function of each lane of the destination and of both sources:
// Go writes the second one first.
func accumulate(f func(sum, a, b uint32) uint32) handler {
	return func(s *state, in *instruction) error {
		n := in.destination().lanes()
		b, err := s.readVector(in, &in.ops[0], n)
		if err != nil {
			return err
		}
		a, sum := s.vectors[in.ops[1].number], s.vectors[in.destination().number]
		for i := range n {
			sum[i] = f(sum[i], a[i], b[i])
		}
		return s.writeVector(in, sum)
	}
}

func saturate(low, high int32) func(int32) int32 {
	return func(v int32) int32 { return max(low, min(high, v)) }
}

// pack narrows signed elements to n bytes, per 128 bits those of the first
// source before those of the second.
func pack(n int, narrow func(int32) int32) handler {
	return func(s *state, in *instruction) error {
		lanes := in.destination().lanes()
		b, err := s.readVector(in, &in.ops[0], lanes)
		if err != nil {
			return err
		}
		a := s.vectors[in.ops[1].number]
		var v vector
		half := 8 / n // elements of a source in 128 bits
		for i := range 4 * lanes / n {
			source := &a
			if i%(2*half) >= half {
				source = &b
			}
			from := i/(2*half)*half + i%half
			if n == 2 {
				v.setWord(i, uint16(narrow(int32(source[from]))))
			} else {
				v.setByte(i, byte(narrow(int32(int16(source.word(from))))))
			}
		}
		return s.writeVector(in, v)
	}
}

// narrow stores the low n bytes of every lane.
func narrow(n int) handler {
	return func(s *state, in *instruction) error {
		source, destination := &in.ops[0], in.destination()
		if destination.kind != memoryOp {
			return errNotImplemented
		}
		at := s.resolve(destination.mem)
		for i := range source.lanes() {
			if !s.active(in, i) {
				continue
			}
			if err := s.store(at+uint64(n*i), n, uint64(s.vectors[source.number][i])); err != nil {
				return err
			}
		}
		return nil
	}
}
