package tensor

import (
	"flag"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

var _ = flag.Bool("update", false, "as all of ir takes it; nothing to rewrite here")

// TestF16Exhaustive compares every half with its definition and takes it back.
func TestF16Exhaustive(t *testing.T) {
	for i := range 1 << 16 {
		h := uint16(i)
		got := F16ToF32(h)
		if want := f16(h); math.IsNaN(want) != math.IsNaN(float64(got)) || !math.IsNaN(want) && want != float64(got) {
			t.Fatalf("half %#04x is %v, want %v", h, got, want)
		}
		if math.Signbit(float64(got)) != (h>>15 == 1) {
			t.Fatalf("half %#04x has the wrong sign", h)
		}
		back := F32ToF16(got)
		if math.IsNaN(float64(got)) {
			if !math.IsNaN(f16(back)) {
				t.Fatalf("NaN %#04x comes back as %#04x", h, back)
			}
		} else if back != h {
			t.Fatalf("half %#04x comes back as %#04x", h, back)
		}
	}
}

// f16 is the definition: sign, 5 bits of exponent, 10 of fraction.
func f16(h uint16) float64 {
	sign, exp, frac := 1-2*float64(h>>15), int(h>>10&31), float64(h&1023)
	switch {
	case exp == 31 && frac != 0:
		return math.NaN()
	case exp == 31:
		return math.Inf(int(sign))
	case exp == 0:
		return sign * math.Ldexp(frac, -24)
	}
	return sign * math.Ldexp(1024+frac, exp-25)
}

// TestBF16Exhaustive takes every bfloat16 to float32 and back.
func TestBF16Exhaustive(t *testing.T) {
	for i := range 1 << 16 {
		h := uint16(i)
		got := BF16ToF32(h)
		if math.Float32bits(got) != uint32(h)<<16 {
			t.Fatalf("%#04x is %v", h, got)
		}
		back := F32ToBF16(got)
		if got != got {
			if w := BF16ToF32(back); w == w {
				t.Fatalf("NaN %#04x comes back as %#04x", h, back)
			}
		} else if back != h {
			t.Fatalf("%#04x comes back as %#04x", h, back)
		}
	}
}

// TestRounding: between neighbours the nearer wins, and the even one a tie.
func TestRounding(t *testing.T) {
	for _, f := range []struct {
		name   string
		widen  func(uint16) float32
		narrow func(float32) uint16
		last   uint16 // bits of the largest finite number
	}{
		{"f16", F16ToF32, F32ToF16, 0x7bff},
		{"bf16", BF16ToF32, F32ToBF16, 0x7f7f},
	} {
		for h := uint16(0); h < f.last; h++ {
			a, b := float64(f.widen(h)), float64(f.widen(h+1))
			even := h + h&1
			mid := float32((a + b) / 2) // exact: one bit more than a half has
			for _, c := range []struct {
				v    float32
				want uint16
			}{
				{mid, even},
				{math.Nextafter32(mid, 0), h},
				{math.Nextafter32(mid, math.MaxFloat32), h + 1},
			} {
				if got := f.narrow(c.v); got != c.want {
					t.Fatalf("%s: %v between %v and %v gives %#04x, want %#04x", f.name, c.v, a, b, got, c.want)
				}
				if got := f.narrow(-c.v); got != c.want|0x8000 {
					t.Fatalf("%s: %v gives %#04x, want %#04x", f.name, -c.v, got, c.want|0x8000)
				}
			}
		}
	}
}

func TestOverflowAndTiny(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, c := range []struct {
		v         float32
		f16, bf16 uint16
	}{
		{65504, 0x7bff, 0x4780},
		{65519.996, 0x7bff, 0x4780},
		{65520, 0x7c00, 0x4780},
		{inf, 0x7c00, 0x7f80},
		{-inf, 0xfc00, 0xff80},
		{math.MaxFloat32, 0x7c00, 0x7f80},
		{math.SmallestNonzeroFloat32, 0, 0},
		{float32(math.Ldexp(1, -25)), 0, 0x3300},
		{float32(math.Ldexp(1.5, -25)), 1, 0x3340},
		{float32(math.Copysign(0, -1)), 0x8000, 0x8000},
	} {
		if got := F32ToF16(c.v); got != c.f16 {
			t.Errorf("f16 of %v is %#04x, want %#04x", c.v, got, c.f16)
		}
		if got := F32ToBF16(c.v); got != c.bf16 {
			t.Errorf("bf16 of %v is %#04x, want %#04x", c.v, got, c.bf16)
		}
	}
	for _, bits := range []uint32{0x7f800001, 0x7fffffff, 0xff800001, 0x7fc00000} {
		v := math.Float32frombits(bits)
		if w := F16ToF32(F32ToF16(v)); w == w {
			t.Errorf("NaN %#x becomes %v in f16", bits, w)
		}
		if w := BF16ToF32(F32ToBF16(v)); w == w {
			t.Errorf("NaN %#x becomes %v in bf16", bits, w)
		}
	}
}

func TestDTypeNames(t *testing.T) {
	for d := F32; d <= Bool; d++ {
		if got, err := ParseDType(d.String()); err != nil || got != d || d.Size() == 0 {
			t.Errorf("%v is read back as %v, %v", d, got, err)
		}
	}
	for _, s := range []string{"", "invalid", "f8"} {
		if _, err := ParseDType(s); err == nil {
			t.Errorf("%q is an element type", s)
		}
	}
	if DType(99).String() != "dtype(99)" || DType(99).Size() != 0 || Invalid.Size() != 0 {
		t.Error("unknown element types have a size")
	}
	if !F64.IsFloat() || I64.IsFloat() {
		t.Error("IsFloat is wrong")
	}
}

func TestShape(t *testing.T) {
	s := Shape{3, 4, 5}
	if s.Elements() != 60 || s.Rows() != 3 || s.Row() != 20 || s.String() != "[3 4 5]" {
		t.Errorf("%v: %d elements, %d rows of %d", s, s.Elements(), s.Rows(), s.Row())
	}
	scalar := Shape{}
	if scalar.Elements() != 1 || scalar.Rows() != 1 || scalar.Row() != 1 {
		t.Error("a scalar is one row of one element")
	}
	if !s.Equal(Shape{3, 4, 5}) || s.Equal(Shape{3, 4}) || s.Equal(Shape{3, 4, 6}) {
		t.Error("Equal is wrong")
	}
}

// TestCheckedElements compares with exact arithmetic on hostile shapes.
func TestCheckedElements(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	axes := []int{-1, 0, 1, 2, 3, 1 << 16, 1 << 31, 1 << 32, 1 << 40, math.MaxInt, math.MinInt}
	const most = 1 << 40
	for range 20000 {
		s, exact, negative := Shape{}, big.NewInt(1), false
		for range r.IntN(6) {
			d := axes[r.IntN(len(axes))]
			s = append(s, d)
			exact.Mul(exact, big.NewInt(int64(d)))
			negative = negative || d < 0
		}
		n, err := s.CheckedElements(most)
		switch {
		case err == nil && (negative || !exact.IsInt64() || exact.Int64() != int64(n) || n > most):
			t.Fatalf("%v gives %d, exactly %v", s, n, exact)
		case err != nil && !negative && exact.IsInt64() && exact.Int64() <= most && exact.Sign() > 0:
			t.Fatalf("%v, which holds %v: %v", s, exact, err)
		}
	}
}

func TestDense(t *testing.T) {
	d := &Dense{Shape: Shape{3, 2}, Values: []float32{0, 1, 2, 3, 4, 5}}
	got := make([]float32, 4)
	if err := d.ReadRows(got, 1, 3); err != nil || got[0] != 2 || got[3] != 5 {
		t.Errorf("rows 1 and 2 are %v, %v", got, err)
	}
	for _, c := range [][2]int{{-1, 1}, {2, 1}, {2, 4}} {
		if err := d.ReadRows(got, c[0], c[1]); err == nil {
			t.Errorf("rows %v can be read", c)
		}
	}
}
