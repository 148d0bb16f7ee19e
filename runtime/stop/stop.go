// Package stop ends a text before others that a user has named; it sees nothing of
// ours.
package stop

import "bytes"

// Stopper passes text on until a stop text appears. It holds back as much as
// may yet become one.
type Stopper struct {
	Texts [][]byte // to stop before, none empty
	held  []byte
	sent  int // bytes of held that the last Take returned
}

// Take adds text and returns what may be printed, valid until the next call,
// and whether a stop text has been found: it and all behind it is dropped.
func (s *Stopper) Take(text []byte) (out []byte, stopped bool) {
	s.held = append(s.held[:copy(s.held, s.held[s.sent:])], text...)
	at := s.first()
	if stopped = at >= 0; !stopped {
		at = len(s.held) - s.pending()
	}
	s.sent = at
	return s.held[:at], stopped
}

// Rest is the text still held back, for the end of the generation.
func (s *Stopper) Rest() []byte { return s.held[s.sent:] }

// first is where the earliest stop text begins, or -1.
func (s *Stopper) first() int {
	first := -1
	for _, stop := range s.Texts {
		if at := bytes.Index(s.held, stop); at >= 0 && (first < 0 || at < first) {
			first = at
		}
	}
	return first
}

// pending is the length of the longest end of the text that begins a stop
// text.
func (s *Stopper) pending() int {
	longest := 0
	for _, stop := range s.Texts {
		for n := min(len(stop)-1, len(s.held)); n > longest; n-- {
			if bytes.HasSuffix(s.held, stop[:n]) {
				longest = n
			}
		}
	}
	return longest
}
