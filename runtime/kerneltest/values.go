package kerneltest

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
)

// flavour is a mixture of values for the inputs of a case.
type flavour string

const (
	plain flavour = "plain" // normal numbers about 1
	wide  flavour = "wide"  // zeros of both signs, denormals, all magnitudes, neighbours; finite
	wild  flavour = "wild"  // mostly plain, now and then NaN, an infinity, the largest number
	sweep flavour = "sweep" // arguments of exponentials over all their range and a little more
	stiff flavour = "stiff" // now and then a thousand times larger, as a huge Δ
)

var flavours = []flavour{plain, wide, wild}

// values makes inputs, the same ones for the same name.
type values struct {
	*rand.Rand
	flavour flavour
}

func newValues(name string, f flavour) *values {
	h := fnv.New64a()
	h.Write([]byte(name))
	return &values{rand.New(rand.NewPCG(h.Sum64(), 1)), f}
}

// f32 makes n numbers.
func (v *values) f32(n int) []float32 {
	s := make([]float32, n)
	for i := range s {
		s[i] = v.one()
	}
	return s
}

// tame makes n normal numbers, whatever the flavour.
func (v *values) tame(n int) []float32 {
	t := values{v.Rand, plain}
	return t.f32(n)
}

func (v *values) one() float32 {
	number := float32(v.NormFloat64())
	switch {
	case v.flavour == wide && v.IntN(3) == 0:
		return v.finite(number)
	case v.flavour == wild && v.IntN(40) == 0:
		return v.extreme()
	case v.flavour == sweep:
		return v.argument()
	case v.flavour == stiff && v.IntN(4) == 0:
		return 1000 * number
	}
	return number
}

// finite is an odd number near no limit of the products that kernels make.
func (v *values) finite(number float32) float32 {
	sign := float32(1 - 2*v.IntN(2))
	switch v.IntN(6) {
	case 0:
		return float32(math.Copysign(0, float64(sign)))
	case 1:
		return sign * math.Float32frombits(1+v.Uint32N(1<<23-1)) // denormal
	case 2:
		return sign * math.Nextafter32(1, float32(v.IntN(3)))
	case 3:
		return sign * math.MaxFloat32 * 0x1p-80
	case 4:
		return float32(math.Ldexp(float64(number), v.IntN(80)-50))
	default:
		return math.Float32frombits(math.Float32bits(number) &^ 0xffff) // few bits: sums cancel
	}
}

// argument is some argument of an exponential, often close to where code
// changes its way.
func (v *values) argument() float32 {
	edges := []float32{0, 20, -20, 87.33655, -87.33655, 88.722839, -88.722839, -103.97, 0.34657359}
	if v.IntN(4) == 0 {
		edge := edges[v.IntN(len(edges))]
		return math.Float32frombits(math.Float32bits(edge) + v.Uint32N(7))
	}
	return float32(260*v.Float64() - 130)
}

// decays makes n coefficients of a recurrence: negative, of all sizes, with
// a few that the usual initialisation never makes.
func (v *values) decays(n int) []float32 {
	s := make([]float32, n)
	for i := range s {
		s[i] = float32(-math.Exp(2 * v.NormFloat64()))
		if v.flavour != plain && v.IntN(20) == 0 {
			s[i] = []float32{0, -math.SmallestNonzeroFloat32, -1e30, 0.01}[v.IntN(4)]
		}
		if v.flavour == wild && v.IntN(100) == 0 {
			s[i] = float32(math.NaN())
		}
	}
	return s
}

func (v *values) extreme() float32 {
	list := []float32{
		float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)),
		math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32, 0,
	}
	return list[v.IntN(len(list))]
}

// u16 makes n weights of a 16-bit storage.
func (v *values) u16(n int, f16 bool) []uint16 {
	s := make([]uint16, n)
	for i := range s {
		if f16 {
			s[i] = v.oneF16()
		} else {
			s[i] = uint16(math.Float32bits(v.one()) >> 16)
		}
	}
	return s
}

// oneF16 is any half at all in the weird flavours: their range is small.
func (v *values) oneF16() uint16 {
	switch {
	case v.flavour == wild && v.IntN(40) == 0:
		return uint16(v.IntN(1<<16)) | 0x7c00
	case v.flavour == wide && v.IntN(3) == 0:
		return uint16(v.IntN(1<<16)) &^ 0x0400
	}
	return uint16(v.IntN(2)<<15 | (11+v.IntN(6))<<10 | v.IntN(1<<10))
}
