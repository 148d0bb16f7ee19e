package tokenizer

import (
	"strings"
	"unicode"
)

// StripAccents removes all marks; those that are parts of characters stay
// unless the text was decomposed before.
type StripAccents struct{}

const stripAccentsKind = 9

func init() { normalizerKinds.register(stripAccentsKind, without[Normalizer](StripAccents{})) }

func (StripAccents) kind() uint32 { return stripAccentsKind }

func (StripAccents) appendParameters(dst []byte) []byte { return dst }

func (StripAccents) normalize(text string) (string, error) {
	return rewrite(text, func(b *strings.Builder, r rune) {
		if !unicode.IsMark(r) {
			b.WriteRune(r)
		}
	}), nil
}
