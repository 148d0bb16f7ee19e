package model_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/mambac/mambac/runtime/enginetest"
	"github.com/mambac/mambac/runtime/model"
	"github.com/mambac/mambac/runtime/modeltest"
)

// openFake opens the model that counts.
func openFake(opts ...model.Option) (*model.Model, error) {
	const vocabulary = 300 // the tokenizer knows fewer
	var file bytes.Buffer
	if err := enginetest.NewCarrier(vocabulary).Write(&file, 0); err != nil {
		return nil, err
	}
	return model.Open(&model.Package{Name: "fake", Compiled: enginetest.Compiled(vocabulary), Embedded: file.Bytes()}, opts...)
}

func mustOpenFake(t *testing.T) *model.Model {
	t.Helper()
	m, err := openFake(model.Threads(2))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestStorm is what a server does to a model.
func TestStorm(t *testing.T) { modeltest.Storm(t, openFake, 16, 100) }

// TestOneCallAtATime has goroutines share a session against the rules: every
// step is either whole or ErrBusy.
func TestOneCallAtATime(t *testing.T) {
	m := mustOpenFake(t)
	defer m.Close()
	s := m.NewSession()
	var read atomic.Int64
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 200 {
				switch err := s.Step(context.Background(), 'a'); {
				case err == nil:
					read.Add(1)
				case !errors.Is(err, model.ErrBusy):
					t.Error(err)
				}
				s.Fork().Close()
			}
		})
	}
	group.Wait()
	if n := s.Position(); n == 0 || int64(n) != read.Load() {
		t.Errorf("%d ids were read, by %d steps", n, read.Load())
	}
}
