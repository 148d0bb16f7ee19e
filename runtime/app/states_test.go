package app

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mambac/mambac/runtime/enginetest"
	"github.com/mambac/mambac/runtime/state"
)

// TestRunStates: a text that was interrupted by saving and loading is that of one
// run, and saving changes nothing of it.
func TestRunStates(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f.state")
	sampled := []string{"--temperature", "20", "--ignore-eos", "--print", "ids", "--seed", "7"}
	for _, flags := range [][]string{nil, {"--print", "ids"}, {"--repetition-penalty", "500", "--ignore-eos"}, sampled} {
		run := func(args ...string) string {
			return requireOK(t, call{}.run(t, append(append([]string{"run"}, args...), flags...)...))
		}
		want := run("xab", "-n", "8")
		if got := run("xab", "-n", "8", "--save-state", file); got != want {
			t.Errorf("%q: saving makes %q of %q", flags, got, want)
		}
		if len(flags) == len(sampled) {
			continue // the random numbers begin again
		}
		got := strings.TrimSuffix(run("xab", "-n", "3", "--save-state", file), "\n")
		if len(flags) > 1 && flags[0] == "--print" {
			got += " "
		}
		got += run("--state", file, "-n", "5", "--save-state", file)
		if got != want {
			t.Errorf("%q: in two parts %q, want %q", flags, got, want)
		}
	}
}

func TestRunStatePrompts(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f.state")
	requireOK(t, call{}.run(t, "run", "ab", "-n", "0", "--save-state", file))
	for want, c := range map[string]result{
		"cd":   call{}.run(t, "run", "--state", file, "-n", "2"),
		"yz":   call{}.run(t, "run", "x", "--state", file, "-n", "2"),
		"z{":   call{in: "xy"}.run(t, "run", "-", "--state", file, "-n", "2"),
		"12":   call{}.run(t, "run", "--ids", "48", "--state", file, "-n", "2"),
		"c":    call{}.run(t, "run", "--ids", "", "--state", file, "-n", "1"),
		"012":  call{}.run(t, "run", "0", "--state", file, "-n", "2", "--echo"),
		"d\n":  call{terminal: true}.run(t, "run", "c", "--state", file, "-n", "1"),
		"99\n": call{}.run(t, "run", "--state", file, "-n", "1", "--print", "ids"),
	} {
		if got := requireOK(t, c); got != want {
			t.Errorf("printed %q, want %q", got, want)
		}
	}
	c := newCarrier(t)
	c.Tokenizer = nil
	if got := requireOK(t, call{carrier: c}.run(t, "run", "--state", file, "-n", "1", "--print", "ids")); got != "99\n" {
		t.Errorf("without a tokenizer %q", got)
	}
	requireError(t, call{carrier: c}.run(t, "run", "x", "--state", file, "-n", "1", "--print", "ids"), exitFailure, "tokenizer")
}

// TestRunStateCostsNoPass: the first token after loading is chosen from what the
// file holds.
func TestRunStateCostsNoPass(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f.state")
	requireOK(t, call{}.run(t, "run", "ab", "-n", "0", "--save-state", file))
	var calls atomic.Int64
	compiled := enginetest.Counting(enginetest.Compiled(vocab), &calls)
	for n, want := range map[string]int64{"1": 0, "2": 2} { // the second takes a step and its logits
		calls.Store(0)
		requireOK(t, call{compiled: compiled}.run(t, "run", "--state", file, "-n", n))
		if got := calls.Load(); got != want {
			t.Errorf("%s tokens took %d calls of the program, want %d", n, got, want)
		}
	}
}

// TestRunStateRefuses names the file and what to do, and prints nothing.
func TestRunStateRefuses(t *testing.T) {
	folder := t.TempDir()
	file, bad := filepath.Join(folder, "f.state"), filepath.Join(folder, "bad.state")
	requireOK(t, call{}.run(t, "run", "ab", "-n", "0", "--save-state", file))
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	altered := bytes.Clone(data)
	altered[len(altered)-40] ^= 1
	for part, data := range map[string][]byte{"cut off; save it again": data[:len(data)-5], "damaged": altered, "is no state file": []byte("once upon a time, and so on")} {
		if err := os.WriteFile(bad, data, 0o600); err != nil {
			t.Fatal(err)
		}
		r := call{}.run(t, "run", "x", "--state", bad)
		if requireError(t, r, exitFailure, bad+": ", part); r.out != "" {
			t.Errorf("printed %q", r.out)
		}
	}
	other := newCarrier(t)
	other.Meta.Identity = "other"
	requireError(t, call{carrier: other}.run(t, "run", "--state", file), exitFailure, file+": ", "only by the model that wrote it")
	requireError(t, call{}.run(t, "run", "--state", file+"x"), exitFailure, file+"x")
	requireError(t, call{}.run(t, "run", "a", "-n", "1", "--save-state", folder), exitFailure, folder, "is a folder")
	requireError(t, call{}.run(t, "run", "a", "-n", "1", "--save-state", filepath.Join(folder, "no", "f")), exitFailure, "no")
}

// TestRunStateWithoutLogits asks for a prompt.
func TestRunStateWithoutLogits(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f.state")
	h := &state.Header{
		Model: "fake", Weights: "f32", Math: "exact", Position: 1, Text: strings.Repeat("00", 32),
		Tensors: []state.Tensor{{Name: "lanes", Shape: []int{8, 1}, Values: make([]float32, 8)}},
	}
	var b bytes.Buffer
	if err := state.Write(&b, h); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	requireError(t, call{}.run(t, "run", "--state", file), exitFailure, file, "give a prompt")
	if got := requireOK(t, call{}.run(t, "run", "a", "--state", file, "-n", "1")); got != "b" {
		t.Errorf("printed %q", got)
	}
}

// TestRunInterruptedSavesNothing: the file stays as it was.
func TestRunInterruptedSavesNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f.state")
	requireOK(t, call{}.run(t, "run", "ab", "-n", "0", "--save-state", file))
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := (call{ctx: ctx}).run(t, "run", "x", "--save-state", file); r.status != exitInterrupt {
		t.Errorf("exit status %d: %s", r.status, r.err)
	}
	if after, err := os.ReadFile(file); err != nil || !bytes.Equal(after, before) {
		t.Errorf("the file has changed, error %v", err)
	}
}

// TestRunStateContext: a state counts as what may be read.
func TestRunStateContext(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f.state")
	c := &carrier{enginetest.NewRemembering(vocab)}
	remembering := enginetest.Remembering(vocab, false)
	requireOK(t, call{carrier: c, compiled: remembering}.run(t, "run", strings.Repeat("a", 200), "-n", "0", "--save-state", file))
	requireError(t, call{carrier: c, compiled: remembering}.run(t, "run", "--state", file, "--context", "199"), exitFailure, file, "the 199 of --context")
	if got := requireOK(t, call{carrier: c, compiled: remembering}.run(t, "run", "--state", file, "--context", "201", "-n", "1")); got != "b" {
		t.Errorf("printed %q", got)
	}
}
