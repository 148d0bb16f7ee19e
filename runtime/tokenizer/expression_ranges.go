package tokenizer

// Expressions that are one range of ASCII, so often: of Falcon and of models
// made by SentencePiece.
func init() {
	known[`[0-9][0-9][0-9]`] = func(text string) int { return repeated(text, '0', '9', 3, 3) }
	known[` {2,}`] = func(text string) int { return repeated(text, ' ', ' ', 2, len(text)) }
}

// repeated returns how many bytes from low to high text begins with, at most
// most, and 0 if there are less than least.
func repeated(text string, low, high byte, least, most int) int {
	n := 0
	for n < min(most, len(text)) && low <= text[n] && text[n] <= high {
		n++
	}
	if n < least {
		return 0
	}
	return n
}
