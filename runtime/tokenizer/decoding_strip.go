package tokenizer

import (
	"bytes"
	"unicode/utf8"
)

// StripEnds leaves out up to so many of a character where a token starts, and
// up to so many where it stops.
type StripEnds struct {
	Content     rune
	Start, Stop int
	// Fused: all tokens are one.
	Fused bool
}

const (
	stripEndsKind = 3
	MaxStripped   = 1 << 10
)

func init() { decodingKinds.register(stripEndsKind, readStripEnds) }

func (s StripEnds) kind() uint32 { return stripEndsKind }

func (s StripEnds) appendParameters(dst []byte) []byte {
	flags := byte(0)
	if s.Fused {
		flags = 1
	}
	dst = order.AppendUint32(append(dst, flags), uint32(s.Content))
	return order.AppendUint32(order.AppendUint32(dst, uint32(s.Start)), uint32(s.Stop))
}

func readStripEnds(parameters []byte) (Decoding, error) {
	f := fields{rest: parameters}
	fused := f.flags(2) == 1
	content := rune(f.number(utf8.MaxRune))
	start, stop := int(f.number(MaxStripped)), int(f.number(MaxStripped))
	return StripEnds{Content: content, Start: start, Stop: stop, Fused: fused}, f.end("Strip")
}

// Apply is the step on one token.
func (s StripEnds) Apply(token []byte) []byte {
	content := []byte(string(s.Content))
	for range s.Start {
		token = bytes.TrimPrefix(token, content)
	}
	for range s.Stop {
		token = bytes.TrimSuffix(token, content)
	}
	return token
}

func (s StripEnds) begin(next stage) stage {
	if !s.Fused {
		return &stripTokens{StripEnds: s, next: next}
	}
	return &stripText{StripEnds: s, next: next, content: []byte(string(s.Content)), start: s.Start}
}

// stripTokens strips every token.
type stripTokens struct {
	StripEnds
	next stage
}

func (s *stripTokens) resume()         { s.next.resume() }
func (s *stripTokens) add(text []byte) { s.next.add(s.Apply(text)) }
func (s *stripTokens) flush()          { s.next.flush() }

// stripText strips the one token that comes in parts.
type stripText struct {
	StripEnds
	next    stage
	content []byte
	start   int // how many may yet be left out
	held    int // how many that may be the last are held back
}

func (s *stripText) resume() {
	s.start = 0
	s.next.resume()
}

func (s *stripText) add(text []byte) {
	for ; s.start > 0 && len(text) > 0; s.start-- {
		rest, ok := bytes.CutPrefix(text, s.content)
		if !ok {
			s.start = 0
			break
		}
		text = rest
	}
	if s.Stop == 0 {
		s.next.add(text)
		return
	}
	body, last := text, 0
	for rest, ok := bytes.CutSuffix(body, s.content); ok; rest, ok = bytes.CutSuffix(body, s.content) {
		body = rest
		last++
	}
	if len(body) > 0 {
		s.release(s.held)
		s.next.add(body)
	}
	s.held += last
	s.release(s.held - s.Stop)
}

// release hands over n of those that were held back, if n is not negative.
func (s *stripText) release(n int) {
	for range n {
		s.next.add(s.content)
		s.held--
	}
}

func (s *stripText) flush() {
	s.start, s.held = s.Start, 0
	s.next.flush()
}
