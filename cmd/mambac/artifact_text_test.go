package main

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// bundled is the checkpoint that mambac demo carries.
var bundled = filepath.FromSlash(demoFolder)

// shared is where the checkpoints lie that are too large for the repository.
var shared = filepath.Join("..", "..", "..", "shared", "fixtures", "models")

// trained is what reference.json says about a trained checkpoint.
type trained struct {
	NLL         float64      `json:"nll_mean"`
	Windows     int          `json:"windows"`
	WindowLen   int          `json:"window_len"`
	Generations []generation `json:"generations"`
}

// generation is a prompt and how the model continues it.
type generation struct {
	Prompt    string `json:"prompt"`
	PromptIDs []int  `json:"prompt_ids"`
	GreedyIDs []int  `json:"greedy_ids"`
	Text      string `json:"text"`
}

// TestArtifactTrained holds programs of trained models against another
// implementation: the loss on held-out text, and every greedy token.
func TestArtifactTrained(t *testing.T) {
	for _, folder := range []string{bundled, filepath.Join(shared, "go-mamba-20m")} {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			if _, err := os.Stat(folder); err != nil {
				t.Skip(err)
			}
			want := readTrained(t, folder)
			a := build(t, folder, "--cpu", "all")
			a.scores(t, folder, want)
			levels := levelsHere(t)
			for _, level := range levels {
				a.continues(t, level, want)
			}
			a.writes(t, levels[len(levels)-1], want)
		})
	}
}

func readTrained(t *testing.T, folder string) *trained {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, "reference.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r trained
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	if r.NLL == 0 || len(r.Generations) == 0 {
		t.Fatalf("%s: reference.json holds no reference", folder)
	}
	return &r
}

// scores compares the mean negative log-likelihood of the windows.
func (a artifact) scores(t *testing.T, folder string, want *trained) {
	t.Helper()
	var got struct {
		NLL    float64 `json:"nll"`
		Tokens int     `json:"tokens"`
	}
	out := a.run(t, "", "ppl", "--windows", filepath.Join(folder, "reference_nll.safetensors"), "--json")
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	if n := want.Windows * want.WindowLen; got.Tokens != n {
		t.Errorf("%d tokens are predicted, want %d", got.Tokens, n)
	}
	if math.Abs(got.NLL-want.NLL) > 1e-4 {
		t.Errorf("nll %.6f, want %.6f", got.NLL, want.NLL)
	}
	t.Logf("nll %.6f, reference %.6f", got.NLL, want.NLL)
}

// continues compares greedy ids after every prompt.
func (a artifact) continues(t *testing.T, level string, want *trained) {
	t.Helper()
	for _, g := range want.Generations {
		ids, n := spaced(g.GreedyIDs), len(g.GreedyIDs)
		if got := a.greedy(t, level, n, "--ids", joinInts(g.PromptIDs)); got != ids {
			t.Errorf("%s: %q as ids: continues %s, want %s", level, g.Prompt, got, ids)
		}
	}
}

// writes does it for prompts and answers that are texts, which is no matter of the
// level.
func (a artifact) writes(t *testing.T, level string, want *trained) {
	t.Helper()
	for _, g := range want.Generations {
		ids, n := spaced(g.GreedyIDs), len(g.GreedyIDs)
		if got := a.greedy(t, level, n, "--", g.Prompt); got != ids {
			t.Errorf("%s: %q: continues %s, want %s", level, g.Prompt, got, ids)
		}
		text := a.run(t, level, "run", "-n", strconv.Itoa(n), "--ignore-eos", "--", g.Prompt)
		if strings.TrimSuffix(text, "\n") != strings.TrimSuffix(g.Text, "\n") {
			t.Errorf("%s: %q: continues %q, want %q", level, g.Prompt, text, g.Text)
		}
	}
}
