package tokenizer

// encoder is what one call of AppendEncode needs; calls pass it on, so that
// its memory and its cache serve the next.
type encoder struct {
	t       *Tokenizer
	ids     []int32
	cache   cache
	symbols []symbol
	heap    []pending
}

const (
	// maxWord bounds a word in bytes, and with it the memory that one takes:
	// longer ones are cut. No text that people write has such words.
	maxWord = 1 << 22
	// keptSymbols bounds the memory that an idle encoder keeps.
	keptSymbols = 1 << 16
)

func newEncoder(t *Tokenizer) *encoder { return &encoder{t: t} }

// AppendEncode appends the ids of the text. Added tokens are matched inside
// the text always; special puts the ids around it that the tokenizer's
// template asks for. Bytes that are not UTF-8 are encoded as they are.
func (t *Tokenizer) AppendEncode(dst []int32, text string, special bool) []int32 {
	e := t.encoders.Get().(*encoder)
	e.ids = dst
	if special {
		e.ids = append(e.ids, t.prefix...)
	}
	t.raw.split(text, e.normalize, e.add)
	if special {
		e.ids = append(e.ids, t.suffix...)
	}
	dst, e.ids = e.ids, nil
	if cap(e.symbols) > keptSymbols {
		e.symbols, e.heap = nil, nil
	}
	t.encoders.Put(e)
	return dst
}

func (e *encoder) add(id int32) { e.ids = append(e.ids, id) }

// normalize encodes text that holds no added token of the raw kind.
func (e *encoder) normalize(text string) {
	for _, n := range e.t.normalizers {
		text = n.normalize(text)
	}
	e.t.normalized.split(text, e.words, e.add)
}

// words encodes text that holds no added token.
func (e *encoder) words(text string) { e.cut(e.t.preTokenizers, text) }

// cut hands the words that the first step makes of the text to the others.
func (e *encoder) cut(steps []PreTokenizer, text string) {
	if len(steps) == 0 {
		e.word(text)
		return
	}
	first, rest := steps[0], steps[1:]
	for text = first.prepare(text); len(text) > 0; {
		n := first.cut(text)
		e.cut(rest, text[:n])
		text = text[n:]
	}
}

// word encodes what no merge reaches beyond.
func (e *encoder) word(word string) {
	if len(word) > cachedBytes {
		for len(word) > maxWord {
			e.merge(word[:maxWord])
			word = word[maxWord:]
		}
		e.merge(word)
		return
	}
	key := pack(word)
	slot := e.cache.slot(key)
	if slot.word == key {
		e.ids = append(e.ids, slot.ids[:slot.count]...)
		return
	}
	before := len(e.ids)
	e.merge(word)
	if ids := e.ids[before:]; len(ids) <= cachedIDs {
		slot.word = key
		slot.count = uint8(copy(slot.ids[:], ids))
	}
}
