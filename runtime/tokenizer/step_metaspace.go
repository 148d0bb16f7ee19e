package tokenizer

import (
	"strings"
	"unicode/utf8"
)

// Metaspace is the pre-tokenizer of SentencePiece: a visible mark stands for
// each space.
type Metaspace struct {
	Replacement rune
	Prepend     PrependScheme
	// Split has each mark begin a word; else the text is one word.
	Split bool
}

// PrependScheme says which texts get a mark before them, if they begin with
// none.
type PrependScheme uint8

// The schemes, as the reference names them.
const (
	PrependNever  PrependScheme = iota
	PrependFirst                // the text that begins what is encoded
	PrependAlways               // every text between added tokens
	prependSchemes
)

const metaspaceKind = 7

func init() { preTokenizerKinds.register(metaspaceKind, readMetaspace) }

func (m Metaspace) kind() uint32 { return metaspaceKind }

func (m Metaspace) appendParameters(dst []byte) []byte {
	flags := byte(m.Prepend) << 1
	if m.Split {
		flags |= 1
	}
	return order.AppendUint32(append(dst, flags), uint32(m.Replacement))
}

func readMetaspace(parameters []byte) (PreTokenizer, error) {
	f := fields{rest: parameters}
	flags := f.flags(byte(prependSchemes) << 1)
	r := rune(f.number(utf8.MaxRune))
	return Metaspace{Replacement: r, Prepend: PrependScheme(flags >> 1), Split: flags&1 != 0}, f.end("Metaspace")
}

func (m Metaspace) split(text string, first bool, yield func(string, bool)) error {
	mark := string(m.Replacement)
	text = strings.ReplaceAll(text, " ", mark)
	if (m.Prepend == PrependAlways || m.Prepend == PrependFirst && first) && !strings.HasPrefix(text, mark) {
		text = mark + text
	}
	if !m.Split {
		yield(text, first)
		return nil
	}
	splitClass(text, first, MergedWithNext, yield, func(r rune) bool { return r == m.Replacement })
	return nil
}
