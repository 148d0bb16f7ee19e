package interp

import "math"

func init() {
	for name, f := range map[string]func(a, b float32) float32{
		"VADD": func(a, b float32) float32 { return a + b },
		"VSUB": func(a, b float32) float32 { return a - b },
		"VMUL": func(a, b float32) float32 { return a * b },
		"VDIV": func(a, b float32) float32 { return a / b },
		"VMAX": maximum,
		"VMIN": minimum,
	} {
		register(4, lanes2(floats2(f)), name+"PS")
		register(4, scalar2(floats2(f)), name+"SS")
	}
	register(4, lanes1(floats1(squareRoot)), "VSQRTPS")
	register(4, scalar2(floats2(func(_, b float32) float32 { return squareRoot(b) })), "VSQRTSS")
	for _, form := range []string{"132", "213", "231"} {
		register(4, fused(form, false), "VFMADD"+form+"PS", "VFMADD"+form+"SS")
		register(4, fused(form, true), "VFNMADD"+form+"PS", "VFNMADD"+form+"SS")
	}
	register(4, lanes2(floats2(scale)), "VSCALEFPS")
}

// maximum is the second number unless the first is greater: so it is where one
// is NaN, and of two zeros.
func maximum(a, b float32) float32 {
	if a > b {
		return a
	}
	return b
}

func minimum(a, b float32) float32 {
	if a < b {
		return a
	}
	return b
}

func squareRoot(a float32) float32 { return float32(math.Sqrt(float64(a))) }

// scale is a·2^⌊b⌋; an infinite b beats a quiet NaN.
func scale(a, b float32) float32 {
	quiet := math.Float32bits(a)&0x7fc00000 == 0x7fc00000
	switch {
	case quiet && math.IsInf(float64(b), 1):
		return b
	case quiet && math.IsInf(float64(b), -1):
		return 0
	case a != a || b != b:
		return a + b
	case math.IsInf(float64(b), 1):
		return a * b
	case math.IsInf(float64(b), -1) && !math.IsInf(float64(a), 0):
		return float32(math.Copysign(0, float64(a)))
	case math.IsInf(float64(b), -1):
		return float32(math.NaN())
	}
	power := math.Floor(max(-1000, min(1000, float64(b))))
	return float32(math.Ldexp(float64(a), int(power)))
}

func floats1(f func(float32) float32) func(uint32) uint32 {
	return func(a uint32) uint32 { return math.Float32bits(f(math.Float32frombits(a))) }
}

func floats2(f func(a, b float32) float32) func(a, b uint32) uint32 {
	return func(a, b uint32) uint32 {
		return math.Float32bits(f(math.Float32frombits(a), math.Float32frombits(b)))
	}
}

// lanes1 is a function of each lane of one operand.
func lanes1(f func(uint32) uint32) handler {
	return func(s *state, in *instruction) error {
		n := in.destination().lanes()
		v, err := s.readVector(in, &in.ops[0], n)
		if err != nil {
			return err
		}
		for i := range n {
			v[i] = f(v[i])
		}
		return s.writeVector(in, v)
	}
}

// lanes2 is a function of each lane of two operands: Go writes the second one
// first.
func lanes2(f func(a, b uint32) uint32) handler {
	return func(s *state, in *instruction) error {
		n := in.destination().lanes()
		b, err := s.readVector(in, &in.ops[0], n)
		if err != nil {
			return err
		}
		a := s.vectors[in.ops[1].number]
		for i := range n {
			a[i] = f(a[i], b[i])
		}
		return s.writeVector(in, a)
	}
}

// scalar2 computes lane 0; lanes 1 to 3 are those of the first operand.
func scalar2(f func(a, b uint32) uint32) handler {
	return func(s *state, in *instruction) error {
		b, err := s.readVector(in, &in.ops[0], 1)
		if err != nil {
			return err
		}
		a := s.vectors[in.ops[1].number]
		a[0] = f(a[0], b[0])
		return s.writeVector(in, a)
	}
}

// fused is a fused multiply-add of three operands 3, 2, 1 in Go's order, the
// destination being operand 1. The form names the two that are multiplied and
// the one that is added.
func fused(form string, negate bool) handler {
	a, b, c := form[0]-'1', form[1]-'1', form[2]-'1'
	return func(s *state, in *instruction) error {
		n := in.destination().lanes()
		scalar := in.source.Opcode[len(in.source.Opcode)-2] == 'S'
		if scalar {
			n = 1
		}
		third, err := s.readVector(in, &in.ops[0], n)
		if err != nil {
			return err
		}
		v := [3]*vector{&s.vectors[in.ops[2].number], &s.vectors[in.ops[1].number], &third}
		first, second, added, result := v[a], v[b], v[c], *v[0]
		for i := range n {
			x, y, z := first[i], second[i], added[i]
			if negate {
				x ^= 1 << 31
			}
			result[i] = math.Float32bits(fma(math.Float32frombits(x), math.Float32frombits(y), math.Float32frombits(z)))
		}
		return s.writeVector(in, result)
	}
}

// fma is a·b + c rounded once to float32. The product is exact in float64; the
// sum is rounded to odd, so that rounding it again does no harm.
func fma(a, b, c float32) float32 {
	product, addend := float64(a)*float64(b), float64(c)
	sum := product + addend
	if math.IsInf(sum, 0) || sum != sum {
		return float32(sum)
	}
	// The error of the sum, exactly.
	part := sum - product
	lost := product - (sum - part) + (addend - part)
	bits := math.Float64bits(sum)
	switch odd := bits&1 == 1; {
	case lost == 0 || odd:
	case lost > 0 == (sum > 0):
		bits++ // away from zero
	default:
		bits--
	}
	return float32(math.Float64frombits(bits))
}
