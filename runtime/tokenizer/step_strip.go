package tokenizer

import "strings"

// Strip removes white space from the ends of a text.
type Strip struct{ Left, Right bool }

const stripKind = 8

func init() { normalizerKinds.register(stripKind, readStrip) }

func (s Strip) kind() uint32 { return stripKind }

func (s Strip) appendParameters(dst []byte) []byte {
	flags := byte(0)
	if s.Left {
		flags |= 1
	}
	if s.Right {
		flags |= 2
	}
	return append(dst, flags)
}

func readStrip(parameters []byte) (Normalizer, error) {
	f := fields{rest: parameters}
	flags := f.flags(4)
	return Strip{Left: flags&1 != 0, Right: flags&2 != 0}, f.end("Strip")
}

func (s Strip) normalize(text string) (string, error) {
	if s.Left {
		text = strings.TrimLeftFunc(text, isSpace)
	}
	if s.Right {
		text = strings.TrimRightFunc(text, isSpace)
	}
	return text, nil
}
