package kerneltest

import (
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestFMA32 compares with arithmetic of unlimited precision, rounded once.
func TestFMA32(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 200_000 {
		a, b, c := someFloat(r), someFloat(r), someFloat(r)
		if r.IntN(3) == 0 { // cancel most of it
			c = -a * b * (1 + float32(r.IntN(3)-1)*0x1p-20)
		}
		got, want := FMA32(a, b, c), bigFMA(a, b, c)
		if !sameBits(got, want) && (got != 0 || want != 0) {
			t.Fatalf("FMA32(%x, %x, %x) = %x, want %x", a, b, c, got, want)
		}
	}
	inf := float32(math.Inf(1))
	if v := FMA32(inf, 0, 1); v == v {
		t.Errorf("∞·0 + 1 = %v", v)
	}
	if v := FMA32(math.MaxFloat32, 2, -math.MaxFloat32); v != math.MaxFloat32 {
		t.Errorf("2·max − max = %v", v)
	}
	if v := FMA32(-1, 0, 0); math.Signbit(float64(v)) {
		t.Errorf("−0 + 0 = %v", v)
	}
}

// someFloat is any finite number, of moderate size more often than not.
func someFloat(r *rand.Rand) float32 {
	bits := r.Uint32()
	if r.IntN(4) > 0 {
		bits = bits&^(0xff<<23) | (100+r.Uint32N(54))<<23
	}
	if bits&0x7f800000 == 0x7f800000 {
		bits &^= 1 << 30
	}
	return math.Float32frombits(bits)
}

func bigFMA(a, b, c float32) float32 {
	product := new(big.Float).Mul(big.NewFloat(float64(a)), big.NewFloat(float64(b)))
	sum := new(big.Float).SetPrec(600).Add(product, big.NewFloat(float64(c)))
	f, _ := sum.Float32()
	return f
}

func TestHalfValue(t *testing.T) {
	for h, want := range map[uint16]float32{
		0x3c00: 1, 0xc000: -2, 0x0001: 0x1p-24, 0x83ff: -1023 * 0x1p-24, 0x7bff: 65504, 0x7c00: float32(math.Inf(1)), 0x3555: 0x1.554p-2,
	} {
		if got := halfValue(h); got != want {
			t.Errorf("half %#x = %v, want %v", h, got, want)
		}
	}
}

// everyKernel is one kernel of each kind.
var everyKernel = map[string]Kernel{
	"gemv":      Gemv{Storage: "bf16", K: 7, Residual: true},
	"gemm":      Gemm{Storage: "f16", K: 7, StrideX: 9, StrideY: 50, Bias: true, Residual: true},
	"rmsnorm":   RMSNorm{Width: 19, StrideX: 19, StrideY: 19, EpsBits: 0x3727c5ac, Weight: true},
	"gatednorm": GatedNorm{Width: 38, Group: 19, StrideX: 38, StrideZ: 38, StrideY: 38, EpsBits: 0x3727c5ac},
	"layernorm": LayerNorm{Width: 19, StrideX: 19, StrideY: 19, EpsBits: 0x3727c5ac, Bias: true},
	"angles":    Angles{Count: 9, StrideY: 20, FactorBits: 0x3f800000},
	"rope":      RoPE{Width: 27, HeadDim: 9, Rotary: 6, StrideX: 27, StrideA: 6, StrideY: 27},
	"conv":      Conv{Taps: 4, Channels: 48, StrideX: 48, StrideY: 48, Bias: true},
	"scan1":     Scan1{States: 3, StrideU: 48, StrideD: 48, StrideY: 48, StrideBC: 7, OffsetC: 3},
	"embed":     Embed{Storage: "f32", Width: 101, StrideY: 102},
	"map":       Map{Function: "add", Width: 101, StrideA: 101, StrideB: 101, StrideY: 101},
}

// oracle is code that knows the answers: what each case wants.
func oracle(c *Case) func(*Call) error {
	return func(call *Call) error {
		for name, w := range c.want() {
			copy(call.F32(name), w.values)
		}
		return nil
	}
}

// TestFindsFaults breaks the right answer in ways that kernels do.
func TestFindsFaults(t *testing.T) {
	for name, k := range everyKernel {
		t.Run(name, func(t *testing.T) {
			found := map[string]int{}
			for c := range k.Cases() {
				right := oracle(c)
				for _, j := range []Judgement{Strict, Loose} {
					if err := c.Check(j, right); err != nil {
						t.Errorf("%s: the right answer: %v", c.Name, err)
					}
				}
				for fault, spoil := range faults {
					err := c.Check(Loose, func(call *Call) error {
						right(call)
						spoil(call)
						return nil
					})
					if err != nil {
						found[fault]++
					}
				}
			}
			for fault := range faults {
				if found[fault] == 0 {
					t.Errorf("%s is found in no case", fault)
				}
			}
		})
	}
}

var faults = map[string]func(*Call){
	"a write behind y": func(c *Call) {
		c.args[0].whole.([]float32)[guard+len(c.F32("y"))] = 1
	},
	"a write before y": func(c *Call) { c.args[0].whole.([]float32)[guard-1] = 1 },
	"a wrong last element": func(c *Call) {
		if y := c.F32("y"); len(y) > 0 {
			y[len(y)-1] = 12345
		}
	},
	"a lost NaN": func(c *Call) {
		for i, v := range c.F32("y") {
			if v != v {
				c.F32("y")[i] = 0
			}
		}
	},
	"a written input": func(c *Call) {
		if in, ok := c.args[1].value.([]float32); ok && len(in) > 0 {
			in[0]++
		} else if in, ok := c.args[1].value.([]uint16); ok && len(in) > 0 {
			in[0]++
		}
	},
}

// TestStrictIsExact: an error of one unit in the last place passes for a twin
// and not for assembly.
func TestStrictIsExact(t *testing.T) {
	for c := range (Gemv{Storage: "f32", K: 31}).Cases() {
		if c.Name != "panels=1/plain/aliased=false" {
			continue
		}
		off := func(call *Call) error {
			y := call.F32("y")
			copy(y, c.want()["y"].values)
			y[3] = math.Nextafter32(y[3], 100)
			return nil
		}
		if err := c.Check(Loose, off); err != nil {
			t.Error(err)
		}
		if err := c.Check(Strict, off); err == nil || !strings.HasPrefix(err.Error(), "y[3] = ") {
			t.Errorf("error %v", err)
		}
		if err := c.CheckSame(off, oracle(c)); err == nil || !strings.HasPrefix(err.Error(), "y[3] = ") {
			t.Errorf("error %v", err)
		}
	}
}

// TestSplitFindsDependence: code whose rows depend on how many there are.
func TestSplitFindsDependence(t *testing.T) {
	k := Map{Function: "copy", Width: 3, StrideA: 3, StrideY: 3}
	found := false
	for c := range k.Cases() {
		err := c.CheckSplit(func(call *Call) error {
			n := 3 * call.Int("tokens")
			for i := range n {
				call.F32("y")[i] = float32(n)
			}
			return nil
		})
		found = found || err != nil
	}
	if !found {
		t.Error("not found")
	}
}

func TestErrorOfCodeIsReported(t *testing.T) {
	broken := errors.New("broken")
	for c := range everyKernel["map"].Cases() {
		if err := c.Check(Strict, func(*Call) error { return broken }); err != broken {
			t.Errorf("error %v", err)
		}
	}
}
