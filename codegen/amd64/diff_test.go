package amd64_test

import (
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/mambac/mambac/codegen/amd64/interp"
	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/leveltest"
	"github.com/mambac/mambac/codegen/target"
	"github.com/mambac/mambac/runtime/cpu"
	"github.com/mambac/mambac/runtime/kerneltest"
)

// oddSpecs is every kind in every storage, with every epilogue and option, at
// sizes that are multiples of nothing.
func oddSpecs() []kernel.Spec {
	specs := linearSpecs()
	for i, width := range []int{1, 3, 7, 8, 9, 15, 16, 17, 31, 100, 129} {
		specs = append(specs, kernel.RMSNorm{
			Width: width, StrideX: width + 2, StrideY: width + 2*(i%2), EpsBits: math.Float32bits(1e-5), Weight: i%3 > 0,
		})
	}
	for taps := 1; taps <= 5; taps++ {
		for i, activation := range []kernel.Activation{kernel.NoActivation, kernel.SiLU} {
			specs = append(specs, kernel.Conv{
				Taps: taps, Channels: 96, StrideX: 96 + 16*(taps%2), StrideY: 112, Bias: (taps+i)%2 > 0, Activation: activation,
			})
		}
	}
	for i, states := range []int{1, 3, 7, 8, 15, 16, 17, 33, 64} {
		specs = append(specs, kernel.Scan1{
			States: states, StrideU: 48, StrideD: 48, StrideZ: 48, StrideY: 48 + i%2,
			StrideBC: 3*states + 5, OffsetB: 5, OffsetC: 5 + states, Softplus: i%2 == 0, Gate: i%3 > 0,
		})
	}
	return append(specs, rowSpecs()...)
}

// rowSpecs is what treats rows by themselves: maps, norms with and without
// groups, rotary embeddings; at widths below, of and above whole registers.
func rowSpecs() []kernel.Spec {
	specs := append(mapSpecs(), ropeSpecs()...)
	for i, group := range []int{1, 5, 8, 16, 19, 33, 64} {
		width, eps := group*(1+i%3), math.Float32bits(1e-6)
		g := group
		if i%3 == 0 {
			g = 0
		}
		specs = append(specs,
			kernel.RMSNorm{Width: width, Group: g, StrideX: width + 2, StrideY: width + 2*(i%2), EpsBits: eps, Weight: i%4 > 0, Shared: i%4 > 1 && g > 0},
			kernel.GatedNorm{Width: width, Group: g, StrideX: width, StrideZ: width + i%2, StrideY: width, EpsBits: eps, NormFirst: i%2 == 0},
			kernel.GatedNorm{Width: width, Group: g, StrideX: width + 2, StrideZ: width, StrideY: width, EpsBits: eps, NormFirst: i%2 == 1},
			kernel.LayerNorm{Width: width, StrideX: width + i%2, StrideY: width, EpsBits: eps, Bias: i%3 > 0},
			kernel.Angles{Count: group, StrideY: 2*group + i, FactorBits: math.Float32bits(1)},
		)
	}
	return specs
}

func mapSpecs() []kernel.Spec {
	list := []kernel.Function{kernel.MapSoftplus, kernel.MapScale, kernel.MapCopy, kernel.MapZero, kernel.MapAdd, kernel.MapMul}
	for _, act := range []kernel.Function{kernel.MapSiLU, kernel.MapGELU, kernel.MapGELUTanh, kernel.MapReLU, kernel.MapReLU2, kernel.MapSigmoid} {
		list = append(list, act, act.Gated())
	}
	var specs []kernel.Spec
	for j, f := range list {
		for i, width := range [][]int{{1, 8, 48}, {7, 17, 101}}[j%2] {
			s := kernel.Map{Function: f, Width: width, StrideA: width + 2*(i%2), StrideY: width + 2}
			if f.Binary() {
				s.StrideB = width
			}
			if f == kernel.MapScale {
				s.ByBits = math.Float32bits(0.22)
			}
			specs = append(specs, s)
		}
	}
	return specs
}

