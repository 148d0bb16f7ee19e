package terminal

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// key is a character that was typed, or one of those below.
type key rune

const (
	keyNone key = -1 - iota // of no meaning here
	keyEnter
	keyEnd // of all: Ctrl-D, which also deletes
	keyLeft
	keyRight
	keyWordLeft
	keyWordRight
	keyFirst
	keyLast
	keyUp
	keyDown
	keyBackspace
	keyDelete
	keyDeleteWord
	keyDeleteNextWord
	keyDeleteToFirst
	keyDeleteToLast
	keyClear
)

// controls are the keys that send one byte.
var controls = map[byte]key{
	'\r': keyEnter, '\n': keyEnter, '\t': '\t', 0x7f: keyBackspace, control('H'): keyBackspace,
	control('A'): keyFirst, control('B'): keyLeft, control('D'): keyEnd, control('E'): keyLast, control('F'): keyRight,
	control('K'): keyDeleteToLast, control('L'): keyClear, control('N'): keyDown, control('P'): keyUp,
	control('U'): keyDeleteToFirst, control('W'): keyDeleteWord,
}

// control is what a letter sends with Ctrl.
func control(letter byte) byte { return letter & 0x1f }

// sequences are the keys that send ESC [ and more; those of one letter also come
// behind ESC O.
var sequences = map[string]key{
	"A": keyUp, "B": keyDown, "C": keyRight, "D": keyLeft, "F": keyLast, "H": keyFirst,
	"1~": keyFirst, "7~": keyFirst, "4~": keyLast, "8~": keyLast, "3~": keyDelete,
	"1;3C": keyWordRight, "1;5C": keyWordRight, "1;3D": keyWordLeft, "1;5D": keyWordLeft,
}

// alternates are the keys that send ESC and a byte: with Alt.
var alternates = map[byte]key{
	'b': keyWordLeft, 'f': keyWordRight, 'd': keyDeleteNextWord, 0x7f: keyDeleteWord, '\r': '\n', '\n': '\n',
}

const (
	escape = 0x1b
	// longestSequence bounds how long the end of a sequence is waited for.
	longestSequence = 32
)

// What a terminal puts around text that is pasted, if it was asked to.
var (
	pasteBegins = []byte("\x1b[200~")
	pasteEnds   = []byte("\x1b[201~")
)

// keys makes keys of bytes, however these are cut. What may yet become a longer
// sequence waits for more.
type keys struct {
	held  []byte
	paste bool // of a text, in which Enter is a line's end and nothing else
	cut   bool // the last key of a paste was \r: \n belongs to it
}

func (k *keys) add(b []byte) { k.held = append(k.held, b...) }

// next takes a key; false if there is none yet.
func (k *keys) next() (key, bool) {
	if len(k.held) == 0 {
		return keyNone, false
	}
	if k.paste {
		return k.pasted()
	}
	if k.held[0] == escape {
		return k.sequence()
	}
	if known, ok := controls[k.held[0]]; ok {
		return k.take(1, known)
	}
	return k.character()
}

// take is a key of n bytes.
func (k *keys) take(n int, is key) (key, bool) {
	k.held = k.held[n:]
	return is, true
}

// character takes one that stands for itself.
func (k *keys) character() (key, bool) {
	if !utf8.FullRune(k.held) {
		return keyNone, false
	}
	r, n := utf8.DecodeRune(k.held)
	if unicode.IsControl(r) {
		return k.take(n, keyNone)
	}
	return k.take(n, key(r))
}

// pasted takes a character of a text that is pasted.
func (k *keys) pasted() (key, bool) {
	after := k.cut
	k.cut = false
	switch b := k.held[0]; {
	case bytes.HasPrefix(k.held, pasteEnds):
		k.paste = false
		return k.take(len(pasteEnds), keyNone)
	case bytes.HasPrefix(pasteEnds, k.held):
		k.cut = after
		return keyNone, false
	case b == '\n' && after:
		return k.take(1, keyNone)
	case b == '\r':
		k.cut = true
		return k.take(1, '\n')
	case b == '\n' || b == '\t':
		return k.take(1, key(b))
	}
	return k.character()
}

// sequence takes what begins with ESC.
func (k *keys) sequence() (key, bool) {
	if len(k.held) == 1 {
		return keyNone, false
	}
	switch b := k.held[1]; {
	case b == '[':
		return k.bracket()
	case b == 'O' && len(k.held) == 2:
		return keyNone, false
	case b == 'O':
		return k.named(3, k.held[2:3])
	default:
		if known, ok := alternates[b]; ok {
			return k.take(2, known)
		}
		return k.take(1, keyNone) // what follows is a key of its own
	}
}

// bracket takes ESC [ and all to its last byte.
func (k *keys) bracket() (key, bool) {
	for i, b := range k.held[2:] {
		if b < 0x40 || b > 0x7e {
			continue
		}
		if k.paste = bytes.Equal(k.held[:i+3], pasteBegins); k.paste {
			return k.take(i+3, keyNone)
		}
		return k.named(i+3, k.held[2:i+3])
	}
	if len(k.held) > longestSequence {
		return k.take(len(k.held), keyNone)
	}
	return keyNone, false
}

// named takes n bytes for the key of a sequence.
func (k *keys) named(n int, name []byte) (key, bool) {
	known, ok := sequences[string(name)]
	if !ok {
		known = keyNone
	}
	return k.take(n, known)
}
