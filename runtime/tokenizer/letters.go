package tokenizer

import (
	"strings"
	"unicode/utf8"
)

// ByteLetters is the letter that stands for each byte in a byte-level
// vocabulary: itself if it prints, else the next unused from U+0100 on.
var ByteLetters = func() (letters [256]rune) {
	next := rune(0x100)
	for c := range letters {
		letters[c] = rune(c)
		if !('!' <= c && c <= '~' || 0xa1 <= c && c <= 0xac || 0xae <= c) {
			letters[c] = next
			next++
		}
	}
	return letters
}()

// letterBytes is the inverse of ByteLetters: letters lie below 0x144.
var letterBytes = func() (inverse [0x144]int16) {
	for r := range inverse {
		inverse[r] = None
	}
	for c, r := range ByteLetters {
		inverse[r] = int16(c)
	}
	return inverse
}()

// LetterByte returns the byte that a letter stands for.
func LetterByte(r rune) (byte, bool) {
	if r < 0 || int(r) >= len(letterBytes) || letterBytes[r] == None {
		return 0, false
	}
	return byte(letterBytes[r]), true
}

// plain tells whether the letters of a text are the text.
func plain(text string) bool {
	for i := range len(text) {
		if text[i] < '!' || text[i] > '~' {
			return false
		}
	}
	return true
}

// toLetters shows next the letters of the bytes of a text.
func toLetters(next func(string, bool)) func(string, bool) {
	return func(text string, first bool) {
		if !plain(text) {
			var b strings.Builder
			b.Grow(2 * len(text))
			for i := range len(text) {
				b.WriteRune(ByteLetters[text[i]])
			}
			text = b.String()
		}
		next(text, first)
	}
}

// fromLetters shows next the bytes that a text of letters stands for.
func fromLetters(next func(string, bool)) func(string, bool) {
	return func(text string, first bool) {
		if !plain(text) {
			out := make([]byte, 0, len(text))
			for _, r := range text {
				if c, ok := LetterByte(r); ok {
					out = append(out, c)
				} else { // no step makes other letters
					out = utf8.AppendRune(out, r)
				}
			}
			text = string(out)
		}
		next(text, first)
	}
}
