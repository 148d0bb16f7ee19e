package app

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mambac/mambac/runtime/safetensors"
)

// save writes a safetensors file of small tensors.
func save(t testing.TB, values ...safetensors.Values) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "windows.safetensors")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := safetensors.WriteAll(f, nil, values...); err != nil {
		t.Fatal(err)
	}
	return path
}

// readLogits opens what the logits command wrote.
func readLogits(t testing.TB, path string) (safetensors.Tensor, []float32) {
	t.Helper()
	f, err := os.Open(path)
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
	tensor, _ := file.Tensor("logits")
	values, err := file.Floats(tensor)
	if err != nil {
		t.Fatal(err)
	}
	return tensor, values
}

// logitsOf runs the command on n ids that count upwards from 5.
func logitsOf(t testing.TB, n int, by string, more ...string) (safetensors.Tensor, []float32) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "logits.safetensors")
	requireOK(t, call{}.run(t, append([]string{"logits", "--ids", upwards(n), "-o", path, "--by", by}, more...)...))
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("%d files left, error %v", len(entries), err)
	}
	return readLogits(t, path)
}

func upwards(n int) string {
	var ids numbers
	for i := range n {
		ids = append(ids, 5+i)
	}
	return ids.String()
}

func TestLogits(t *testing.T) {
	tensor, byPrefill := logitsOf(t, 40, "prefill")
	if !slices.Equal(tensor.Shape, []int{40, vocab}) || tensor.DType != "F32" {
		t.Errorf("logits are %s %v", tensor.DType, tensor.Shape)
	}
	for row := range 40 {
		if v := byPrefill[row*vocab+6+row]; v < 10 {
			t.Errorf("row %d: the next id has logit %v", row, v)
		}
	}
	if _, mmap := logitsOf(t, 40, "prefill", "--mmap"); !slices.Equal(byPrefill, mmap) {
		t.Error("--mmap gives other logits")
	}
	if _, byDecode := logitsOf(t, 40, "decode"); !slices.Equal(byPrefill, byDecode) {
		t.Error("decode gives other logits than prefill")
	}
}

func TestLogitsRefuses(t *testing.T) {
	folder := t.TempDir()
	out := filepath.Join(folder, "out")
	requireError(t, call{}.run(t, "logits", "-o", out), exitUsage, "--ids")
	requireError(t, call{}.run(t, "logits", "--ids", "1"), exitUsage, "-o")
	requireError(t, call{}.run(t, "logits", "--ids", "1", "-o", out, "--by", "magic"), exitUsage, "magic")
	requireError(t, call{}.run(t, "logits", "--ids", "1,300", "-o", out), exitFailure, "300")
	requireError(t, call{}.run(t, "logits", "--ids", "1", "-o", filepath.Join(folder, "no", "out")), exitFailure, "no")
	if entries, _ := os.ReadDir(folder); len(entries) != 0 {
		t.Errorf("%d files left behind", len(entries))
	}
}

// wantNLL is the mean over rows of logits of the ids that follow.
func wantNLL(logits []float32, ids []int32) float64 {
	sum := 0.0
	for i, id := range ids[1:] {
		row := logits[i*vocab : (i+1)*vocab]
		total := 0.0
		for _, v := range row {
			total += math.Exp(float64(v))
		}
		sum += math.Log(total) - float64(row[id])
	}
	return sum / float64(len(ids)-1)
}

func pplOf(t testing.TB, c call, args ...string) score {
	t.Helper()
	var s score
	out := requireOK(t, c.run(t, append([]string{"ppl", "--json"}, args...)...))
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestPerplexityOfWindows(t *testing.T) {
	_, logits := logitsOf(t, 40, "prefill")
	row := make([]int32, 41)
	for i := range row {
		row[i] = int32(5 + i)
	}
	row[40] = 77
	want := wantNLL(logits, row)
	path := save(t, safetensors.Values{Name: "windows", Shape: []int{2, 41}, Data: append(slices.Clone(row), row...)})
	got := pplOf(t, call{}, "--windows", path, "--buckets", "0,39")
	if math.Abs(got.NLL-want) > 1e-6 || got.Tokens != 80 || math.Abs(got.Perplexity-math.Exp(want)) > 1e-6 {
		t.Errorf("%+v, want nll %v", got, want)
	}
	if len(got.ByPosition) != 2 || got.ByPosition[0].Tokens != 78 || got.ByPosition[1].To != 40 || got.ByPosition[1].NLL < 5 {
		t.Errorf("by position %+v", got.ByPosition)
	}
}

func TestPerplexityOfTensors(t *testing.T) {
	path := save(t,
		safetensors.Values{Name: "a", Shape: []int{1, 3}, Data: []int64{1, 2, 3}},
		safetensors.Values{Name: "b", Shape: []int{2, 2}, Data: []int32{1, 9, 1, 9}},
		safetensors.Values{Name: "c", Shape: []int{1}, Data: []float32{1}},
	)
	if got := pplOf(t, call{}, "--windows", path); got.Tokens != 4 {
		t.Errorf("all tensors: %+v", got)
	}
	if got := pplOf(t, call{}, "--windows", path, "--tensor", "a"); got.Tokens != 2 || got.NLL > 0.1 {
		t.Errorf("tensor a: %+v", got)
	}
	requireError(t, call{}.run(t, "ppl", "--windows", path, "--tensor", "d"), exitFailure, `"d"`, path)
	requireError(t, call{}.run(t, "ppl", "--windows", path, "--tensor", "c"), exitFailure, "F32", "c")
	bad := save(t, safetensors.Values{Name: "windows", Shape: []int{1, 2}, Data: []int64{1, 1 << 40}})
	requireError(t, call{}.run(t, "ppl", "--windows", bad), exitFailure, "window 0", "token 1")
	bad = save(t, safetensors.Values{Name: "windows", Shape: []int{1, 2}, Data: []int32{1, 300}})
	requireError(t, call{}.run(t, "ppl", "--windows", bad), exitFailure, "300", "vocabulary")
}

func TestPerplexityOfText(t *testing.T) {
	got := pplOf(t, call{in: "abcdef"}, "-")
	if got.Tokens != 5 || got.NLL > 0.1 {
		t.Errorf("%+v", got)
	}
	text := requireOK(t, call{in: "abcdef"}.run(t, "ppl", "-", "--buckets", "0,3"))
	if !strings.Contains(text, "tokens 5") || !strings.Contains(text, "3-5") {
		t.Errorf("printed %q", text)
	}
	requireError(t, call{in: "a"}.run(t, "ppl", "-"), exitFailure, "two tokens")
	requireError(t, call{}.run(t, "ppl"), exitUsage)
	requireError(t, call{}.run(t, "ppl", "x", "--windows", "y"), exitUsage)
	requireError(t, call{}.run(t, "ppl", "x", "--tensor", "y"), exitUsage, "--tensor")
	requireError(t, call{}.run(t, "ppl", "--windows", "no such file"), exitFailure, "no such file")
}
