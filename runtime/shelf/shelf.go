// Package shelf holds values by their keys while somebody uses them, each made once
// however many wait for it; it sees nothing of ours.
package shelf

import (
	"errors"
	"sync"
)

// ErrPanicked is returned to those who wait for a value while making it panics.
var ErrPanicked = errors.New("what was waited for has panicked")

// Shelf holds values. Its zero value is an empty one.
type Shelf[K comparable, V any] struct {
	mu    sync.Mutex
	items map[K]*item[V]
	users int // of all values, those too that were forgotten
}

// item is there from the first Take of its key until the last one has put it back.
type item[V any] struct {
	users int           // guarded by the shelf's mu
	made  chan struct{} // closed once value and err are what they are
	value V
	err   error
}

// Take gives the value of a key, which fill makes if nobody has it: once, however many
// ask at the same time. Who has got it calls putBack, once.
func (s *Shelf[K, V]) Take(key K, fill func() (V, error)) (value V, putBack func(), err error) {
	i, first := s.enter(key)
	taken := false
	defer func() {
		if !taken { // an error, or a panic of fill
			s.leave(key, i)
		}
	}()
	if first {
		i.fill(fill)
	} else {
		<-i.made
	}
	if i.err != nil {
		return value, nil, i.err
	}
	taken = true
	return i.value, func() { s.leave(key, i) }, nil
}

// fill makes the value. Who waits is told if that panics.
func (i *item[V]) fill(fill func() (V, error)) {
	defer close(i.made)
	i.err = ErrPanicked
	i.value, i.err = fill()
}

func (s *Shelf[K, V]) enter(key K) (i *item[V], first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i = s.items[key]
	if first = i == nil; first {
		if s.items == nil {
			s.items = map[K]*item[V]{}
		}
		i = &item[V]{made: make(chan struct{})}
		s.items[key] = i
	}
	i.users++
	s.users++
	return i, first
}

func (s *Shelf[K, V]) leave(key K, i *item[V]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users--
	if i.users--; i.users == 0 && s.items[key] == i {
		delete(s.items, key)
	}
}

// Forget has the next one who takes a key get a new value. Who has the old one keeps
// it.
func (s *Shelf[K, V]) Forget(key K) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.items, key)
}

// Users is how many have a value, or wait for one.
func (s *Shelf[K, V]) Users() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.users
}