func ropeSpecs() []kernel.Spec {
	var specs []kernel.Spec
	for i, headDim := range []int{2, 7, 16, 48, 64, 80, 128} {
		rotary, width := []int{2, 4, 16, 48, 32, 80, 70}[i], headDim*(1+i%3)
		specs = append(specs, kernel.RoPE{Width: width, HeadDim: headDim, Rotary: rotary,
			StrideX: width + i%2, StrideA: rotary + i, StrideY: width, Interleaved: i%2 == 1})
	}
	return append(specs,
		kernel.RoPE{Width: 21, HeadDim: 7, Rotary: 6, StrideX: 21, StrideA: 6, StrideY: 23},
		kernel.RoPE{Width: 156, HeadDim: 52, Rotary: 50, StrideX: 156, StrideA: 50, StrideY: 156})
}

func linearSpecs() []kernel.Spec {
	var specs []kernel.Spec
	epilogues := []kernel.Epilogue{{}, {Bias: true}, {Residual: true}, {Bias: true, Residual: true}}
	for i, s := range []kernel.Storage{kernel.F32, kernel.F16, kernel.BF16} {
		for j, k := range []int{1, 2, 7, 48, 127, 128, 129, 641} {
			e := epilogues[(i+j)%len(epilogues)]
			specs = append(specs,
				kernel.Gemv{Storage: s, K: k, Epilogue: e},
				kernel.Gemm{Storage: s, K: k, StrideX: k + j%3, StrideY: kernel.PanelRows + i*5, Epilogue: e},
				kernel.Embed{Storage: s, Width: k, StrideY: k + j%2},
			)
		}
	}
	specs = append(specs, roundedSpecs()...)
	specs = append(specs, codedSpecs()...)
	specs = append(specs, cacheSpecs()...)
	specs = append(specs, headSpecs()...)
	return append(specs, mamba3Specs()...)
}

// headSpecs is scans of heads of all kinds of sizes, in groups of one and more.
func headSpecs() []kernel.Spec {
	var specs []kernel.Spec
	for i, headDim := range []int{1, 5, 8, 16, 33, 50, 64, 80} {
		states, width := []int{1, 7, 16, 33, 70}[i%5], 5*headDim
		s := kernel.SSD{HeadDim: headDim, States: states, PerGroup: 1 + i%3, StrideU: width + i%2, StrideBC: 10*states + 3,
			OffsetB: 3, OffsetC: 3 + 5*states, StrideD: 7, StrideY: width, Elements: i%4 == 1}
		if i%3 > 0 {
			s.LowBits = math.Float32bits(0.25)
		}
		if i%3 > 1 {
			s.HighBits = math.Float32bits(1.5)
		}
		m := kernel.Mamba3{HeadDim: headDim, States: states, Rank: 1 + i%6, StrideY: width*(1+i%6) + i%2}
		m.StrideReady = 5*m.Ready().Floats() + i%2
		specs = append(specs, s, m)
	}
	return specs
}

// mamba3Specs is what Mamba-3 makes ready of each token and how it gates what comes
// out: pairs of both kinds, all of them turned and some, one rank and more.
func mamba3Specs() []kernel.Spec {
	var specs []kernel.Spec
	for i, headDim := range []int{1, 16, 20, 50} {
		p := kernel.Mamba3Prepare{HeadDim: headDim, States: []int{7, 48, 18, 66}[i], Rank: 1 + i%3, Angles: []int{3, 24, 4, 20}[i], Groups: 6 / (1 + i%3), PerGroup: 1 + i%3,
			StrideX: 5*headDim + 1, StrideD: 5, StrideA: 6, StrideT: 7, StrideAngle: 26,
			FloorBits: math.Float32bits(0.25), Halved: i%2 == 1, Softplus: i/2 == 1, Mimo: i > 0}
		p.StrideReady, p.StrideB, p.StrideC = 5*p.Ready().Floats()+i, 6*p.Rank*p.States+2, 6*p.Rank*p.States+3
		specs = append(specs, p, kernel.Mamba3Gate{Width: 3 * headDim, HeadDim: headDim, Rank: 1 + i, StrideX: 3*headDim*(1+i) + i,
			StrideZ: 3*headDim + i%2, StrideY: 3 * headDim, EpsBits: math.Float32bits(1e-5), Norm: i%2 == 1})
	}
	return append(specs, kernel.Mamba3Gate{Width: 17, HeadDim: 17, Rank: 6, StrideX: 102, StrideZ: 17, StrideY: 17, EpsBits: math.Float32bits(1e-5), Norm: true})
}

