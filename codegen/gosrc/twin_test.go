package gosrc

import (
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/target"
)

// expertSpecs chooses experts by every router, and rows.
func expertSpecs() []kernel.Spec {
	specs := []kernel.Spec{
		kernel.Gather{Width: 7, StrideX: 9, StrideY: 8},
		kernel.Scatter{Width: 7, StrideX: 9, StrideY: 8},
		kernel.Weigh{Width: 7, StrideY: 8, StrideW: 3},
	}
	for i, router := range []string{"softmax", "softmax_renorm", "top_softmax", "sigmoid", "sigmoid"} {
		r := kernel.Route{Router: router, Experts: 12, Top: 1 + i, StrideX: 12 + i, StrideY: 13, FactorBits: math.Float32bits(2.5)}
		if router == "sigmoid" {
			r.Groups, r.TopGroups, r.Renorm, r.Bias = []int{1, 4}[i%2], []int{1, 3}[i%2], i%2 == 0, i%2 == 1
		}
		specs = append(specs, r)
	}
	return specs
}

// twinSpecs is every kind in every storage, with every epilogue and option, at
// sizes that are multiples of nothing.
func twinSpecs() []kernel.Spec {
	var specs []kernel.Spec
	epilogues := []kernel.Epilogue{{}, {Bias: true}, {Residual: true}, {Bias: true, Residual: true}}
	for i, s := range []kernel.Storage{kernel.F32, kernel.F16, kernel.BF16} {
		for j, k := range []int{1, 2, 3, 7, 31, 48, 129, 257} {
			e := epilogues[(i+j)%len(epilogues)]
			specs = append(specs,
				kernel.Gemv{Storage: s, K: k, Epilogue: e},
				kernel.Gemm{Storage: s, K: k, StrideX: k + j%3, StrideY: kernel.PanelRows + i*5, Epilogue: e},
				kernel.Embed{Storage: s, Width: k, StrideY: k + j%2},
			)
		}
	}
	for i, s := range []kernel.Storage{kernel.Int8, kernel.Int4} {
		for j, k := range []int{1, 7, 32, 33, 65, 128, 200} {
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
	for j, k := range []int{1, 2, 16, 31, 130} {
		e, row := epilogues[j%len(epilogues)], kernel.BF16.QuantisedRow(k)
		specs = append(specs,
			kernel.Quantise{Storage: kernel.BF16, K: k, StrideX: k + j%3, StrideY: row.Floats + 16*(j%2)},
			kernel.DotGemv{Storage: kernel.BF16, K: k, Epilogue: e},
			kernel.DotGemm{Storage: kernel.BF16, K: k, StrideX: row.Floats, StrideY: kernel.PanelRows + 5, Epilogue: e},
		)
	}
	for i, width := range []int{1, 3, 7, 16, 17, 100} {
		specs = append(specs, kernel.RMSNorm{
			Width: width, StrideX: width + 2, StrideY: width + 2*(i%2), EpsBits: math.Float32bits(1e-5), Weight: i%3 > 0,
		})
	}
	for taps := 1; taps <= 5; taps++ {
		for _, activation := range []kernel.Activation{kernel.NoActivation, kernel.SiLU} {
			specs = append(specs, kernel.Conv{
				Taps: taps, Channels: 96, StrideX: 96 + 16*(taps%2), StrideY: 112, Bias: taps%3 > 0, Activation: activation,
			})
		}
	}
	for i, states := range []int{1, 3, 7, 8, 16, 17} {
		specs = append(specs, kernel.Scan1{
			States: states, StrideU: 48, StrideD: 48, StrideZ: 48, StrideY: 48 + i%2,
			StrideBC: 3*states + 5, OffsetB: 5, OffsetC: 5 + states, Softplus: i%2 == 0, Gate: i%3 > 0,
		})
	}
	specs = append(specs, expertSpecs()...)
	for i, width := range []int{1, 6, 17, 96} {
		group := []int{0, 3, 17, 12}[i]
		specs = append(specs,
			kernel.RMSNorm{Width: width, Group: group, StrideX: width + i, StrideY: width + 2*(i%2), EpsBits: math.Float32bits(1e-5), Weight: true, Shared: i%2 == 1},
			kernel.GatedNorm{Width: width, Group: group, StrideX: width, StrideZ: width + i%2, StrideY: width, EpsBits: math.Float32bits(1e-5), NormFirst: i%2 == 0},
			kernel.GatedNorm{Width: width, Group: group, StrideX: width + 2, StrideZ: width, StrideY: width, EpsBits: math.Float32bits(1e-5), NormFirst: i%2 == 1},
			kernel.LayerNorm{Width: width, StrideX: width + i%2, StrideY: width, EpsBits: math.Float32bits(1e-5), Bias: i%2 == 0},
			kernel.Angles{Count: width, StrideY: 2*width + i, FactorBits: math.Float32bits(float32(1 + i))},
		)
	}
	for i, headDim := range []int{2, 5, 16, 64} {
		rotary := []int{2, 4, 16, 32}[i]
		for j, interleaved := range []bool{false, true} {
			specs = append(specs, kernel.RoPE{Width: 3 * headDim, HeadDim: headDim, Rotary: rotary,
				StrideX: 3*headDim + j, StrideA: rotary + i, StrideY: 3*headDim + i%2, Interleaved: interleaved})
		}
	}
	for _, f := range mapFunctions() {
		s := kernel.Map{Function: f, Width: 101, StrideA: 103, StrideY: 103}
		if f.Binary() {
			s.StrideB = 101
		}
		if f == kernel.MapScale {
			s.ByBits = math.Float32bits(0.22)
		}
		specs = append(specs, s)
	}
	return append(append(specs, twinCacheSpecs()...), twinHeadSpecs()...)
}

// mapFunctions is every function of a map.
func mapFunctions() []kernel.Function {
	list := []kernel.Function{kernel.MapSoftplus, kernel.MapScale, kernel.MapCopy, kernel.MapZero, kernel.MapAdd, kernel.MapMul}
	for _, act := range []kernel.Function{kernel.MapSiLU, kernel.MapGELU, kernel.MapGELUTanh, kernel.MapReLU, kernel.MapReLU2, kernel.MapSigmoid} {
		list = append(list, act, act.Gated())
	}
	return list
}

// TestTwins runs the twins of a package under its emitted test.
func TestTwins(t *testing.T) {
	dir := t.TempDir()
	specs := twinSpecs()
	twins, err := TwinFile("twins", "Made by a test.", specs)
	if err != nil {
		t.Fatal(err)
	}
	tests, err := TestFile("twins", "Made by a test.", specs)
	if err != nil {
		t.Fatal(err)
	}
	writeTestModule(t, dir, map[string][]byte{
		"kernels_generic.go": twins, "kernels_test.go": tests, "prefill_test.go": []byte(prefillTest),
	})
	goTool(t, dir, "vet", ".")
	goTool(t, dir, "test", ".")
}

// prefillTest compares a gemm with a gemv of each of its tokens.
const prefillTest = `package twins

import (
	"math/rand/v2"
	"testing"
)

func TestPrefillIsDecode(t *testing.T) {
	const columns, stride, tokens = 257, 258, 11
	r := rand.New(rand.NewPCG(1, 2))
	floats := func(n int) []float32 {
		s := make([]float32, n)
		for i := range s {
			s[i] = float32(r.NormFloat64())
		}
		return s
	}
	halves := make([]uint16, 48*(columns+1))
	for i := range halves {
		halves[i] = uint16(r.IntN(1<<12)) | 0x3000
	}
	x, w, bias, residual, scratch := floats(tokens*stride), floats(48*columns), floats(48), floats(tokens*60), floats(48*128)
	y, one := floats(tokens*60), floats(48)
	compare := func(storage string, rowStride int, decode func(x, residual []float32)) {
		for i := range tokens {
			decode(x[i*stride:][:columns], residual[i*rowStride:][:48])
			for row, want := range one {
				if got := y[i*rowStride+row]; got != want {
					t.Fatalf("%s: token %d, row %d: prefill %v, decode %v", storage, i, row, got, want)
				}
			}
		}
	}
	gemmF32K257Sx258Sy48BiasAddGeneric(y, w, x, bias, residual, scratch, tokens)
	compare("f32", 48, func(x, residual []float32) { gemvF32K257BiasAddGeneric(one, w, x, bias, residual, 1) })
	gemmF16K257Sx258Sy53Generic(y, halves, x, scratch, tokens)
	compare("f16", 53, func(x, _ []float32) { gemvF16K257Generic(one, halves, x, 1) })
	gemmBf16K257Sx258Sy58BiasGeneric(y, halves, x, bias, scratch, tokens)
	compare("bf16", 58, func(x, _ []float32) { gemvBf16K257BiasGeneric(one, halves, x, bias, 1) })
}
`

// TestRequiredLevel: a level that no CPU has is left out, unless it must be
// there.
func TestRequiredLevel(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the emitted test is for amd64")
	}
	dir := t.TempDir()
	specs := []kernel.Spec{kernel.Map{Function: kernel.MapCopy, Width: 3, StrideA: 3, StrideY: 3}}
	files := map[string][]byte{}
	var err error
	if files["kernels_generic.go"], err = TwinFile("twins", "Made by a test.", specs); err != nil {
		t.Fatal(err)
	}
	if files["kernels_test.go"], err = TestFile("twins", "Made by a test.", specs); err != nil {
		t.Fatal(err)
	}
	if files["kernels_amd64_test.go"], err = LevelTestFile("twins", "Made by a test.", specs, []target.Backend{future{}}); err != nil {
		t.Fatal(err)
	}
	writeTestModule(t, dir, files)
	t.Setenv("MAMBAC_REQUIRE_LEVEL", "v3")
	goTool(t, dir, "test", ".")
	t.Setenv("MAMBAC_REQUIRE_LEVEL", "v9")
	out, err := goCommand(dir, "test", ".").CombinedOutput()
	if want := "level v9 is required and this CPU lacks avx4096"; err == nil || !strings.Contains(string(out), want) {
		t.Errorf("%v, want %q in\n%s", err, want, out)
	}
}

// future is the back end of a level that nobody has and that emits nothing.
type future struct{}

func (future) Level() target.Level {
	return target.Level{Name: "v9", GOARCH: "amd64", Features: []string{"avx4096"}}
}
func (future) Supports(kernel.Spec) bool                  { return false }
func (future) Improves(kernel.Spec) bool                  { return false }
func (future) Tiles(kernel.Spec) []target.Tile            { return nil }
func (future) Cost(kernel.Spec, target.Tile, int) float64 { return 0 }
func (future) Emit(string, string, []kernel.Spec, target.Tiling) ([]byte, error) {
	return nil, nil
}

// TestEveryKindHasTwin keeps list and registry together.
func TestEveryKindHasTwin(t *testing.T) {
	var kinds []string
	for _, s := range twinSpecs() {
		kinds = append(kinds, s.Kind())
	}
	slices.Sort(kinds)
	if kinds = slices.Compact(kinds); !slices.Equal(kinds, TwinKinds()) {
		t.Errorf("tested kinds %v, kinds with a twin %v", kinds, TwinKinds())
	}
}

func TestUnknownKind(t *testing.T) {
	_, err := TwinFile("twins", "Made by a test.", []kernel.Spec{unknown{}})
	if err == nil || !strings.HasPrefix(err.Error(), `guess_k3: no pure-Go twin for kind "guess"`) {
		t.Errorf("error %v", err)
	}
	if _, err := Twin(unknown{}); err == nil {
		t.Error("no error from Twin")
	}
}

type unknown struct{}

func (unknown) Kind() string              { return "guess" }
func (unknown) Name() string              { return "guess_k3" }
func (unknown) Signature() []kernel.Param { return nil }
func (unknown) Cost(_, _ int) kernel.Cost { return kernel.Cost{} }

func TestStubFile(t *testing.T) {
	specs := []kernel.Spec{kernel.Gemv{Storage: kernel.BF16, K: 129, Epilogue: kernel.Epilogue{Residual: true}}}
	got, err := StubFile("p", "Made by a test.", target.Level{Name: "v4", GOARCH: "amd64"}, specs)
	if err != nil {
		t.Fatal(err)
	}
	const want = `// Made by a test.
//go:build amd64 && !purego

package p

// gemvBf16K129AddV4 is gemv_bf16_k129_add for v4.
//
//go:noescape
func gemvBf16K129AddV4(y []float32, w []uint16, x, residual []float32, panels int)
`
	if string(got) != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// writeTestModule makes a module that sees this one where it lies.
func writeTestModule(t *testing.T, dir string, files map[string][]byte) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	files["go.mod"] = []byte("module example.com/twins\n\ngo 1.26.0\n\n" +
		"require github.com/mambac/mambac v0.0.0\n\nreplace github.com/mambac/mambac => " + root + "\n")
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	files["go.sum"] = sums
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// goTool runs a go command in a module, without network.
func goTool(t *testing.T, dir string, args ...string) {
	t.Helper()
	if out, err := goCommand(dir, args...).CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func goCommand(dir string, args ...string) *exec.Cmd {
	c := exec.Command("go", args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off", "CGO_ENABLED=0")
	return c
}
