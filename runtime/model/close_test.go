package model_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/mambac/mambac/runtime/model"
)

// TestCloseUnderWay closes a model that goroutines use: their calls are whole
// or return ErrClosed, and all of them end.
func TestCloseUnderWay(t *testing.T) {
	m := mustOpenFake(t)
	var group, begun sync.WaitGroup
	for range 8 {
		begun.Add(1)
		group.Go(func() {
			s, n := m.NewSession(), 0
			for _, err := range s.Generate(context.Background(), "a", model.MaxTokens(-1), model.IgnoreEndTokens()) {
				if n++; n == 10 {
					begun.Done()
				}
				if err != nil && !errors.Is(err, model.ErrClosed) {
					t.Error(err)
				}
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	begun.Wait()
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	group.Wait()
}

// calling is a file whose writer or reader has something else to do first.
type calling struct {
	file bytes.Buffer
	call func() error
}

func (c *calling) Write(p []byte) (int, error) {
	return c.during(func() (int, error) { return c.file.Write(p) })
}

func (c *calling) Read(p []byte) (int, error) {
	return c.during(func() (int, error) { return c.file.Read(p) })
}

func (c *calling) during(do func() (int, error)) (int, error) {
	if c.call != nil {
		call := c.call
		c.call = nil
		if err := call(); err != nil {
			return 0, err
		}
	}
	return do()
}

// TestCloseWhileAStateTravels closes the model while a state is on its way to
// or from a file, which may be a slow connection: closing does not wait for it.
func TestCloseWhileAStateTravels(t *testing.T) {
	m := mustOpenFake(t)
	s := m.NewSession()
	if err := s.Prefill(context.Background(), []int{'a', 'b', 'c'}); err != nil {
		t.Fatal(err)
	}
	file := calling{call: m.Close}
	if err := s.Save(&file); err != nil {
		t.Fatalf("save: %v", err)
	}
	m = mustOpenFake(t)
	s = m.NewSession()
	file.call = m.Close
	if err := s.Restore(&file); err != nil {
		t.Fatalf("restore: %v", err)
	}
	if err := s.Step(context.Background(), 'd'); !errors.Is(err, model.ErrClosed) {
		t.Errorf("step of a closed model: %v", err)
	}
}
