package app

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/mambac/mambac/runtime/enginetest"
	"github.com/mambac/mambac/runtime/payload"
)

// TestAllocsPerGeneratedToken counts sampling, decoding to text and printing
// with the computation.
func TestAllocsPerGeneratedToken(t *testing.T) {
	path := newCarrier(t).write(t)
	for _, args := range [][]string{
		{"a"}, {"a", "--print", "ids"}, {"a", "--stop", "no such text"},
		{"a", "--temperature", "1", "--top-k", "40", "--top-p", "0.9", "--min-p", "0.01", "--repetition-penalty", "1.1"},
	} {
		s := &session{
			ctx: context.Background(), compiled: enginetest.Compiled(vocab), started: time.Now(),
			open: func() (*payload.Payload, error) { return payload.Open(path) },
			out:  io.Discard, err: io.Discard, terminal: true,
		}
		if allocs := allocsPerToken(t, s, append(args, "--ignore-eos")); allocs != 0 {
			t.Errorf("run %q: %v allocations per token", args, allocs)
		}
	}
}

func allocsPerToken(t *testing.T, s *session, args []string) float64 {
	t.Helper()
	var o runOptions
	if _, err := o.parse(args); err != nil {
		t.Fatal(err)
	}
	m, err := s.load()
	if err != nil {
		t.Fatal(err)
	}
	defer m.close()
	o.n = 300 // past every id, so that buffers have grown
	g, err := s.newGeneration(m, &o, []int32{'a'})
	if err != nil {
		t.Fatal(err)
	}
	defer g.engine.Close()
	if err := g.run(s, []int32{'a'}); err != nil {
		t.Fatal(err)
	}
	return testing.AllocsPerRun(200, func() {
		if err := g.engine.Decode(s.ctx, g.states, g.ids, g.logits); err != nil {
			t.Fatal(err)
		}
		if _, err := g.next(); err != nil {
			t.Fatal(err)
		}
	})
}