// cacheSpecs is attention over pages: heads of all kinds of sizes, one or more to
// a head of keys, with windows shorter and longer than a page.
func cacheSpecs() []kernel.Spec {
	var specs []kernel.Spec
	for i, headDim := range []int{1, 6, 8, 16, 20, 64, 80, 128, 136} {
		group := []int{1, 2, 5, 1, 4, 3, 9, 1, 2}[i]
		width := group * headDim
		for _, s := range []kernel.Storage{"", kernel.F16, kernel.Int8} {
			specs = append(specs,
				kernel.Keep{HeadDim: headDim, StrideX: 2*headDim + i, Columns: i%2 == 0, Storage: s},
				kernel.Attend{HeadDim: headDim, Group: group, StrideQ: width + i, StrideY: width + 2*(i%2),
					Window: []int{0, 3, 1, 64, 100}[i%5], ScaleBits: math.Float32bits(1 / float32(math.Sqrt(float64(headDim)))), Storage: s})
		}
	}
	return append(specs, expertSpecs()...)
}

// expertSpecs is what only twins do: the choice of experts and of rows.
func expertSpecs() []kernel.Spec {
	factor := math.Float32bits(2.5)
	return []kernel.Spec{
		kernel.Route{Router: "softmax", Experts: 5, Top: 2, StrideX: 7, StrideY: 5, FactorBits: math.Float32bits(1)},
		kernel.Route{Router: "softmax_renorm", Experts: 8, Top: 8, StrideX: 8, StrideY: 9, FactorBits: factor},
		kernel.Route{Router: "top_softmax", Experts: 64, Top: 6, StrideX: 64, StrideY: 64, FactorBits: math.Float32bits(1)},
		kernel.Route{Router: "sigmoid", Experts: 12, Top: 3, Groups: 4, TopGroups: 2, Renorm: true, Bias: true, StrideX: 12, StrideY: 12, FactorBits: factor},
		kernel.Route{Router: "sigmoid", Experts: 3, Top: 1, Groups: 1, TopGroups: 1, StrideX: 3, StrideY: 3, FactorBits: factor},
		kernel.Route{Router: "sigmoid", Experts: 4, Top: 2, Groups: 4, TopGroups: 2, Bias: true, StrideX: 5, StrideY: 4, FactorBits: factor},
		kernel.Gather{Width: 7, StrideX: 9, StrideY: 8},
		kernel.Scatter{Width: 7, StrideX: 9, StrideY: 8},
		kernel.Weigh{Width: 7, StrideY: 8, StrideW: 3},
	}
}

// roundedSpecs is products of bf16 with rounded inputs, at sizes odd and even,
// of whole blocks and a little more.
func roundedSpecs() []kernel.Spec {
	var specs []kernel.Spec
	epilogues := []kernel.Epilogue{{}, {Bias: true}, {Residual: true}, {Bias: true, Residual: true}}
	for j, k := range []int{1, 2, 7, 16, 17, 31, 48, 255, 256, 257, 640} {
		e, row := epilogues[j%len(epilogues)], kernel.BF16.QuantisedRow(k)
		specs = append(specs,
			kernel.Quantise{Storage: kernel.BF16, K: k, StrideX: k + j%3, StrideY: row.Floats + 16*(j%2)},
			kernel.DotGemv{Storage: kernel.BF16, K: k, Epilogue: e},
			kernel.DotGemm{Storage: kernel.BF16, K: k, StrideX: row.Floats, StrideY: kernel.PanelRows + 5, Epilogue: e},
		)
	}
	return specs
}

