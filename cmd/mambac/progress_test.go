package main

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/vbauerster/mpb/v8"
)

// work runs a task with a length, one without and one that fails.
func work(t *testing.T, p progress) {
	t.Helper()
	fill := func(set func(int64)) error {
		for done := range int64(100) {
			set(done)
		}
		return nil
	}
	if err := during(p, "weights", 100, fill); err != nil {
		t.Error(err)
	}
	if err := during(p, "go build", 0, fill); err != nil {
		t.Error(err)
	}
	broken := errors.New("broken")
	if err := during(p, "failing", 10, func(func(int64)) error { return broken }); err != broken {
		t.Errorf("error %v, want %v", err, broken)
	}
	p.end()
	p.end() // deferred ones come on top
}

func TestProgressLines(t *testing.T) {
	var b bytes.Buffer
	work(t, (&console{err: &b}).progress(false))
	if !regexp.MustCompile(`\Aweights: 100 B, \d\.\d s\ngo build: \d\.\d s\n\z`).Match(b.Bytes()) {
		t.Errorf("lines %q", b.String())
	}
}

func TestProgressSilent(t *testing.T) {
	var b bytes.Buffer
	work(t, (&console{err: &b, quiet: true}).progress(false))
	work(t, (&console{err: &b, terminal: true}).progress(true))
	if b.Len() > 0 {
		t.Errorf("output %q, want none", b.String())
	}
}

func TestProgressBars(t *testing.T) {
	var b bytes.Buffer
	work(t, newBars(&b, mpb.ForceAutoRefresh(), mpb.ForceTTY()))
	for _, want := range []string{"weights ", "100.0 b / 100.0 b", "go build "} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("output %q holds no %q", b.String(), want)
		}
	}
}
