package app

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"example.com/program/gomamba"
)

// last is the error that ends a generation.
func last(s *gomamba.Session, opts ...gomamba.GenerateOption) (err error) {
	for _, e := range s.Generate(context.Background(), prompt, opts...) {
		err = e
	}
	return err
}

func TestMisuse(t *testing.T) {
	m := open(t)
	ended, end := context.WithCancel(context.Background())
	end()
	ctx := context.Background()
	for name, err := range map[string]error{
		"id too large":   m.NewSession().Step(ctx, m.Vocabulary()+1<<20),
		"id below 0":     m.NewSession().Prefill(ctx, []int{1, -1}),
		"max tokens":     last(m.NewSession(), gomamba.MaxTokens(-2)),
		"temperature":    last(m.NewSession(), gomamba.Temperature(-1)),
		"top p":          last(m.NewSession(), gomamba.TopP(2)),
		"top k":          last(m.NewSession(), gomamba.TopK(-1)),
		"min p":          last(m.NewSession(), gomamba.MinP(2)),
		"penalty":        last(m.NewSession(), gomamba.RepetitionPenalty(0)),
		"no state":       m.NewSession().Restore(strings.NewReader("not a state file at all")),
		"nothing":        m.NewSession().Restore(strings.NewReader("")),
		"unknown level":  openError(gomamba.Level("v0")),
		"threads":        openError(gomamba.Threads(-1)),
		"absent payload": openError(gomamba.PayloadFile("nowhere")),
		"other payload":  openError(gomamba.PayloadFile("../small.payload")),
	} {
		if err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want an error of one line", name, err)
		}
	}
	for name, err := range map[string]error{
		"step": m.NewSession().Step(ended, 1), "prefill": m.NewSession().Prefill(ended, []int{1}),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s with an ended context: %v", name, err)
		}
	}
}

func openError(o gomamba.Option) error {
	m, err := gomamba.Open(o)
	if err == nil {
		m.Close()
	}
	return err
}

func TestBusy(t *testing.T) {
	s := open(t).NewSession()
	for _, err := range s.Generate(context.Background(), prompt, gomamba.MaxTokens(1)) {
		if err != nil {
			t.Fatal(err)
		}
		for name, err := range map[string]error{
			"step": s.Step(context.Background(), 1), "prefill": s.Prefill(context.Background(), []int{1}),
			"restore": s.Restore(strings.NewReader("")), "generate": last(s),
		} {
			if !errors.Is(err, gomamba.ErrBusy) {
				t.Errorf("%s within a loop: %v", name, err)
			}
		}
	}
	if err := last(s, gomamba.MaxTokens(1)); err != nil {
		t.Errorf("behind the loop: %v", err)
	}
}

func TestClosed(t *testing.T) {
	m := open(t)
	s, closed := m.NewSession(), m.NewSession()
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	requireClosed(t, "closed session", closed)
	requireClosed(t, "fork of a closed session", closed.Fork())
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	requireClosed(t, "session of a closed model", s)
	requireClosed(t, "new session of a closed model", m.NewSession())
	if _, err := m.Tokenizer().Encode("a"); !errors.Is(err, gomamba.ErrClosed) {
		t.Errorf("tokenizer of a closed model: %v", err)
	}
	if err := m.Close(); !errors.Is(err, gomamba.ErrClosed) {
		t.Errorf("second close: %v", err)
	}
}

func requireClosed(t *testing.T, name string, s *gomamba.Session) {
	t.Helper()
	for call, err := range map[string]error{
		"step": s.Step(context.Background(), 1), "save": s.Save(io.Discard), "generate": last(s),
	} {
		if !errors.Is(err, gomamba.ErrClosed) {
			t.Errorf("%s: %s: %v", name, call, err)
		}
	}
	if s.Logits() != nil {
		t.Errorf("%s has logits", name)
	}
}
