package model

import (
	"bytes"
	"testing"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/enginetest"
)

// openRemembering opens a model that keeps something of every token, or of those
// in a window.
func openRemembering(t testing.TB, window bool) *Model {
	t.Helper()
	p, data := packed(t, func(c *enginetest.Carrier) { *c = *enginetest.NewRemembering(c.Meta.VocabSize) })
	p.Embedded, p.Compiled = data, enginetest.Remembering(p.Compiled.Shape.IDs, window)
	m, err := Open(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// TestSaveCaches: files hold what a next token may look back at, and no more.
func TestSaveCaches(t *testing.T) {
	for _, window := range []bool{false, true} {
		m := openRemembering(t, window)
		sizes := map[int]int{}
		for _, n := range []int{0, 1, engine.PageTokens, 200, 1000} {
			ids := make([]int, n)
			for i := range ids {
				ids[i] = (i*i + 5) % 97
			}
			s := read(t, m.NewSession(), ids...)
			file := saved(t, s)
			sizes[n] = len(file)
			if again := saved(t, restored(t, m, file)); !bytes.Equal(file, again) {
				t.Errorf("%d ids: another file after restoring", n)
			}
			requireContinues(t, "restored", restored(t, m, file), s)
			for _, cut := range []int{len(file) - 1, len(file) / 2} {
				if err := m.NewSession().Restore(bytes.NewReader(file[:cut])); err == nil {
					t.Errorf("%d ids: a file of %d of %d bytes is restored", n, cut, len(file))
				}
			}
		}
		grown := sizes[1000] - sizes[200]
		if window && grown > 8 || !window && grown < 4*800 {
			t.Errorf("window %v: a file of 1000 ids has %d bytes more than one of 200", window, grown)
		}
	}
}
