package app

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/mambac/mambac/runtime/safetensors"
)

// writeIDs makes a file of windows.
func writeIDs(t *testing.T, count, length int, ids []int32) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "windows.safetensors")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := safetensors.WriteAll(f, nil, safetensors.Values{Name: "windows", Shape: []int{count, length}, Data: ids}); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestTaps reads back what a tap was, of windows that are longer than a chunk.
func TestTaps(t *testing.T) {
	const count, length = 2, 20
	ids := make([]int32, count*length)
	for i := range ids {
		ids[i] = int32(i + 1)
	}
	in, out := writeIDs(t, count, length, ids), filepath.Join(t.TempDir(), "taps.safetensors")
	for _, every := range []int{1, 3} {
		var want []float32
		for i, id := range ids {
			if i%length%every == 0 {
				want = append(want, float32(id))
			}
		}
		requireOK(t, call{tapped: true}.run(t, "taps", "--windows", in, "--every", strconv.Itoa(every), "-o", out, "--threads", "2"))
		f, err := os.Open(out)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		st, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		file, err := safetensors.Open(f, st.Size())
		if err != nil {
			t.Fatal(err)
		}
		tensor, _ := file.Tensor("id")
		if got, err := file.Floats(tensor); err != nil || !slices.Equal(got, want) || !slices.Equal(tensor.Shape, []int{len(want), 1}) {
			t.Errorf("every %d: %v %v (%v), want %v", every, tensor.Shape, got, err, want)
		}
	}
}

func TestTapsFail(t *testing.T) {
	in := writeIDs(t, 1, 2, []int32{1, vocab})
	folder := t.TempDir()
	out := filepath.Join(folder, "taps.safetensors")
	requireError(t, call{}.run(t, "taps"), exitUsage, `unknown command "taps"`)
	tapped := call{tapped: true}
	requireError(t, tapped.run(t, "taps", "-o", out), exitUsage, "--windows FILE.safetensors is missing")
	requireError(t, tapped.run(t, "taps", "--windows", in), exitUsage, "-o FILE.safetensors is missing")
	requireError(t, tapped.run(t, "taps", "--windows", in, "-o", out, "--every", "0"), exitUsage, "--every 0")
	requireError(t, tapped.run(t, "taps", "--windows", in, "-o", out), exitFailure, "id 300 is outside the vocabulary of 300")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	tapped.ctx = ctx
	if r := tapped.run(t, "taps", "--windows", writeIDs(t, 1, 2, []int32{1, 2}), "-o", out); r.status != exitInterrupt {
		t.Errorf("interrupted: exit status %d: %s", r.status, r.err)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("%v is left over (%v)", left, err)
	}
}
