package importer

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mambac/mambac/importer/checkpoint"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/eval"
	"github.com/mambac/mambac/ir/pass"
	"github.com/mambac/mambac/runtime/safetensors"
)

// golden is the output of an original implementation.
type golden struct {
	ids, greedy []int64
	logits      []float32
	hidden      [][]float32 // one for each layer, then after the final norm
}

// dumpsAfter are the families whose hidden states are those after each layer;
// of all others they are those before it (families.md §6, traps).
var dumpsAfter = []string{"mamba", "mamba2", "falcon_mamba", "state-spaces"}

func readGolden(t *testing.T, folder string) *golden {
	t.Helper()
	f, err := os.Open(filepath.Join(folder, "golden.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	s, err := safetensors.Open(f, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	g := &golden{ids: ints(t, s, "input_ids"), greedy: ints(t, s, "greedy"), logits: floats(t, s, "logits")}
	for i := 0; ; i++ {
		name := fmt.Sprintf("hidden_%02d", i)
		if _, ok := s.Tensor(name); !ok {
			return g
		}
		g.hidden = append(g.hidden, floats(t, s, name))
	}
}

func ints(t *testing.T, s *safetensors.File, name string) []int64 {
	t.Helper()
	x, _ := s.Tensor(name)
	v, err := s.Ints(x)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}

func floats(t *testing.T, s *safetensors.File, name string) []float32 {
	t.Helper()
	x, _ := s.Tensor(name)
	v, err := s.Floats(x)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}

// options are those that goldens were made with, by the start of their names:
// the reference of MIMO turns neighbours (families.md §4).
var options = map[string]Options{"mamba3-mimo": {"mimo-rotary": "interleaved"}}

func optionsOf(name string) Options {
	for start, o := range options {
		if strings.HasPrefix(name, start) {
			return o
		}
	}
	return nil
}

// open imports a checkpoint that must be good.
func open(t *testing.T, path string) *Model {
	t.Helper()
	c, err := checkpoint.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	m, err := Import(c, optionsOf(filepath.Base(path)))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestGoldens compares the evaluator, before and after the passes, with the
// original implementations: logits, hidden states, greedy tokens. Programs are
// held against those in testdata/golden, of whose ops all have kernels.
func TestGoldens(t *testing.T) {
	folders, err := filepath.Glob("testdata/golden*/*")
	if err != nil || len(folders) == 0 {
		t.Fatalf("no goldens: %v", err)
	}
	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			m, g := open(t, folder), readGolden(t, folder)
			after := slices.Contains(dumpsAfter, m.Family)
			compare(t, m.Module, g, after)
			passed, err := pass.Run(m.Module, pass.Options{})
			if err != nil {
				t.Fatal(err)
			}
			compare(t, passed, g, after)
		})
	}
}

// TestPairingMatters: the goldens of MIMO are those of one pairing and not of
// the other, which is the default, and the model says which it has.
func TestPairingMatters(t *testing.T) {
	const folder = "testdata/golden-evaluator/mamba3-mimo"
	c, err := checkpoint.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	m, err := Import(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	if have := fmt.Sprint(m.Choices); have != "[{mamba3-a heavy-tail} {mimo-rotary halved}]" {
		t.Errorf("chosen by default: %s", have)
	}
	e, err := eval.New(m.Module)
	if err != nil {
		t.Fatal(err)
	}
	g := readGolden(t, folder)
	var logits []float32
	for _, id := range g.ids {
		row, err := e.Step(int(id))
		if err != nil {
			t.Fatal(err)
		}
		logits = append(logits, row...)
	}
	if err := relativeError(logits, g.logits); err < 0.1 {
		t.Errorf("halved, logits differ by %g from those of neighbours", err)
	}
}

func compare(t *testing.T, m *ir.Module, g *golden, after bool) {
	t.Helper()
	e, err := eval.New(m)
	if err != nil {
		t.Fatal(err)
	}
	vocab := m.Output.Type.Width
	var logits []float32
	hidden := make([][]float32, len(g.hidden))
	for _, id := range g.ids {
		row, err := e.Step(int(id))
		if err != nil {
			t.Fatal(err)
		}
		logits = append(logits, row...)
		for i := range hidden {
			hidden[i] = append(hidden[i], e.Value(hiddenValue(m, i, after))...)
		}
	}
	if err := relativeError(logits, g.logits); err > 1e-5 {
		t.Errorf("logits differ by %g", err)
	}
	for i := range hidden {
		if err := relativeError(hidden[i], g.hidden[i]); err > 1e-5 {
			t.Errorf("hidden states %d differ by %g", i, err)
		}
	}
	next := argmax(logits[len(logits)-vocab:])
	for i, want := range g.greedy {
		if next != int(want) {
			t.Fatalf("greedy token %d is %d, want %d", i, next, want)
		}
		row, err := e.Step(next)
		if err != nil {
			t.Fatal(err)
		}
		next = argmax(row)
	}
}

// hiddenValue is the value of a golden hidden state: what comes out of each
// layer's region, or goes into it, and then the final norm.
func hiddenValue(m *ir.Module, i int, after bool) *ir.Value {
	if i == len(m.Regions)-2 {
		return m.Regions[i+1].Body[0]
	}
	if after {
		i++
	}
	body := m.Regions[i].Body
	return body[len(body)-1]
}

// relativeError is max|a−b| / max|b|; +Inf where lengths differ or a is not a
// number.
func relativeError(a, b []float32) float64 {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	diff, scale := 0.0, 0.0
	for i := range a {
		d := math.Abs(float64(a[i]) - float64(b[i]))
		if math.IsNaN(d) {
			return math.Inf(1)
		}
		diff, scale = max(diff, d), max(scale, math.Abs(float64(b[i])))
	}
	return diff / scale
}

func argmax(row []float32) int {
	best := 0
	for i, v := range row {
		if v > row[best] {
			best = i
		}
	}
	return best
}
