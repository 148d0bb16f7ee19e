package main

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/mambac/mambac/runtime/safetensors"
)

// lossBorders divide the positions of the long windows.
const lossBorders = "0,512,1024,2048,3072,4096"

// longTolerance is how far the mean loss over a range of positions may be from
// the reference's.
const longTolerance = 1e-3

// longReference is the loss by position in the long windows of
// validation.safetensors, as reference_long.json tells it.
type longReference struct {
	Buckets [][2]int
	NLL     []float64
	Windows [][]float64 `json:"nll_per_window"`
}

func readLong(t *testing.T, folder string) *longReference {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, "reference_long.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r longReference
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatalf("%s: reference_long.json: %v", folder, err)
	}
	if len(r.Buckets) == 0 || len(r.NLL) != len(r.Buckets) || len(r.Windows) == 0 {
		t.Fatalf("%s: reference_long.json holds no reference", folder)
	}
	return &r
}

// farthest is the largest difference to losses of the reference's buckets.
func (r *longReference) farthest(t *testing.T, want []float64, have []positionBucket) float64 {
	t.Helper()
	largest := 0.0
	for i, b := range r.Buckets {
		mean, ok := over(have, b[0], b[1])
		if !ok {
			t.Fatalf("positions %v are not made up by %v", b, have)
		}
		largest = max(largest, math.Abs(mean-want[i]))
	}
	return largest
}

// scoresLong compares the loss by position in the first long window, which is
// eight times as long as what the models were trained on.
func (a artifact) scoresLong(t *testing.T, folder string) {
	t.Helper()
	var got struct {
		ByPosition []positionBucket `json:"nll_by_position"`
	}
	out := a.run(t, "", "ppl", "--windows", firstLong(t), "--buckets", lossBorders, "--json")
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	want := readLong(t, folder)
	largest := want.farthest(t, want.Windows[0], got.ByPosition)
	if largest > longTolerance {
		t.Errorf("the loss by position is %v, want %v over %v", got.ByPosition, want.Windows[0], want.Buckets)
	}
	t.Logf("loss by position: at most %.5f from the reference", largest)
}

// firstLong is a file of the first long window alone.
func firstLong(t *testing.T) string {
	t.Helper()
	file, err := os.Open(filepath.Join(shared, "validation.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	all, err := safetensors.OpenFile(file)
	if err != nil {
		t.Fatal(err)
	}
	long, ok := all.Tensor("long")
	if !ok || len(long.Shape) != 2 {
		t.Fatalf("%s: no matrix of long windows", file.Name())
	}
	ids, err := all.Ints(long)
	if err != nil {
		t.Fatal(err)
	}
	n := long.Shape[1]
	path := filepath.Join(t.TempDir(), "long.safetensors")
	first, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if err := safetensors.WriteAll(first, nil, safetensors.Values{Name: "windows", Shape: []int{1, n}, Data: ids[:n]}); err != nil {
		t.Fatal(err)
	}
	return path
}
