package model

import (
	"bytes"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/mambac/mambac/runtime/enginetest"
	"github.com/mambac/mambac/runtime/state"
)

// TestRestoreCostsNoPass: the first token after restoring is chosen from the logits
// in the file.
func TestRestoreCostsNoPass(t *testing.T) {
	file := saved(t, read(t, openModel(t, nil).NewSession(), 'a', 'b', 'c'))
	var calls atomic.Int64
	p, data := packed(t, nil)
	p.Embedded, p.Compiled = data, enginetest.Counting(p.Compiled, &calls)
	m, err := Open(p)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	s := restored(t, m, file)
	var first []Token
	for token, err := range s.Generate(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		first = append(first, token)
		break
	}
	if len(first) != 1 || first[0].Text != "d" || calls.Load() != 0 {
		t.Errorf("tokens %v after %d calls of the program", first, calls.Load())
	}
	if s.Logits() == nil || calls.Load() == 0 {
		t.Error("calls are not counted")
	}
}

func TestSaveFile(t *testing.T) {
	m := openModel(t, nil)
	path := filepath.Join(t.TempDir(), "f.state")
	for _, ids := range [][]int{{1, 2, 3}, {4}} {
		s := read(t, m.NewSession(), ids...)
		if err := s.SaveFile(path); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(data, saved(t, s)) {
			t.Errorf("the file is another one than Save writes, error %v", err)
		}
		again := m.NewSession()
		if err := again.RestoreFile(path); err != nil {
			t.Fatal(err)
		}
		requireContinues(t, "restored from a file", again, s)
	}
	data := append(saved(t, m.NewSession()), 0)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	s := read(t, m.NewSession(), 1)
	requireError(t, s.RestoreFile(path), path, "behind its end")
	requireError(t, s.RestoreFile(path+"x"), path+"x")
	requireError(t, s.SaveFile(filepath.Join(path, "below")), path)
	requireSame(t, "after errors", s, read(t, m.NewSession(), 1))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	requireError(t, s.SaveFile(path), ErrClosed.Error())
	requireError(t, s.RestoreFile(path), ErrClosed.Error())
}

// TestRestoreRemembersIDs: what was read before saving counts for the penalty after
// it; a file that does not say what was read is read on.
func TestRestoreRemembersIDs(t *testing.T) {
	m := openModel(t, nil)
	s := read(t, m.NewSession(), 'x', 'b', 'a')
	want := collect(t, s.Fork().Generate(t.Context(), "", MaxTokens(3), RepetitionPenalty(1000)))
	if want[0].ID == 'b' {
		t.Fatal("the penalty does nothing")
	}
	again := restored(t, m, saved(t, s))
	got := collect(t, again.Generate(t.Context(), "", MaxTokens(3), RepetitionPenalty(1000)))
	if len(got) != 3 || got[0] != want[0] || got[2] != want[2] {
		t.Errorf("goes on with %v, want %v", got, want)
	}
	var old bytes.Buffer
	if err := state.Rewrite(&old, bytes.NewReader(saved(t, s)), func(h *state.Header) { h.Seen = nil }); err != nil {
		t.Fatal(err)
	}
	again = restored(t, m, old.Bytes())
	if fork := again.Fork(); !bytes.Equal(saved(t, fork), old.Bytes()) {
		t.Error("what a file does not say is said when it is written again")
	}
	got = collect(t, again.Generate(t.Context(), "", MaxTokens(2), RepetitionPenalty(1000)))
	if got[0].ID != 'b' || got[1].ID == 'a' {
		t.Errorf("goes on with %v", got)
	}
}
