package arm64

import (
	"math"
	"os/exec"
	"runtime"
	"testing"

	"github.com/mambac/mambac/codegen/amd64"
	"github.com/mambac/mambac/codegen/amd64/interp"
	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/leveltest"
	"github.com/mambac/mambac/codegen/target"
	"github.com/mambac/mambac/runtime/kerneltest"
)

// oddSpecs is every kind in every storage, with every epilogue and option, at
// sizes that are multiples of nothing; few, for most are executed by an
// emulator.
func oddSpecs() []kernel.Spec {
	specs := linearSpecs()
	for i, width := range []int{1, 3, 4, 15, 16, 17, 31, 101} {
		specs = append(specs, kernel.RMSNorm{
			Width: width, StrideX: width + 2, StrideY: width + 2*(i%2), EpsBits: math.Float32bits(1e-5), Weight: i%3 > 0,
		})
	}
	for i, group := range []int{1, 5, 16, 35} {
		width := group * (2 + i)
		specs = append(specs, kernel.RMSNorm{
			Width: width, Group: group, StrideX: width + i%2, StrideY: width, EpsBits: math.Float32bits(1e-5), Weight: i > 0, Shared: i%2 == 1,
		})
	}
	for taps := 1; taps <= maxTaps; taps++ {
		for i, activation := range []kernel.Activation{kernel.NoActivation, kernel.SiLU} {
			specs = append(specs, kernel.Conv{
				Taps: taps, Channels: 96, StrideX: 96 + 16*(taps%2), StrideY: 112, Bias: (taps+i)%2 > 0, Activation: activation,
			})
		}
	}
	// Steps and offsets that no single instruction holds.
	specs = append(specs,
		kernel.Conv{Taps: 4, Channels: 10272, StrideX: 48, StrideY: 48, Bias: true, Activation: kernel.SiLU},
		kernel.Gemm{Storage: kernel.F32, K: 5, StrideX: 9001, StrideY: 20011},
	)
	for i, states := range []int{1, 3, 4, 7, 16, 17} {
		specs = append(specs, kernel.Scan1{
			States: states, StrideU: 48, StrideD: 48, StrideZ: 48, StrideY: 48 + i%2,
			StrideBC: 3*states + 5, OffsetB: 5 * (i % 2), OffsetC: 5 + states, Softplus: i%2 == 0, Gate: i%3 > 0,
		})
	}
	for _, f := range []kernel.Function{kernel.MapSiLU, kernel.MapSoftplus, kernel.MapSigmoid, kernel.MapScale, kernel.MapCopy, kernel.MapZero,
		kernel.MapAdd, kernel.MapMul, kernel.MapSiLU.Gated(), kernel.MapSigmoid.Gated()} {
		for i, width := range []int{1, 7, 8, 21} {
			s := kernel.Map{Function: f, Width: width, StrideA: width + 2*(i%2), StrideY: width + 2}
			if f == kernel.MapScale {
				s.ByBits = math.Float32bits(0.22)
			}
			if f.Binary() {
				s.StrideB = width
			}
			specs = append(specs, s)
		}
	}
	return specs
}

func linearSpecs() []kernel.Spec {
	var specs []kernel.Spec
	epilogues := []kernel.Epilogue{{}, {Bias: true}, {Residual: true}, {Bias: true, Residual: true}}
	for i, s := range []kernel.Storage{kernel.F32, kernel.F16, kernel.BF16} {
		for j, k := range []int{1, 2, 3, 4, 31, 128, 129, 261} {
			e := epilogues[(i+j)%len(epilogues)]
			specs = append(specs,
				kernel.Gemv{Storage: s, K: k, Epilogue: e},
				kernel.Gemm{Storage: s, K: k, StrideX: k + j%3, StrideY: kernel.PanelRows + i*5, Epilogue: e},
			)
		}
	}
	return specs
}

// TestInterpreted runs every kernel in the interpreter, which needs no CPU that
// has the level and sees every access to memory.
func TestInterpreted(t *testing.T) {
	for _, spec := range oddSpecs() {
		run := interpreted(t, spec)
		for c := range leveltest.Meaning(t, spec).Cases() {
			if err := c.Check(kerneltest.Strict, run); err != nil {
				t.Errorf("%s: %s: %v", spec.Name(), c.Name, err)
				break
			}
		}
	}
}

// interpreted opens a kernel in the interpreter.
func interpreted(t *testing.T, spec kernel.Spec) func(*kerneltest.Call) error {
	t.Helper()
	f := compiled(t, spec)
	return func(c *kerneltest.Call) error { return interpret(f, c.Args()) }
}

// TestSameBitsAsAMD64 holds what neon answers against what the levels of amd64
// do, both interpreted.
func TestSameBitsAsAMD64(t *testing.T) {
	other, _ := target.Lookup("v3")
	for _, spec := range leveltest.Supported(other, oddSpecs()) {
		file, err := other.(*amd64.Level).Build(nil, spec)
		if err != nil {
			t.Fatalf("%s: %v", spec.Name(), err)
		}
		opened, err := interp.Open(file)
		if err != nil {
			t.Fatalf("%s: %v", spec.Name(), err)
		}
		name, run, i := target.FuncName(spec, "v3"), interpreted(t, spec), 0
		for c := range leveltest.Meaning(t, spec).Cases() {
			if i++; i%5 != 0 {
				continue // enough, and the interpreters are slow
			}
			want := func(c *kerneltest.Call) error { return opened.Run(name, c.Args()...) }
			if err := c.CheckSame(run, want); err != nil {
				t.Errorf("%s: %s: neon and v3: %v", spec.Name(), c.Name, err)
			}
		}
	}
}

// TestAssembled emits a package of all specs, which go vet compares with its
// stubs and Go's assembler takes.
func TestAssembled(t *testing.T) {
	dir := t.TempDir()
	leveltest.WriteModule(t, dir, oddSpecs(), []target.Backend{neon})
	leveltest.Go(t, dir, "arm64", "vet", ".")
	leveltest.Go(t, dir, "arm64", "test", "-c", "-o", "kernels.test", ".")
	t.Run("native", func(t *testing.T) { requireNative(t, dir) })
}

// requireNative runs the tests of the package on this processor or in an emulator.
// What its kernels answer must be, to the bit, what the interpreter answers.
func requireNative(t *testing.T, dir string) {
	run := []string{"./kernels.test", "-test.run", "^(TestLevels|TestDigests)$"}
	if runtime.GOARCH != "arm64" {
		run = append([]string{leveltest.Emulator(t, neon)}, run...)
	}
	cmd := exec.Command(run[0], run[1:]...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	leveltest.CompareDigests(t, dir, neon, oddSpecs(), func(spec kernel.Spec) func(*kerneltest.Call) error {
		return interpreted(t, spec)
	})
}
