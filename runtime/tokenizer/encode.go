package tokenizer

import (
	"slices"
	"unicode/utf8"
)

// encoder is what one call of AppendEncode needs; calls pass it on, so that
// its memory and its cache serve the next.
type encoder struct {
	t        *Tokenizer
	ids      []int32
	err      error
	cut      func(text string, first bool) // the pre-tokenizers
	uncached func(word string, first bool) // what is behind the cache
	cache    cache
	symbols  []symbol
	unknowns int
	heap     []pending
	ways     []reached
}

const (
	// maxWord bounds a word in bytes, and with it the memory that one takes:
	// longer ones are cut. No text that people write has such words.
	maxWord = 1 << 22
	// keptSymbols bounds the memory that an idle encoder keeps.
	keptSymbols = 1 << 16
)

// newEncoder links the steps. Those behind ByteLevel are shown letters, and as
// what they make depends on the word alone, the cache lies before them.
func newEncoder(t *Tokenizer) *encoder {
	e := &encoder{t: t}
	e.uncached = func(word string, _ bool) { e.model(word) }
	steps := t.preTokenizers
	for i, s := range steps {
		if _, ok := s.(ByteLevel); ok && i+1 < len(steps) {
			e.uncached = toLetters(e.chain(steps[i+1:], fromLetters(e.uncached)))
			steps = steps[:i+1]
			break
		}
	}
	e.cut = e.chain(steps, func(word string, _ bool) { e.word(word) })
	return e
}

// chain has the words of each step go to the one behind it, and in the end to
// last.
func (e *encoder) chain(steps []PreTokenizer, last func(string, bool)) func(string, bool) {
	for _, s := range slices.Backward(steps) {
		last = e.stage(s, last)
	}
	return last
}

// stage has the words that a step makes of a text go to next.
func (e *encoder) stage(s PreTokenizer, next func(string, bool)) func(string, bool) {
	return func(text string, first bool) {
		if err := s.split(text, first, next); err != nil {
			e.err = err
		}
	}
}

// AppendEncode appends the ids of the text. Added tokens are matched inside
// the text always; special puts the ids around it that the tokenizer's
// template asks for. Bytes that are not UTF-8 are encoded as they are. It
// fails if an expression of the tokenizer takes too long on the text.
func (t *Tokenizer) AppendEncode(dst []int32, text string, special bool) ([]int32, error) {
	e := t.encoders.Get().(*encoder)
	e.ids, e.err = dst, nil
	if special {
		e.ids = append(e.ids, t.prefix...)
	}
	t.raw.split(text, true, e.normalize, e.add)
	if special {
		e.ids = append(e.ids, t.suffix...)
	}
	dst, e.ids = e.ids, nil
	if cap(e.symbols) > keptSymbols || cap(e.ways) > keptSymbols {
		e.symbols, e.heap, e.ways = nil, nil, nil
	}
	err := e.err
	t.encoders.Put(e)
	return dst, err
}

func (e *encoder) add(id int32) { e.ids = append(e.ids, id) }

// normalize encodes text that holds no added token of the raw kind.
func (e *encoder) normalize(text string, first bool) {
	for _, n := range e.t.normalizers {
		var err error
		if text, err = n.normalize(text); err != nil {
			e.err = err
			return
		}
	}
	e.t.normalized.split(text, first, e.cut, e.add)
}

// word encodes what no token reaches beyond.
func (e *encoder) word(word string) {
	if len(word) > cachedBytes {
		e.uncached(word, false)
		return
	}
	key := pack(word)
	slot := e.cache.slot(key)
	if slot.word == key {
		e.ids = append(e.ids, slot.ids[:slot.count]...)
		return
	}
	before := len(e.ids)
	e.uncached(word, false)
	if ids := e.ids[before:]; len(ids) <= cachedIDs && e.err == nil {
		slot.word = key
		slot.count = uint8(copy(slot.ids[:], ids))
	}
}

// model appends the ids of a word.
func (e *encoder) model(word string) {
	for len(word) > maxWord {
		end := wholeCharacters(word, maxWord)
		e.part(word[:end])
		word = word[end:]
	}
	e.part(word)
}

// part appends the ids of a word of up to maxWord bytes.
func (e *encoder) part(word string) {
	if e.t.model.Kind == Unigram {
		e.choose(word)
	} else {
		e.merge(word)
	}
}

// wholeCharacters returns the last place up to end at which no character is
// cut.
func wholeCharacters(text string, end int) int {
	for back := range utf8.UTFMax {
		if utf8.RuneStart(text[end-back]) {
			return end - back
		}
	}
	return end
}
