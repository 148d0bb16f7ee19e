package shelf

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// counter makes numbers, each one more than the last.
type counter struct{ atomic.Int64 }

func (c *counter) next() (int64, error) { return c.Add(1), nil }

// await waits until so many have a value or wait for one.
func await[K comparable, V any](s *Shelf[K, V], users int) {
	for s.Users() != users {
		runtime.Gosched()
	}
}

// requireEmpty demands that nothing is left.
func requireEmpty[K comparable, V any](t *testing.T, s *Shelf[K, V]) {
	t.Helper()
	if s.Users() != 0 || len(s.items) != 0 {
		t.Errorf("%d users and %d values are left", s.Users(), len(s.items))
	}
}

// TestTake: a value is the same for all who have it at once, and another for those
// who come when it is gone, or forgotten.
func TestTake(t *testing.T) {
	var s Shelf[string, int64]
	var c counter
	take := func(key string, want int64) (putBack func()) {
		t.Helper()
		v, putBack, err := s.Take(key, c.next)
		if v != want || err != nil {
			t.Fatalf("%s is %d, %v, want %d", key, v, err, want)
		}
		return putBack
	}
	first, second, other := take("a", 1), take("a", 1), take("b", 2)
	first()
	third := take("a", 1)
	s.Forget("a")
	renewed := take("a", 3)
	second()
	third()
	again := take("a", 3)
	if s.Users() != 3 {
		t.Errorf("%d users, want 3", s.Users())
	}
	for _, putBack := range []func(){other, renewed, again} {
		putBack()
	}
	requireEmpty(t, &s)
	take("a", 4)()
	requireEmpty(t, &s)
}

// TestAtOnce: it is made once, however many wait for it.
func TestAtOnce(t *testing.T) {
	var s Shelf[int, int64]
	var c counter
	const many = 20
	wait := make(chan struct{})
	var group sync.WaitGroup
	for range many {
		group.Go(func() {
			v, putBack, err := s.Take(7, func() (int64, error) {
				<-wait
				return c.next()
			})
			if v != 1 || err != nil {
				t.Errorf("it is %d, %v", v, err)
				return
			}
			putBack()
		})
	}
	await(&s, many)
	close(wait)
	group.Wait()
	if n := c.Load(); n != 1 {
		t.Errorf("it is made %d times", n)
	}
	requireEmpty(t, &s)
}

// TestErrors: all who wait are told of it, and the next one tries again.
func TestErrors(t *testing.T) {
	var s Shelf[int, int64]
	broken, wait := errors.New("broken"), make(chan struct{})
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			_, putBack, err := s.Take(7, func() (int64, error) {
				<-wait
				return 0, broken
			})
			if err != broken || putBack != nil {
				t.Errorf("error %v", err)
			}
		})
	}
	await(&s, 3)
	close(wait)
	group.Wait()
	requireEmpty(t, &s)
	var c counter
	if v, putBack, err := s.Take(7, c.next); v != 1 || err != nil {
		t.Errorf("then it is %d, %v", v, err)
	} else {
		putBack()
	}
}

// TestPanic: a panic is one of who makes the value; who waits is told, and the next
// one tries again.
func TestPanic(t *testing.T) {
	var s Shelf[int, int64]
	wait, waited := make(chan struct{}), make(chan error, 1)
	var group sync.WaitGroup
	group.Go(func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		_, _, _ = s.Take(7, func() (int64, error) {
			<-wait
			panic("boom")
		})
	})
	await(&s, 1)
	group.Go(func() {
		_, _, err := s.Take(7, func() (int64, error) { return 0, nil })
		waited <- err
	})
	await(&s, 2)
	close(wait)
	group.Wait()
	if err := <-waited; err != ErrPanicked {
		t.Errorf("who has waited is told %v", err)
	}
	requireEmpty(t, &s)
}
