package app

import (
	"context"
	"io"
	"iter"
	"testing"
	"time"

	"github.com/mambac/mambac/runtime/enginetest"
	"github.com/mambac/mambac/runtime/payload"
)

// TestAllocsPerGeneratedToken counts sampling, decoding to text and printing
// with the computation.
func TestAllocsPerGeneratedToken(t *testing.T) {
	path := newCarrier(t).write(t)
	unending := newCarrier(t) // but it has an end token, one that no text comes to
	unending.Meta.EOS = []int32{vocab - 1}
	for _, args := range [][]string{
		{"a"}, {"a", "--print", "ids"}, {"a", "--stop", "no such text"},
		{"a", "--temperature", "1", "--top-k", "40", "--top-p", "0.9", "--min-p", "0.01", "--repetition-penalty", "1.1"},
	} {
		s := &Session{
			Context: context.Background(), Compiled: enginetest.Compiled(vocab), started: time.Now(),
			Open: func() (*payload.Payload, error) { return payload.Open(path) },
			Out:  io.Discard, Err: io.Discard, Terminal: true,
		}
		if allocs := allocsPerToken(t, s, append(args, "--ignore-eos")); allocs != 0 {
			t.Errorf("run %q: %v allocations per token", args, allocs)
		}
		end := unending.write(t)
		s.Open = func() (*payload.Payload, error) { return payload.Open(end) }
		if allocs := allocsPerToken(t, s, args); allocs != 0 {
			t.Errorf("run %q with an end token: %v allocations per token", args, allocs)
		}
	}
}

func allocsPerToken(t *testing.T, s *Session, args []string) float64 {
	t.Helper()
	var o runOptions
	if _, err := o.parse(args); err != nil {
		t.Fatal(err)
	}
	m, err := s.Load()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	o.n = -1
	g, err := s.newGeneration(m, &o)
	if err != nil {
		t.Fatal(err)
	}
	defer g.model.Close()
	if err := g.session.Prefill(s.Context, []int{'a'}); err != nil {
		t.Fatal(err)
	}
	next, stop := iter.Pull2(g.tokens(s.Context))
	defer stop()
	one := func() {
		token, err, _ := next()
		if err == nil {
			err = g.print(token)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for range 600 { // past every id and its text, so that buffers have grown
		one()
	}
	return testing.AllocsPerRun(200, one)
}
