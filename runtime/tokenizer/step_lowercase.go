package tokenizer

import (
	"strings"
	"unicode"
)

// Lowercase turns every character into small letters, by itself: no other
// changes what becomes of it.
type Lowercase struct{}

const lowercaseKind = 7

func init() { normalizerKinds.register(lowercaseKind, without[Normalizer](Lowercase{})) }

func (Lowercase) kind() uint32 { return lowercaseKind }

func (Lowercase) appendParameters(dst []byte) []byte { return dst }

// dottedI is the one character whose small form is two, i and a dot above.
const dottedI = 'İ'

func (Lowercase) normalize(text string) (string, error) {
	return rewrite(text, func(b *strings.Builder, r rune) {
		if r == dottedI {
			b.WriteString("i\u0307")
		} else {
			b.WriteRune(unicode.ToLower(r))
		}
	}), nil
}

// rewrite calls write for every character; bytes that are not UTF-8 stay.
func rewrite(text string, write func(b *strings.Builder, r rune)) string {
	var b strings.Builder
	b.Grow(len(text))
	for at := 0; at < len(text); {
		r, n := runeAt(text, at)
		if r == '\uFFFD' {
			b.WriteString(text[at : at+n])
		} else {
			write(&b, r)
		}
		at += n
	}
	return b.String()
}
