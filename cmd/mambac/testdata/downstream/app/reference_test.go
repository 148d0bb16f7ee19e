package app

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"example.com/program/gomamba"
)

// generation is what another implementation has generated.
type generation struct {
	Prompt    string
	PromptIDs []int `json:"prompt_ids"`
	GreedyIDs []int `json:"greedy_ids"`
	Text      string
}

func generations(t *testing.T) []generation {
	t.Helper()
	text, err := os.ReadFile("../checkpoints/go-mamba-5m/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var reference struct{ Generations []generation }
	if err := json.Unmarshal(text, &reference); err != nil {
		t.Fatal(err)
	}
	if len(reference.Generations) == 0 {
		t.Fatal("no references")
	}
	return reference.Generations
}

func open(t *testing.T, opts ...gomamba.Option) *gomamba.Model {
	t.Helper()
	m, err := gomamba.Open(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// eachLevel opens the model at every level that this processor has, of which
// MAMBAC_REQUIRE_LEVEL must be one.
func eachLevel(t *testing.T, do func(t *testing.T, m *gomamba.Model)) {
	for _, level := range []string{"generic", "v3", "v4"} {
		t.Run(level, func(t *testing.T) {
			m, err := gomamba.Open(gomamba.Level(level))
			if err != nil && level != "generic" && os.Getenv("MAMBAC_REQUIRE_LEVEL") != level {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			do(t, m)
		})
	}
}

// generated is the ids and the text of a generation.
func generated(t *testing.T, s *gomamba.Session, prompt string, opts ...gomamba.GenerateOption) (ids []int, text string) {
	for token, err := range s.Generate(context.Background(), prompt, opts...) {
		if err != nil {
			t.Error(err)
		}
		ids = append(ids, token.ID)
		text += token.Text
	}
	return ids, text
}

// referencesHere is one reference with -short: plain Go is slow.
func referencesHere(t *testing.T) []generation {
	all := generations(t)
	if testing.Short() {
		return all[:1]
	}
	return all
}

func TestGenerate(t *testing.T) {
	eachLevel(t, func(t *testing.T, m *gomamba.Model) {
		for _, want := range referencesHere(t) {
			s := m.NewSession()
			ids, text := generated(t, s, want.Prompt, gomamba.MaxTokens(len(want.GreedyIDs)), gomamba.IgnoreEndTokens())
			if !slices.Equal(ids, want.GreedyIDs) || strings.TrimRight(text, "\n") != strings.TrimRight(want.Text, "\n") {
				t.Errorf("%q: continues %v %q, want %v %q", want.Prompt, ids, text, want.GreedyIDs, want.Text)
			}
			if n := len(want.PromptIDs) + len(ids); s.Position() != n {
				t.Errorf("%q: %d ids are read, want %d", want.Prompt, s.Position(), n)
			}
		}
	})
}

func TestGenerateIDs(t *testing.T) {
	m := open(t)
	for _, want := range generations(t) {
		var ids []int
		for token, err := range m.NewSession().GenerateIDs(context.Background(), want.PromptIDs, gomamba.MaxTokens(len(want.GreedyIDs))) {
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, token.ID)
		}
		if !slices.Equal(ids, want.GreedyIDs) {
			t.Errorf("%q: continues %v, want %v", want.Prompt, ids, want.GreedyIDs)
		}
	}
}

// TestSteps chooses by hand, from the logits of a prefill and of steps.
func TestSteps(t *testing.T) {
	eachLevel(t, func(t *testing.T, m *gomamba.Model) {
		want := generations(t)[0]
		prompt, err := m.Tokenizer().Encode(want.Prompt)
		if err != nil || !slices.Equal(prompt, want.PromptIDs) {
			t.Fatalf("%q is %v, want %v, error %v", want.Prompt, prompt, want.PromptIDs, err)
		}
		s := m.NewSession()
		if err := s.Prefill(context.Background(), prompt); err != nil {
			t.Fatal(err)
		}
		for i, id := range want.GreedyIDs {
			if best := largest(s.Logits()); best != id {
				t.Fatalf("token %d: the likeliest is %d, want %d", i, best, id)
			}
			if err := s.Step(context.Background(), id); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func largest(logits []float32) int {
	best := 0
	for id, l := range logits {
		if l > logits[best] {
			best = id
		}
	}
	return best
}

func TestManyGoroutines(t *testing.T) {
	m := open(t)
	var group sync.WaitGroup
	for _, want := range append(generations(t), generations(t)...) {
		group.Go(func() {
			ids, _ := generated(t, m.NewSession(), want.Prompt, gomamba.MaxTokens(len(want.GreedyIDs)))
			if !slices.Equal(ids, want.GreedyIDs) {
				t.Errorf("%q: continues %v, want %v", want.Prompt, ids, want.GreedyIDs)
			}
		})
	}
	group.Wait()
}

func TestStepAllocatesNothing(t *testing.T) {
	s := open(t).NewSession()
	ctx := context.Background()
	if n := testing.AllocsPerRun(20, func() {
		if err := s.Step(ctx, 1); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a token", n)
	}
}
