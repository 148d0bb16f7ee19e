package modeltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"

	"github.com/mambac/mambac/runtime/model"
)

// sample generates by chance, and leaves the loop after some tokens.
func sample(s *model.Session, a action, leave int) (string, error) {
	out, n := "", 0
	for t, err := range generate(context.Background(), s, model.MaxTokens(a.tokens), model.Seed(a.seed), model.Temperature(2)) {
		if err != nil {
			return out, err
		}
		out += fmt.Sprintf("%d %q\n", t.ID, t.Text)
		if n++; n == leave {
			break
		}
	}
	return out, nil
}

// generate goes on from where the session stands: as text if that is known.
func generate(ctx context.Context, s *model.Session, opts ...model.GenerateOption) iter.Seq2[model.Token, error] {
	tokens := s.Generate(ctx, "", opts...)
	return func(yield func(model.Token, error) bool) {
		for t, err := range tokens {
			if errors.Is(err, model.ErrNoTokenizer) {
				s.GenerateIDs(ctx, nil, opts...)(yield)
				return
			}
			if !yield(t, err) {
				return
			}
		}
	}
}

// plain plays without any disturbance, id by id.
type plain struct{ *model.Model }

func (p *plain) newSession() *model.Session { return p.NewSession() }

func (p *plain) read(s *model.Session, ids []int, _ int) error {
	for _, id := range ids {
		if err := s.Step(context.Background(), id); err != nil {
			return err
		}
	}
	return nil
}

func (p *plain) greedy(s *model.Session, n, _ int) ([]int, error) {
	return take(context.Background(), s, n)
}

func (p *plain) replace(s *model.Session, _ kind) (*model.Session, error) { return s, nil }

// take generates the n likeliest ids, or as many as ctx allows.
func take(ctx context.Context, s *model.Session, n int, opts ...model.GenerateOption) (ids []int, err error) {
	for t, err := range generate(ctx, s, append(opts, model.MaxTokens(n), model.IgnoreEndTokens())...) {
		if err != nil {
			return ids, err
		}
		ids = append(ids, t.ID)
	}
	return ids, nil
}

// rough interrupts what can be interrupted, and goes on.
type rough struct{ model *model.Model }

func (p *rough) newSession() *model.Session { return p.model.NewSession() }

// interrupted is a context that ends while a call is under way, before, or
// behind it. stop ends the wait for that.
func interrupted(after int) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range after {
			runtime.Gosched()
		}
		cancel()
	}()
	return ctx, func() { <-done }
}

func (p *rough) read(s *model.Session, ids []int, after int) error {
	ctx, stop := interrupted(after)
	defer stop()
	before := s.Position()
	err := s.Prefill(ctx, ids)
	n := s.Position() - before
	switch {
	case err == nil && n != len(ids):
		return fmt.Errorf("%d of %d ids were read, without an error", n, len(ids))
	case err == nil:
		return nil
	case !errors.Is(err, context.Canceled):
		return err
	case n > 0 && s.Logits() != nil:
		return fmt.Errorf("interrupted after %d of %d ids, and there are logits", n, len(ids))
	}
	return s.Prefill(context.Background(), ids[n:])
}

func (p *rough) greedy(s *model.Session, n, after int) ([]int, error) {
	ctx, stop := interrupted(after)
	defer stop()
	ahead := model.Speculate(&model.Speculation{Always: true, Text: p.everything()})
	ids, err := take(ctx, s, n, ahead)
	if !errors.Is(err, context.Canceled) {
		return ids, err
	}
	rest, err := take(context.Background(), s, n-len(ids), ahead)
	return append(ids, rest...), err
}

// everything is a text after which there is a candidate for whatever follows.
func (p *rough) everything() []int {
	ids := make([]int, p.model.Vocabulary())
	for i := range ids {
		ids[i] = i
	}
	return ids
}

func (p *rough) replace(s *model.Session, k kind) (*model.Session, error) {
	switch k {
	case handover:
		return p.handOver(s)
	case forked:
		f := s.Fork()
		return f, errors.Join(goAstray(s), s.Close())
	}
	f := s.Fork()
	return s, errors.Join(goAstray(f), f.Close())
}

// handOver saves a session and restores it as one that has read other ids.
func (p *rough) handOver(s *model.Session) (*model.Session, error) {
	var file bytes.Buffer
	if err := errors.Join(s.Save(&file), s.Close()); err != nil {
		return nil, err
	}
	next := p.newSession()
	return next, errors.Join(goAstray(next), next.Restore(&file))
}

// goAstray has a session read what is in no script.
func goAstray(s *model.Session) error {
	return s.Prefill(context.Background(), []int{1, 2, 3})
}
