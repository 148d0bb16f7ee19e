package tokenizer

// The expressions of GPT-4 and those made after it differ in how many digits
// they take together.
func init() {
	const before, after = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|`, `| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	known[before+`\p{N}{1,3}`+after] = func(text string) int { return cl100k(text, 3) }
	known[before+`\p{N}`+after] = func(text string) int { return cl100k(text, 1) }
}

// cl100k returns the length of the first word of text, with up to so many
// digits.
func cl100k(text string, digits int) int {
	first, n := classAt(text, 0)
	if text[0] == '\'' {
		if suffix := contractionOfAnyCase(text); suffix > 0 {
			return suffix
		}
	}
	switch {
	case first == letter:
		return runEnd(text, n, letter)
	case first == number:
		return numbers(text, digits)
	case n == len(text):
		return n
	}
	second, m := classAt(text, n)
	switch {
	case second == letter && text[0] != '\r' && text[0] != '\n':
		return runEnd(text, n+m, letter)
	case first == other:
		return newlines(text, runEnd(text, n, other))
	case text[0] == ' ' && second == other:
		return newlines(text, runEnd(text, n+m, other))
	}
	if end := lastNewline(text); end > 0 {
		return end
	}
	return spaces(text)
}

// contractionOfAnyCase is contraction for both cases, and for the long s,
// which is an s where cases do not count.
func contractionOfAnyCase(text string) int {
	const longS = "'ſ"
	if len(text) >= len(longS) && text[:len(longS)] == longS {
		return len(longS)
	}
	small := [3]byte{'\''}
	n := min(len(text), len(small))
	for i := 1; i < n; i++ {
		small[i] = text[i]
		if 'A' <= text[i] && text[i] <= 'Z' {
			small[i] += 'a' - 'A'
		}
	}
	return contraction(string(small[:n]))
}

// numbers returns where the first numbers of text end, of at most so many.
func numbers(text string, most int) int {
	end := 0
	for range most {
		if end == len(text) {
			break
		}
		c, n := classAt(text, end)
		if c != number {
			break
		}
		end += n
	}
	return end
}

// newlines returns where the line ends that follow at end.
func newlines(text string, end int) int {
	for end < len(text) && (text[end] == '\r' || text[end] == '\n') {
		end++
	}
	return end
}

// lastNewline returns the place behind the last line end in the white space
// that text begins with, 0 for none.
func lastNewline(text string) int {
	last := 0
	for at := 0; at < len(text); {
		c, n := classAt(text, at)
		if c != space {
			break
		}
		if at += n; text[at-1] == '\r' || text[at-1] == '\n' {
			last = at
		}
	}
	return last
}
