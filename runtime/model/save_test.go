package model

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/mambac/mambac/runtime/enginetest"
	"github.com/mambac/mambac/runtime/payload"
)

func saved(t testing.TB, s *Session) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := s.Save(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func restored(t testing.TB, m *Model, file []byte) *Session {
	t.Helper()
	s := m.NewSession()
	if err := s.Restore(bytes.NewReader(file)); err != nil {
		t.Fatal(err)
	}
	return s
}

// requireContinues compares what two sessions make of the ids to come.
func requireContinues(t testing.TB, what string, a, b *Session) {
	t.Helper()
	if a.Position() != b.Position() || a.text != b.text || !slices.Equal(a.Logits(), b.Logits()) {
		t.Errorf("%s: another text", what)
	}
	read(t, a, 9, 8, 7)
	read(t, b, 9, 8, 7)
	if !slices.Equal(a.Logits(), b.Logits()) {
		t.Errorf("%s: goes on in another way", what)
	}
}

func TestSaveRestore(t *testing.T) {
	m := openModel(t, nil)
	for _, ids := range [][]int{nil, {5}, {1, 2, 3, 4}} {
		s := read(t, m.NewSession(), ids...)
		file := saved(t, s)
		if again := saved(t, restored(t, m, file)); !bytes.Equal(file, again) {
			t.Errorf("%d ids: another file after restoring", len(ids))
		}
		requireContinues(t, "restored", restored(t, m, file), s)
	}
}

// TestSaveGenerated: all tokens that were yielded are in the file.
func TestSaveGenerated(t *testing.T) {
	m := openModel(t, nil)
	s := m.NewSession()
	collect(t, s.Generate(t.Context(), "a", MaxTokens(2)))
	requireContinues(t, "generated", restored(t, m, saved(t, s)), read(t, m.NewSession(), 'a', 'b', 'c'))
}

func TestRestoreReplaces(t *testing.T) {
	m := openModel(t, nil)
	file := saved(t, read(t, m.NewSession(), 1, 2))
	s := read(t, m.NewSession(), 7, 7, 7)
	collect(t, s.GenerateIDs(t.Context(), nil, MaxTokens(1)))
	if err := s.Restore(bytes.NewReader(append(file, "behind"...))); err != nil {
		t.Fatal(err)
	}
	requireContinues(t, "replaced", s, read(t, m.NewSession(), 1, 2))
}

// TestRestoreRefuses: every cut and every flipped byte is an error that leaves
// the session as it was.
func TestRestoreRefuses(t *testing.T) {
	m := openModel(t, nil)
	file := saved(t, read(t, m.NewSession(), 1, 2))
	s := read(t, m.NewSession(), 3)
	want := s.Fork()
	for n := range file {
		if err := s.Restore(bytes.NewReader(file[:n])); err == nil {
			t.Fatalf("a file cut off after %d bytes of %d is accepted", n, len(file))
		}
		flipped := bytes.Clone(file)
		flipped[n] ^= 0x20
		if err := s.Restore(bytes.NewReader(flipped)); err == nil {
			t.Fatalf("a file with another byte %d is accepted", n)
		}
	}
	requireSame(t, "after refused files", s, want)
}

func TestRestoreOfAnother(t *testing.T) {
	file := saved(t, read(t, openModel(t, nil).NewSession(), 1))
	for name, change := range map[string]func(*enginetest.Carrier){
		"model":   func(c *enginetest.Carrier) { c.Meta.Identity = "other" },
		"weights": func(c *enginetest.Carrier) { c.Meta.Weights = "bf16" },
		"math":    func(c *enginetest.Carrier) { c.Meta.Math = "fast" },
		"lanes":   func(c *enginetest.Carrier) { c.Meta.States[0].Name = "wider lanes" },
	} {
		requireError(t, openModel(t, change).NewSession().Restore(bytes.NewReader(file)), name)
	}
}

// TestOpenRefusesSlots: a payload whose states lie nowhere opens no model.
func TestOpenRefusesSlots(t *testing.T) {
	for name, change := range map[string]func(*payload.StateSlot){
		"rows":   func(s *payload.StateSlot) { s.Rows++ },
		"offset": func(s *payload.StateSlot) { s.Offset = 1 },
		"lanes":  func(s *payload.StateSlot) { s.Lanes = 0 },
		"cache":  func(s *payload.StateSlot) { s.Kind = "cache" },
	} {
		p, data := packed(t, func(c *enginetest.Carrier) { change(&c.Meta.States[0]) })
		p.Embedded = data
		_, err := Open(p)
		t.Log(name)
		requireError(t, err, `"lanes"`)
	}
}

// failing is a disk that is full after some bytes.
type failing struct{ room int }

var errFull = errors.New("disk full")

func (f *failing) Write(b []byte) (int, error) {
	if f.room -= len(b); f.room < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestSaveFails(t *testing.T) {
	s := read(t, openModel(t, nil).NewSession(), 1)
	for room := range len(saved(t, s)) {
		if err := s.Save(&failing{room}); !errors.Is(err, errFull) {
			t.Fatalf("room for %d bytes: error %v", room, err)
		}
	}
}

func FuzzRestore(f *testing.F) {
	m := openModel(f, nil)
	file := saved(f, read(f, m.NewSession(), 1, 2))
	f.Add(file)
	f.Add(file[:40])
	f.Fuzz(func(t *testing.T, data []byte) {
		s := m.NewSession()
		if err := s.Restore(bytes.NewReader(data)); err == nil {
			if again := saved(t, s); len(again) > len(data) {
				t.Errorf("%d bytes restore a state of %d", len(data), len(again))
			}
		}
	})
}
