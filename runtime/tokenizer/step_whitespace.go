package tokenizer

// WhitespaceSplit splits at white space, which is left out.
type WhitespaceSplit struct{}

// Whitespace is WhitespaceSplit that also parts what belongs to words, \w,
// from what does not.
type Whitespace struct{}

const (
	whitespaceSplitKind = 5
	whitespaceKind      = 6
)

func init() {
	preTokenizerKinds.register(whitespaceSplitKind, without[PreTokenizer](WhitespaceSplit{}))
	preTokenizerKinds.register(whitespaceKind, without[PreTokenizer](Whitespace{}))
}

func (WhitespaceSplit) kind() uint32 { return whitespaceSplitKind }

func (WhitespaceSplit) appendParameters(dst []byte) []byte { return dst }

func (WhitespaceSplit) split(text string, first bool, yield func(string, bool)) error {
	splitClass(text, first, Removed, yield, isSpace)
	return nil
}

func (Whitespace) kind() uint32 { return whitespaceKind }

func (Whitespace) appendParameters(dst []byte) []byte { return dst }

func (Whitespace) split(text string, first bool, yield func(string, bool)) error {
	splitClass(text, first, Removed, func(word string, first bool) {
		splitClass(word, first, Contiguous, yield, isWord)
	}, isSpace)
	return nil
}
