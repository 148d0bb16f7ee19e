package arm64

import (
	"math"
	"os"
	"os/exec"
	"testing"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/leveltest"
	"github.com/mambac/mambac/codegen/target"
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
	for taps := 1; taps <= maxTaps; taps++ {
		for i, activation := range []kernel.Activation{kernel.NoActivation, kernel.SiLU} {
			specs = append(specs, kernel.Conv{
				Taps: taps, Channels: 96, StrideX: 96 + 16*(taps%2), StrideY: 112, Bias: (taps+i)%2 > 0, Activation: activation,
			})
		}
	}
	for i, states := range []int{1, 3, 4, 7, 16, 17} {
		specs = append(specs, kernel.Scan1{
			States: states, StrideU: 48, StrideD: 48, StrideZ: 48, StrideY: 48 + i%2,
			StrideBC: 3*states + 5, OffsetB: 5 * (i % 2), OffsetC: 5 + states, Softplus: i%2 == 0, Gate: i%3 > 0,
		})
	}
	for _, f := range []kernel.Function{kernel.MapSiLU, kernel.MapSoftplus, kernel.MapCopy, kernel.MapAdd, kernel.MapMul} {
		for i, width := range []int{1, 7, 8, 21} {
			s := kernel.Map{Function: f, Width: width, StrideA: width + 2*(i%2), StrideY: width + 2}
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
		for j, k := range []int{1, 2, 3, 4, 31, 128, 129, 389} {
			e := epilogues[(i+j)%len(epilogues)]
			specs = append(specs,
				kernel.Gemv{Storage: s, K: k, Epilogue: e},
				kernel.Gemm{Storage: s, K: k, StrideX: k + j%3, StrideY: kernel.PanelRows + i*5, Epilogue: e},
			)
		}
	}
	return specs
}

// TestNative emits a package of all specs, which go vet compares with its
// stubs, and runs its tests of the level: on this processor or in an emulator.
func TestNative(t *testing.T) {
	dir := t.TempDir()
	leveltest.WriteModule(t, dir, oddSpecs(), []target.Backend{neon}, nil)
	leveltest.Go(t, dir, "arm64", "vet", ".")
	leveltest.Go(t, dir, "arm64", "test", "-count=1", "-run", "^TestLevels$", "-exec", emulator(t), ".")
}

// emulator is the program that runs arm64 programs here.
func emulator(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"qemu-aarch64-static", "qemu-aarch64"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("MAMBAC_REQUIRE_LEVEL") == neon.level.Name {
		t.Fatal("level neon is required and there is no qemu-aarch64 (Debian: qemu-user-static)")
	}
	t.Skip("no qemu-aarch64: the kernels are interpreted, assembled and vetted, not executed (Debian: qemu-user-static)")
	return ""
}
