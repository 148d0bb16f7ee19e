package app

import (
	"fmt"
	"io"
	"unicode"
	"unicode/utf8"
)

// printer writes text as it comes; on a terminal control characters are
// escaped, so that a model cannot drive it.
type printer struct {
	w      io.Writer
	escape bool
	last   byte
	buffer []byte
}

func (p *printer) print(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	p.last = text[len(text)-1]
	if p.escape {
		p.buffer = appendEscaped(p.buffer[:0], text)
		text = p.buffer
	}
	_, err := p.w.Write(text)
	return err
}

// endLine begins a new line on a terminal; elsewhere the text stays as it is.
func (p *printer) endLine() error {
	if !p.escape || p.last == '\n' {
		return nil
	}
	return p.print([]byte{'\n'})
}

// drives tells of characters that a terminal does not show but does: controls, and those
// that turn the direction of the text around them, so that it reads as another.
func drives(r rune) bool {
	return unicode.IsControl(r) || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// appendEscaped spells out what drives a terminal but tabs and line ends.
func appendEscaped(dst, text []byte) []byte {
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		switch {
		case r == '\n' || r == '\t' || !drives(r):
			dst = append(dst, text[:n]...)
		case r < utf8.RuneSelf:
			dst = fmt.Appendf(dst, `\x%02x`, r)
		default:
			dst = fmt.Appendf(dst, `\u%04x`, r)
		}
		text = text[n:]
	}
	return dst
}

// Escaped is a text as it may go to a terminal: control characters but tabs and
// line ends are spelt out.
func Escaped(text string) string { return string(appendEscaped(nil, []byte(text))) }
