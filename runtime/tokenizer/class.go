package tokenizer

import (
	"unicode"
	"unicode/utf8"
)

// class sorts characters as pre-tokenizers do. Bytes that are not UTF-8 are of
// the class other, as the replacement character is.
type class uint8

const (
	other  class = iota
	letter       // \p{L}
	number       // \p{N}
	space        // \s: the property White_Space
)

// asciiClasses saves the look-up in Unicode's tables for most text.
var asciiClasses = func() (classes [utf8.RuneSelf]class) {
	for c := range classes {
		classes[c] = classOf(rune(c))
	}
	return classes
}()

func classOf(r rune) class {
	switch {
	case unicode.IsLetter(r):
		return letter
	case isSpace(r):
		return space
	case unicode.IsNumber(r):
		return number
	}
	return other
}

func isSpace(r rune) bool { return unicode.Is(unicode.White_Space, r) }

// classAt returns the class and the length of the character at the place.
func classAt(text string, at int) (class, int) {
	if c := text[at]; c < utf8.RuneSelf {
		return asciiClasses[c], 1
	}
	r, n := utf8.DecodeRuneInString(text[at:])
	return classOf(r), n
}
