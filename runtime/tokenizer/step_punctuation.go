package tokenizer

import (
	"unicode"
	"unicode/utf8"
)

// Punctuation splits by marks of punctuation.
type Punctuation struct{ Behavior Behavior }

const punctuationKind = 4

func init() { preTokenizerKinds.register(punctuationKind, readPunctuation) }

func (p Punctuation) kind() uint32 { return punctuationKind }

func (p Punctuation) appendParameters(dst []byte) []byte { return append(dst, byte(p.Behavior)) }

func readPunctuation(parameters []byte) (PreTokenizer, error) {
	f := fields{rest: parameters}
	return Punctuation{Behavior(f.flags(byte(Behaviors)))}, f.end("Punctuation")
}

func (p Punctuation) split(text string, first bool, yield func(string, bool)) error {
	splitClass(text, first, p.Behavior, yield, isPunctuation)
	return nil
}

// isPunctuation also takes the marks of ASCII that Unicode calls symbols.
func isPunctuation(r rune) bool {
	if r < utf8.RuneSelf {
		return '!' <= r && r <= '/' || ':' <= r && r <= '@' || '[' <= r && r <= '`' || '{' <= r && r <= '~'
	}
	return unicode.IsPunct(r)
}
