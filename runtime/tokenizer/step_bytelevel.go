package tokenizer

import (
	"errors"
	"unicode/utf8"
)

// ByteLevel is the pre-tokenizer of GPT-2. That it maps bytes to printable
// letters leaves no trace in a table, which holds the bytes; steps behind it
// are shown the letters.
type ByteLevel struct {
	// AddPrefixSpace puts a space before a text that begins with none.
	AddPrefixSpace bool
	// UseRegex splits the text into words; else it is one word. The words are
	// the matches of
	//
	//	's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
	UseRegex bool
}

const byteLevelKind = 1

func init() { preTokenizerKinds.register(byteLevelKind, readByteLevel) }

func (b ByteLevel) kind() uint32 { return byteLevelKind }

func (b ByteLevel) appendParameters(dst []byte) []byte {
	flags := byte(0)
	if b.AddPrefixSpace {
		flags |= 1
	}
	if b.UseRegex {
		flags |= 2
	}
	return append(dst, flags)
}

func readByteLevel(parameters []byte) (PreTokenizer, error) {
	if len(parameters) != 1 || parameters[0] > 3 {
		return nil, errors.New("the parameters of a byte level step are damaged")
	}
	return ByteLevel{AddPrefixSpace: parameters[0]&1 != 0, UseRegex: parameters[0]&2 != 0}, nil
}

func (b ByteLevel) split(text string, first bool, yield func(string, bool)) error {
	if b.AddPrefixSpace && text[0] != ' ' {
		text = " " + text
	}
	for len(text) > 0 {
		n := len(text)
		if b.UseRegex {
			n = gpt2(text)
		}
		yield(text[:n], first)
		text, first = text[n:], false
	}
	return nil
}

func init() {
	known[`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`] = gpt2
}

// gpt2 returns the length of the first word of text.
func gpt2(text string) int {
	first, n := classAt(text, 0)
	switch {
	case text[0] == '\'':
		if suffix := contraction(text); suffix > 0 {
			return suffix
		}
	case text[0] == ' ' && len(text) > 1:
		second, m := classAt(text, 1)
		if second != space {
			return runEnd(text, 1+m, second)
		}
		return spaces(text)
	case first == space:
		return spaces(text)
	}
	return runEnd(text, n, first)
}

// contraction returns the length of the English suffix, such as 're, that text
// begins with, or 0.
func contraction(text string) int {
	if len(text) < 2 {
		return 0
	}
	switch text[1] {
	case 's', 't', 'm', 'd':
		return 2
	}
	if len(text) > 2 {
		switch text[1:3] {
		case "re", "ve", "ll":
			return 3
		}
	}
	return 0
}

// runEnd returns where the characters of the class that begin at from end.
func runEnd(text string, from int, c class) int {
	for from < len(text) {
		if b := text[from]; b < utf8.RuneSelf {
			if asciiClasses[b] != c {
				return from
			}
			from++
			continue
		}
		next, n := classAt(text, from)
		if next != c {
			return from
		}
		from += n
	}
	return from
}

// spaces is \s+(?!\S)|\s+: the white space that text begins with, without its
// last character if more text and more white space is there.
func spaces(text string) int {
	last, end := 0, 0
	for end < len(text) {
		c, n := classAt(text, end)
		if c != space {
			break
		}
		last = end
		end += n
	}
	if end < len(text) && last > 0 {
		return last
	}
	return end
}