// codedSpecs is products of codes at sizes that fill no group, one, pairs of
// groups and blocks of columns, and a little more.
func codedSpecs() []kernel.Spec {
	var specs []kernel.Spec
	epilogues := []kernel.Epilogue{{}, {Bias: true}, {Residual: true}, {Bias: true, Residual: true}}
	for i, s := range []kernel.Storage{kernel.Int8, kernel.Int4} {
		for j, k := range []int{1, 33, 64, 96, 257, 640} {
			e, row := epilogues[(i+j)%len(epilogues)], s.QuantisedRow(k)
			specs = append(specs,
				kernel.Quantise{Storage: s, K: k, StrideX: k + j%3, StrideY: row.Floats + 16*(j%2)},
				kernel.DotGemv{Storage: s, K: k, Epilogue: e},
				kernel.DotGemm{Storage: s, K: k, StrideX: row.Floats, StrideY: kernel.PanelRows + i*5, Epilogue: e},
				kernel.Gemv{Storage: s, K: k, Epilogue: e},
				kernel.Gemm{Storage: s, K: k, StrideX: k + j%3, StrideY: kernel.PanelRows + i*5, Epilogue: e},
				kernel.Embed{Storage: s, Width: k, StrideY: k + j%2},
			)
		}
	}
	return specs
}

// TestInterpreted runs every kernel in the interpreter, which needs no CPU that
// has the level and sees every access to memory. Where a level has nothing
// better than the one below, it is the same kernel (TestImprovements). What a case
// must answer is found once for all levels.
func TestInterpreted(t *testing.T) {
	for _, spec := range oddSpecs() {
		runs := map[string]func(*kerneltest.Call) error{}
		for _, b := range improvements() {
			if b.Supports(spec) {
				runs[b.Level().Name] = interpreted(t, b, spec)
			}
		}
		for c := range leveltest.Meaning(t, spec).Cases() {
			for level, run := range runs {
				if err := c.Check(kerneltest.Strict, run); err != nil {
					t.Errorf("%s: %s: %s: %v", level, spec.Name(), c.Name, err)
					delete(runs, level)
				}
			}
		}
	}
}

// TestLevelsAgree holds the levels against each other without a CPU that has
// both, where functions are approximated and results are judged by a bound.
func TestLevelsAgree(t *testing.T) {
	v3, _ := target.Lookup("v3")
	v4, _ := target.Lookup("v4")
	for _, spec := range leveltest.Supported(v3, append(rowSpecs(), mamba3Specs()...)) {
		first, second := interpreted(t, v3, spec), interpreted(t, v4, spec)
		for c := range leveltest.Meaning(t, spec).Cases() {
			if err := c.CheckLevels(first, second); err != nil {
				t.Errorf("%s: %s: v3 and v4: %v", spec.Name(), c.Name, err)
				break
			}
		}
	}
}

// interpreted opens a kernel of a level in the interpreter.
func interpreted(t *testing.T, b target.Backend, spec kernel.Spec) func(*kerneltest.Call) error {
	t.Helper()
	f, err := interp.Open(compiled(t, b, spec))
	if err != nil {
		t.Fatalf("%s: %v", spec.Name(), err)
	}
	name := target.FuncName(spec, b.Level().Name)
	return func(c *kerneltest.Call) error { return f.Run(name, c.Args()...) }
}

// improvement is a level that emits what it makes better, and nothing else: the
// rest is that of the level below, instruction by instruction.
type improvement struct{ target.Backend }

func (i improvement) Supports(s kernel.Spec) bool { return i.Improves(s) }

func improvements() []target.Backend {
	var list []target.Backend
	for _, b := range target.Backends() {
		list = append(list, improvement{b})
	}
	return list
}

func supported(b target.Backend) []kernel.Spec { return leveltest.Supported(b, oddSpecs()) }

// TestNative emits a package of all specs, each level with what it improves, and
// runs its own tests: twins, each level that this CPU has, levels against each
// other. What its kernels answer must be, to the bit, what the interpreter answers.
func TestNative(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the assembly is for amd64")
	}
	dir := t.TempDir()
	leveltest.WriteModule(t, dir, oddSpecs(), improvements())
	leveltest.Go(t, dir, runtime.GOARCH, "vet", ".")
	leveltest.Go(t, dir, runtime.GOARCH, "test", "-vet=off", "-count=1", "-timeout", "30m", ".")
	for _, b := range improvements() {
		if slices.ContainsFunc(b.Level().Features, func(f string) bool { return !cpu.Has(f) }) {
			continue // it answered nothing
		}
		leveltest.CompareDigests(t, dir, b, oddSpecs(), func(spec kernel.Spec) func(*kerneltest.Call) error {
			return interpreted(t, b, spec)
		})
	}
}
