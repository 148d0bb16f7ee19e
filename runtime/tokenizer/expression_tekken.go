package tokenizer

import (
	"unicode"
	"unicode/utf8"
)

func init() {
	known[`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|`+
		`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|`+
		`\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`] = tekken
}

// tekken returns the length of the first word of text, as Mistral's newer
// models have it: words also end where small letters do.
func tekken(text string) int {
	first, n := classAt(text, 0)
	before := 0 // what may stand before a word
	if first != letter && first != number && text[0] != '\r' && text[0] != '\n' {
		before = n
	}
	for _, from := range [...]int{before, 0} {
		if end := smallWord(text, from); end > 0 {
			return end
		}
	}
	if end := capitals(text, before); end > before {
		return end
	}
	switch {
	case first == number:
		return n
	case first == other:
		return newlinesOrSlashes(text, runEnd(text, n, other))
	case text[0] == ' ' && len(text) > 1:
		if second, m := classAt(text, 1); second == other {
			return newlinesOrSlashes(text, runEnd(text, 1+m, other))
		}
	}
	if end := lastNewline(text); end > 0 {
		return end
	}
	return spaces(text)
}

// smallWord returns where a word ends that begins at from with capitals, if
// any, and ends in small letters, 0 if there is none. Letters without case and
// marks are both: without a small letter behind them, the capitals leave the
// last of those to be the end.
func smallWord(text string, from int) int {
	end := capitals(text, from)
	if small := smalls(text, end); small > end {
		return small
	}
	for end > from {
		r, n := utf8.DecodeLastRuneInString(text[:end])
		if isSmall(r) {
			return end
		}
		end -= n
	}
	return 0
}

func capitals(text string, from int) int { return whileRune(text, from, isCapital) }

func smalls(text string, from int) int { return whileRune(text, from, isSmall) }

// whileRune returns where the characters that begin at from end.
func whileRune(text string, from int, is func(rune) bool) int {
	for from < len(text) {
		r, n := runeAt(text, from)
		if !is(r) {
			break
		}
		from += n
	}
	return from
}

func isCapital(r rune) bool { return isCaseless(r) || unicode.In(r, unicode.Lu, unicode.Lt) }

func isSmall(r rune) bool { return unicode.Is(unicode.Ll, r) || isCaseless(r) }

func isCaseless(r rune) bool {
	return r >= 0x80 && unicode.In(r, unicode.Lm, unicode.Lo, unicode.M)
}

func newlinesOrSlashes(text string, end int) int {
	for end < len(text) && (text[end] == '\r' || text[end] == '\n' || text[end] == '/') {
		end++
	}
	return end
}
