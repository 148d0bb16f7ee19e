package codegen

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/target"
	"github.com/mambac/mambac/ir/irtest"
)

// TestCostModel is what the cost model chooses for the shapes of mamba-130m. A
// change is one of speed, and belongs measured.
func TestCostModel(t *testing.T) {
	gemm := func(s kernel.Storage, k int) kernel.Spec {
		return kernel.Gemm{Storage: s, K: k, StrideX: k, StrideY: 3216}
	}
	dot := func(s kernel.Storage, k int) kernel.Spec {
		return kernel.DotGemm{Storage: s, K: k, StrideX: s.QuantisedRow(k).Floats, StrideY: 3216}
	}
	specs := []kernel.Spec{
		gemm(kernel.F32, 768), gemm(kernel.F32, 1536), gemm(kernel.F32, 48), gemm(kernel.BF16, 768), gemm(kernel.Int8, 768),
		dot(kernel.BF16, 1536), dot(kernel.Int8, 768), dot(kernel.Int4, 1536),
	}
	for level, want := range map[string]string{
		"v3":  "4x24k128 4x24k128 4x24k128 4x24k128 4x24k128 4x24k128 6x16k128 6x16k256",
		"v4":  "8x48k128 8x48k128 8x48k128 8x48k128 8x48k128 8x48k128 8x48k128 8x48k256",
		"v4n": "8x48k128 8x48k128 8x48k128 8x48k128 8x48k128 8x48k128 8x48k256 8x48k256",
		"v4b": "8x48k128 8x48k128 8x48k128 8x48k128 8x48k128 8x48k128 8x48k256 8x48k256",
	} {
		b, _ := target.Lookup(level)
		for _, chunk := range []int{128, 256, 512} {
			tiling, _, err := (*target.Tuning)(nil).Tiling(b, specs, chunk)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range specs {
				got = append(got, tiling[s].String())
			}
			if s := strings.Join(got, " "); s != want {
				t.Errorf("%s, chunk of %d: chose %s, want %s", level, chunk, s, want)
			}
		}
	}
}

// TestTunedOutput: the same tuning gives the same files, with other assembly
// than the cost model and the same plan; the headers tell.
func TestTunedOutput(t *testing.T) {
	m := irtest.Random(1)
	options := Options{Package: "main", Command: "mambac test", Levels: []string{"v3"}}
	plain, err := Compile(m, options)
	if err != nil {
		t.Fatal(err)
	}
	x, err := Measure(m, options)
	if err != nil || len(x.Kernels) == 0 {
		t.Fatalf("%v: %d kernels to measure", err, len(x.Kernels))
	}
	options.Tuning = target.NewTuning("a processor")
	for i := range x.Kernels {
		if err := x.Add(options.Tuning, i, printed(x, i)); err != nil {
			t.Fatal(err)
		}
	}
	tuned, err := Compile(m, options)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Compile(m, options)
	if err != nil || !maps.EqualFunc(tuned.Files, again.Files, bytes.Equal) {
		t.Errorf("%v: the same tuning gives other files", err)
	}
	const assembly = "kernels_v3_amd64.s"
	if bytes.Equal(plain.Files[assembly], tuned.Files[assembly]) || plain.Fingerprint != tuned.Fingerprint {
		t.Error("a tuning changes assembly, and nothing of a payload")
	}
	if want := "(tuning " + tuned.Tuning + ")"; plain.Tuning != "" || len(tuned.Tuning) != 8 || !strings.Contains(string(tuned.Files["model.go"]), want) {
		t.Errorf("tunings %q and %q, want none and %s in the header", plain.Tuning, tuned.Tuning, want)
	}
	if rest, err := Measure(m, options); err != nil || len(rest.Kernels) != 0 {
		t.Errorf("%v: %v is measured again", err, rest.Kernels)
	}
	if err := x.Add(options.Tuning, 0, []byte("panic")); err == nil || !strings.Contains(err.Error(), x.Kernels[0]) {
		t.Errorf("error %v of a program that prints no measurement", err)
	}
}

// printed is what a program says that finds the last tile the fastest.
func printed(x *Measurement, i int) []byte {
	c := x.contests[i]
	var list []string
	for n, tile := range slices.Backward(c.Backend.Tiles(c.Spec)) {
		var times []string
		for _, tokens := range target.Calls(c.Chunk) {
			times = append(times, fmt.Sprintf(`"%d": %d`, tokens, (10-n)*tokens*100))
		}
		list = append(list, fmt.Sprintf(`{"tile": "%s", "ns": {%s}}`, tile, strings.Join(times, ", ")))
	}
	return []byte("[" + strings.Join(list, ", ") + "]")
}
