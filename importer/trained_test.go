package importer

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/mambac/mambac/ir/eval"
	"github.com/mambac/mambac/runtime/safetensors"
)

// trained is where the checkpoints lie that are too large for the repository.
const trained = "../../shared/fixtures/models"

// TestTrained holds trained models against the original implementations: the
// loss of every token of one window, and a greedy continuation.
func TestTrained(t *testing.T) {
	for _, name := range []string{"go-llama-5m", "go-jamba-5m", "go-mamba2-5m"} {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(trained, name)
			if _, err := os.Stat(folder); err != nil {
				t.Skipf("no %s", folder)
			}
			e, err := eval.New(open(t, folder).Module)
			if err != nil {
				t.Fatal(err)
			}
			ids, want := lossesOf(t, folder)
			mean := 0.0
			for i, w := range want {
				row, err := e.Step(int(ids[i]))
				if err != nil {
					t.Fatal(err)
				}
				loss := lossOf(row, int(ids[i+1]))
				if math.Abs(loss-float64(w)) > 1e-4 {
					t.Fatalf("token %d has a loss of %v, want %v", i, loss, w)
				}
				mean += (loss - float64(w)) / float64(len(want))
			}
			if math.Abs(mean) > 3e-5 {
				t.Errorf("the mean loss differs by %g", mean)
			}
			e.Reset()
			continues(t, e, folder)
		})
	}
}

// lossesOf is the first window of the reference: its ids, and the loss of all
// but the first of them.
func lossesOf(t *testing.T, folder string) (ids []int64, losses []float32) {
	t.Helper()
	f, err := os.Open(filepath.Join(folder, "reference_nll.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	s, err := safetensors.Open(f, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	const window = 512
	return ints(t, s, "windows")[:window+1], floats(t, s, "nll")[:window]
}

// lossOf is −log of the probability that logits give a token.
func lossOf(logits []float32, id int) float64 {
	most, sum := math.Inf(-1), 0.0
	for _, v := range logits {
		most = max(most, float64(v))
	}
	for _, v := range logits {
		sum += math.Exp(float64(v) - most)
	}
	return math.Log(sum) + most - float64(logits[id])
}

// continues takes the first greedy generation of the reference.
func continues(t *testing.T, e *eval.Evaluator, folder string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, "reference.json"))
	if err != nil {
		t.Fatal(err)
	}
	var reference struct {
		Generations []struct {
			Prompt []int `json:"prompt_ids"`
			Greedy []int `json:"greedy_ids"`
		}
	}
	if err := json.Unmarshal(text, &reference); err != nil {
		t.Fatal(err)
	}
	g := reference.Generations[0]
	rows, err := e.Run(g.Prompt)
	if err != nil {
		t.Fatal(err)
	}
	row := rows[len(rows)-1]
	for i, want := range g.Greedy {
		next := argmax(row)
		if next != want {
			t.Fatalf("greedy token %d is %d, want %d", i, next, want)
		}
		if row, err = e.Step(next); err != nil {
			t.Fatal(err)
		}
	}
}
