package model

import (
	"context"
	"io"

	"github.com/mambac/mambac/runtime/snapshot"
	"github.com/mambac/mambac/runtime/state"
)

// Save writes what the session has read as a state file: a few hundred
// kilobytes to a few megabytes, however long the text. Programs of the same
// checkpoint and storage read it, whatever their CPU level.
func (s *Session) Save(w io.Writer) error {
	h, err := s.header()
	if err != nil {
		return err
	}
	return state.Write(w, h)
}

// SaveFile is Save to a file that holds the old state or the new one, whatever
// happens to the program or the disk.
func (s *Session) SaveFile(path string) error {
	h, err := s.header()
	if err != nil {
		return err
	}
	return snapshot.SaveHeader(path, h)
}

// header is a copy of the session as a file says it, with the id that was
// generated last: what it is written to may be slow.
func (s *Session) header() (*state.Header, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.leave()
	if !s.generating {
		if err := s.settle(context.Background()); err != nil {
			return nil, err
		}
	}
	if err := s.straighten(context.Background()); err != nil {
		return nil, err
	}
	n := &snapshot.Snapshot{State: s.states[0], Text: s.text}
	if s.ready {
		n.Logits = s.logits[0]
	}
	if !s.partial {
		n.Seen = s.seen
	}
	return s.model.codec.Header(n)
}

// Restore replaces what the session has read by a state file of the same
// checkpoint and storage. After an error the session is as before. It reads to
// the end of the file's own length, not of r. The next token costs no step: it is
// chosen from the logits in the file.
func (s *Session) Restore(r io.Reader) error {
	return s.restore(func() (*snapshot.Snapshot, error) { return s.model.codec.Read(r) })
}

// RestoreFile is Restore from a file that holds a state and nothing else.
func (s *Session) RestoreFile(path string) error {
	return s.restore(func() (*snapshot.Snapshot, error) { return s.model.codec.Load(path) })
}

func (s *Session) restore(read func() (*snapshot.Snapshot, error)) error {
	if err := s.enterToWrite(); err != nil {
		return err
	}
	defer s.busy.Store(false)
	s.model.done() // reading may be slow; a session's own memory stays when the model is closed
	n, err := read()
	if err != nil {
		return err
	}
	s.reader, s.states[0] = nil, n.State
	if s.ready = n.Logits != nil; s.ready {
		copy(s.logits[0], n.Logits)
	}
	s.pending, s.text = none, n.Text
	clear(s.seen)
	copy(s.seen, n.Seen)
	s.partial = n.Seen == nil
	return nil
}
