package tokenizer

import (
	"bytes"
	"errors"
)

// ReplaceText puts a text in the place of another in every token.
type ReplaceText struct {
	Text, By string
	// Fused: all tokens are one.
	Fused bool
}

const (
	replaceTextKind = 4
	MaxReplaced     = 1 << 8 // in bytes
)

func init() { decodingKinds.register(replaceTextKind, readReplaceText) }

func (r ReplaceText) kind() uint32 { return replaceTextKind }

func (r ReplaceText) appendParameters(dst []byte) []byte {
	flags := byte(0)
	if r.Fused {
		flags = 1
	}
	return appendText(appendText(append(dst, flags), r.Text), r.By)
}

func readReplaceText(parameters []byte) (Decoding, error) {
	f := fields{rest: parameters}
	fused := f.flags(2) == 1
	r := ReplaceText{Text: f.text(), By: f.text(), Fused: fused}
	if err := f.end("Replace"); err != nil {
		return nil, err
	}
	if r.Text == "" || len(r.Text) > MaxReplaced {
		return nil, errors.New("the text that a decoder replaces is damaged")
	}
	return r, nil
}

func (r ReplaceText) begin(next stage) stage {
	return &replaceText{next: next, text: []byte(r.Text), by: []byte(r.By), fused: r.Fused}
}

type replaceText struct {
	next     stage
	text, by []byte
	fused    bool
	held     []byte // what the text to be replaced may begin with
	buffer   []byte
}

func (r *replaceText) resume() { r.next.resume() }

func (r *replaceText) add(text []byte) {
	r.held = append(r.held, text...)
	rest := r.held
	r.buffer = r.buffer[:0]
	for {
		i := bytes.Index(rest, r.text)
		if i < 0 {
			break
		}
		r.buffer = append(append(r.buffer, rest[:i]...), r.by...)
		rest = rest[i+len(r.text):]
	}
	keep := 0
	if r.fused {
		keep = overlap(rest, r.text)
	}
	r.buffer = append(r.buffer, rest[:len(rest)-keep]...)
	r.held = append(r.held[:0], rest[len(rest)-keep:]...)
	r.next.add(r.buffer)
}

func (r *replaceText) flush() {
	if len(r.held) > 0 {
		r.next.add(r.held)
	}
	r.held = r.held[:0]
	r.next.flush()
}

// overlap returns the length of the longest end of text that text to come may
// complete to next.
func overlap(text, next []byte) int {
	for n := min(len(text), len(next)-1); n > 0; n-- {
		if bytes.HasPrefix(next, text[len(text)-n:]) {
			return n
		}
	}
	return 0
}
