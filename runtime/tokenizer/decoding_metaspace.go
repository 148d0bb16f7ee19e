package tokenizer

import (
	"bytes"
	"unicode/utf8"
)

// MetaspaceMarks turns the marks of Metaspace into spaces again. If texts got a
// mark before them, those in the first token are left out.
type MetaspaceMarks struct {
	Replacement rune
	Prepended   bool
}

const metaspaceMarksKind = 2

func init() { decodingKinds.register(metaspaceMarksKind, readMetaspaceMarks) }

func (m MetaspaceMarks) kind() uint32 { return metaspaceMarksKind }

func (m MetaspaceMarks) appendParameters(dst []byte) []byte {
	flags := byte(0)
	if m.Prepended {
		flags = 1
	}
	return order.AppendUint32(append(dst, flags), uint32(m.Replacement))
}

func readMetaspaceMarks(parameters []byte) (Decoding, error) {
	f := fields{rest: parameters}
	prepended := f.flags(2) == 1
	return MetaspaceMarks{rune(f.number(utf8.MaxRune)), prepended}, f.end("Metaspace")
}

func (m MetaspaceMarks) begin(next stage) stage {
	return &metaspaceMarks{next: next, mark: []byte(string(m.Replacement)), prepended: m.Prepended, first: true}
}

type metaspaceMarks struct {
	next             stage
	mark, buffer     []byte
	prepended, first bool
}

func (m *metaspaceMarks) resume() {
	m.first = false
	m.next.resume()
}

func (m *metaspaceMarks) add(text []byte) {
	by := []byte{' '}
	if m.first && m.prepended {
		by = nil
	}
	m.first = false
	m.buffer = appendReplaced(m.buffer[:0], text, m.mark, by)
	m.next.add(m.buffer)
}

func (m *metaspaceMarks) flush() {
	m.first = true
	m.next.flush()
}

// appendReplaced appends text with every old one replaced.
func appendReplaced(dst, text, old, by []byte) []byte {
	for {
		i := bytes.Index(text, old)
		if i < 0 {
			return append(dst, text...)
		}
		dst = append(append(dst, text[:i]...), by...)
		text = text[i+len(old):]
	}
}
