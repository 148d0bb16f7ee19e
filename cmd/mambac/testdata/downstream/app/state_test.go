package app

import (
	"bytes"
	"context"
	"slices"
	"testing"

	"example.com/program/gomamba"
)

// TestStates goes on from a fork, and from a state that was saved by other
// kernels: the same text.
func TestStates(t *testing.T) {
	want := generations(t)[0]
	m, other := open(t), open(t, gomamba.Level("generic"), gomamba.Threads(1))
	s := m.NewSession()
	if err := s.Prefill(context.Background(), want.PromptIDs); err != nil {
		t.Fatal(err)
	}
	var file, again bytes.Buffer
	if err := s.Save(&file); err != nil {
		t.Fatal(err)
	}
	restored := other.NewSession()
	if err := restored.Restore(bytes.NewReader(file.Bytes())); err != nil {
		t.Fatal(err)
	}
	if err := restored.Save(&again); err != nil || !bytes.Equal(file.Bytes(), again.Bytes()) {
		t.Errorf("a restored state saves as other bytes, error %v", err)
	}
	for name, s := range map[string]*gomamba.Session{"fork": s.Fork(), "restored": restored, "itself": s} {
		if s.Position() != len(want.PromptIDs) {
			t.Errorf("%s: %d ids are read, want %d", name, s.Position(), len(want.PromptIDs))
		}
		if ids, _ := generated(t, s, "", gomamba.MaxTokens(len(want.GreedyIDs))); !slices.Equal(ids, want.GreedyIDs) {
			t.Errorf("%s: continues %v, want %v", name, ids, want.GreedyIDs)
		}
	}
}

// TestForkWithinALoop forks before the token at hand, which the fork has not
// read.
func TestForkWithinALoop(t *testing.T) {
	want := generations(t)[0]
	s := open(t).NewSession()
	for token, err := range s.GenerateIDs(context.Background(), want.PromptIDs, gomamba.MaxTokens(3)) {
		if err != nil {
			t.Fatal(err)
		}
		fork := s.Fork()
		if best := largest(fork.Logits()); best != token.ID {
			t.Errorf("a fork before %d finds %d the likeliest", token.ID, best)
		}
		if n := s.Position(); fork.Position() != n {
			t.Errorf("a fork has read %d ids, its parent %d", fork.Position(), n)
		}
	}
}
