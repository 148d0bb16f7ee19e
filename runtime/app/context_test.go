package app

import (
	"strings"
	"testing"

	"github.com/mambac/mambac/runtime/enginetest"
	"github.com/mambac/mambac/runtime/payload"
)

// TestLongest: the bound that a model has of its own is told, and holds as that of
// --context does.
func TestLongest(t *testing.T) {
	const reason = "as the test says"
	c := &carrier{enginetest.NewRemembering(vocab)}
	c.Meta.Longest = payload.Longest{Tokens: 10, Reason: reason}
	program := call{carrier: c, compiled: enginetest.Remembering(vocab, false)}
	if text := requireOK(t, program.run(t, "info")); !strings.Contains(text, "longest text           10 tokens: "+reason+"\n") {
		t.Errorf("info: %s", text)
	}
	if text := requireOK(t, program.run(t, "info", "--json")); !strings.Contains(text, `"longest_text":{"tokens":10,"reason":"`+reason+`"}`) {
		t.Errorf("info --json: %s", text)
	}
	requireError(t, program.run(t, "run", "abcdefghijk"), exitFailure, "11 tokens, more than the 10 that", reason)
	requireError(t, program.run(t, "run", "a", "--context", "11"), exitFailure, "--context 11", "up to 10 tokens", reason)
	requireError(t, program.run(t, "run", "abc", "--context", "2"), exitFailure, "3 tokens, more than the 2 of --context")
	if got := requireOK(t, program.run(t, "run", "ab", "--stop-at-context")); got != "cdefghijk" {
		t.Errorf("printed %q", got)
	}
	if r := program.run(t, "run", "ab"); r.status != exitFailure || r.out != "cdefghijk" || !strings.Contains(r.err, reason) {
		t.Errorf("exit status %d, printed %q, error %q", r.status, r.out, r.err)
	}
	requireError(t, call{}.run(t, "run", "a", "--stop-at-context"), exitUsage, "needs --context")
}

// TestContextInWindow: --context bounds a text that is looked back at through a
// window alone.
func TestContextInWindow(t *testing.T) {
	program := call{carrier: &carrier{enginetest.NewRemembering(vocab)}, compiled: enginetest.Remembering(vocab, true)}
	requireError(t, program.run(t, "run", "abc", "--context", "2"), exitFailure, "3 tokens, more than the 2 of --context")
	if got := requireOK(t, program.run(t, "run", "ab", "--context", "4", "--stop-at-context")); got != "cde" {
		t.Errorf("printed %q", got)
	}
	if text := requireOK(t, program.run(t, "info")); !strings.Contains(text, "for its window (--context bounds the text") {
		t.Errorf("info: %s", text)
	}
}
