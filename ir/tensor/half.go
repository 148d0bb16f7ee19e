package tensor

import "math"

// BF16ToF32 widens a bfloat16; exact.
func BF16ToF32(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }

// F32ToBF16 rounds to nearest, ties to even; NaN stays NaN.
func F32ToBF16(f float32) uint16 {
	b := math.Float32bits(f)
	if b&0x7fffffff > 0x7f800000 {
		return uint16(b>>16) | 0x40
	}
	return uint16((b + 0x7fff + (b>>16)&1) >> 16)
}

// F16ToF32 widens an IEEE half; exact, denormals included.
func F16ToF32(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exp := uint32(h>>10) & 0x1f
	frac := uint32(h & 0x3ff)
	switch {
	case exp == 0x1f:
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	case exp != 0:
		return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
	default:
		const half = 1.0 / (1 << 24)
		f := float32(frac) * half
		return math.Float32frombits(sign | math.Float32bits(f))
	}
}

// F32ToF16 rounds to nearest, ties to even; overflow gives an infinity and
// NaN stays NaN.
func F32ToF16(f float32) uint16 {
	b := math.Float32bits(f)
	sign := uint16(b>>16) & 0x8000
	a := b & 0x7fffffff
	switch {
	case a > 0x7f800000:
		return sign | 0x7e00
	case a >= 0x477ff000:
		return sign | 0x7c00
	case a < 0x38800000:
		// Denormal half: adding 0.5 leaves the rounded fraction in the low
		// bits, with the rounding done by the addition itself.
		r := math.Float32frombits(a) + 0.5
		return sign | uint16(math.Float32bits(r)-math.Float32bits(0.5))
	default:
		a += 0xfff + (a>>13)&1
		return sign | uint16((a-0x38000000)>>13)
	}
}
