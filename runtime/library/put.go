package library

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/mambac/mambac/runtime/atomicfile"
	"github.com/mambac/mambac/runtime/state"
)

// Put makes a state of a name, or replaces it, by a state file that write writes.
// What e says as Label, Source, Parent and Created takes the place of what that
// file says; without a time it is now. After an error, and if this process dies,
// the old state is there as before.
func (l *Library) Put(name string, e Entry, write func(io.Writer) error) error {
	if _, err := l.look(name); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	return atomicfile.Write(l.Path(name), 0o600, func(w io.Writer) error { return l.described(w, &e, write) })
}

// described writes what write does, with another description.
func (l *Library) described(w io.Writer, e *Entry, write func(io.Writer) error) error {
	r, in := io.Pipe()
	rewritten := make(chan error, 1)
	go func() {
		err := l.rewrite(w, r, e)
		r.CloseWithError(err)
		rewritten <- err
	}()
	err := errors.New("the writer did not end")
	defer func() { in.CloseWithError(err) }() // if write panics
	err = write(in)
	in.CloseWithError(err)
	if other := <-rewritten; err == nil {
		err = other
	}
	return err
}

func (l *Library) rewrite(w io.Writer, r io.Reader, e *Entry) error {
	err := state.Rewrite(w, r, func(h *state.Header) { l.describe(h, e) })
	if err != nil {
		return err
	}
	if n, err := io.Copy(io.Discard, r); err != nil || n > 0 {
		return errors.Join(err, fmt.Errorf("%d bytes behind a state file", n))
	}
	return nil
}

// describe gives a header what an entry says.
func (l *Library) describe(h *state.Header, e *Entry) {
	for to, text := range map[*string]string{&h.Label: e.Label, &h.Source: e.Source, &h.Parent: e.Parent} {
		if text != "" {
			*to = text
		}
	}
	switch {
	case !e.Created.IsZero():
		h.Created = e.Created
	case h.Created.IsZero():
		h.Created = l.Now()
	}
	h.Created = h.Created.UTC().Truncate(time.Second)
}

// Fork copies a state to a new name; the two go on independently.
func (l *Library) Fork(from, to string) error {
	if err := CheckName(to); err != nil {
		return err
	}
	f, _, err := l.Get(from)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := os.Lstat(l.Path(to)); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", to, ErrExists)
	}
	return l.Put(to, Entry{Parent: from, Created: l.Now()}, func(w io.Writer) error {
		_, err := io.Copy(w, f)
		return err
	})
}
