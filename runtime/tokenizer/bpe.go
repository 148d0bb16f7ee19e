package tokenizer

import (
	"slices"
	"unicode/utf8"
)

// symbol is a token of a word that is being merged. The symbols of a word are
// linked; prev and next are -1 at its ends.
type symbol struct {
	id         int32 // mergedAway if it became part of the one before
	prev, next int32
}

const mergedAway = -1

// pending is a merge that was possible when it was noted: of the symbol at the
// place and the next one. Its key is the rank, then the place: the least goes
// first.
type pending struct {
	key    uint64
	result int32
}

// shortWord is the number of symbols up to which looking at all pairs again
// after each merge beats keeping a heap.
const shortWord = 32

// merge appends the ids of the word to the encoder's ids: of all pairs of
// neighbours the most urgent merges, the leftmost of equals, until none does.
func (e *encoder) merge(word string) {
	if e.t.model.IgnoreMerges {
		if id := e.t.pieces.find(word); id != None {
			e.ids = append(e.ids, id)
			return
		}
	}
	e.start(word)
	if len(e.symbols) <= shortWord {
		e.mergeShort(e.symbols)
		return
	}
	from := 0
	for i := range e.symbols {
		if next := i + 1; next == len(e.symbols) || !e.t.joints.may(e.symbols[i].id, e.symbols[next].id) {
			e.mergePart(from, next)
			from = next
		}
	}
}

// mergePart merges the symbols of a part that no merge reaches beyond.
func (e *encoder) mergePart(from, end int) {
	if end-from <= shortWord {
		e.mergeShort(e.symbols[from:end])
		return
	}
	e.symbols[from].prev, e.symbols[end-1].next = -1, -1
	e.mergeLong(from, end)
}

// start sets the symbols to the bytes or the characters of the word.
func (e *encoder) start(word string) {
	e.symbols = slices.Grow(e.symbols[:0], len(word))
	e.unknowns = 0
	if e.t.model.Kind == ByteBPE {
		e.startBytes(word)
	} else {
		e.startCharacters(word)
	}
	e.addUnknown()
}

func (e *encoder) startBytes(word string) {
	for i := range len(word) {
		if id := e.t.alphabet[word[i]]; id != None {
			e.addSymbol(id)
		} else {
			e.missing()
		}
	}
}

// startCharacters falls back to the bytes of a character where all have
// tokens. As in the reference, an unknown character before them that is still
// awaiting others comes behind them.
func (e *encoder) startCharacters(word string) {
	for len(word) > 0 {
		_, n := utf8.DecodeRuneInString(word)
		character := word[:n]
		word = word[n:]
		switch id := e.t.pieces.find(character); {
		case id != None:
			e.addSymbol(id)
		case e.t.hasBytes(character):
			for i := range len(character) {
				e.link(e.t.alphabet[character[i]])
			}
		default:
			e.missing()
		}
	}
}

// missing notes that a byte or a character has no token: it is dropped, or
// becomes the unknown token, which all that follow each other share if fused.
func (e *encoder) missing() {
	if e.unknowns == 0 || !e.t.model.FuseUnknown {
		e.addUnknown()
		e.unknowns = 1
	}
}

// addUnknown adds the symbol of what was missing before.
func (e *encoder) addUnknown() {
	if e.unknowns > 0 && e.t.model.Unknown != None {
		e.link(e.t.model.Unknown)
	}
	e.unknowns = 0
}

func (e *encoder) addSymbol(id int32) {
	if e.unknowns > 0 {
		e.addUnknown()
	}
	e.link(id)
}

func (e *encoder) link(id int32) {
	at := int32(len(e.symbols))
	e.symbols = append(e.symbols, symbol{id: id, prev: at - 1, next: at + 1})
}

// mergeShort keeps the symbols dense and the merge of each with the next
// beside it.
func (e *encoder) mergeShort(symbols []symbol) {
	var ids, results [shortWord]int32
	var ranks [shortWord]uint32
	n := len(symbols)
	for i := range n {
		ids[i] = symbols[i].id
	}
	for i := range n - 1 {
		ranks[i], results[i] = e.t.merges.find(ids[i], ids[i+1])
	}
	for n > 1 {
		best := 0
		for i := 1; i < n-1; i++ {
			if ranks[i] < ranks[best] {
				best = i
			}
		}
		if ranks[best] == noMerge {
			break
		}
		ids[best] = results[best]
		n--
		copy(ids[best+1:n], ids[best+2:])
		copy(ranks[best:n], ranks[best+1:])
		copy(results[best:n], results[best+1:])
		if best > 0 {
			ranks[best-1], results[best-1] = e.t.merges.find(ids[best-1], ids[best])
		}
		if best < n-1 {
			ranks[best], results[best] = e.t.merges.find(ids[best], ids[best+1])
		}
	}
	e.ids = append(e.ids, ids[:n]...)
}

// mergeLong takes merges from a heap, most urgent first, and passes over those
// whose symbols have changed since they were noted.
func (e *encoder) mergeLong(from, end int) {
	e.heap = slices.Grow(e.heap[:0], end-from)
	for at := from; at < end; at++ {
		e.note(int32(at))
	}
	for len(e.heap) > 0 {
		top := e.pop()
		at := int32(uint32(top.key))
		s := &e.symbols[at]
		if s.id == mergedAway || s.next < 0 {
			continue
		}
		next := &e.symbols[s.next]
		if _, result := e.t.merges.find(s.id, next.id); result != top.result {
			continue
		}
		s.id, next.id = top.result, mergedAway
		if s.next = next.next; s.next >= 0 {
			e.symbols[s.next].prev = at
		}
		if s.prev >= 0 {
			e.note(s.prev)
		}
		e.note(at)
	}
	for at := int32(from); at >= 0; at = e.symbols[at].next {
		e.ids = append(e.ids, e.symbols[at].id)
	}
}

// note puts the merge of the symbol and the next one on the heap, if there is
// one.
func (e *encoder) note(at int32) {
	s := e.symbols[at]
	if s.next < 0 {
		return
	}
	rank, result := e.t.merges.find(s.id, e.symbols[s.next].id)
	if rank != noMerge {
		e.push(pending{uint64(rank)<<32 | uint64(at), result})
	}
}

func (e *encoder) push(p pending) {
	e.heap = append(e.heap, p)
	h := e.heap
	i := len(h) - 1
	for i > 0 && h[(i-1)/2].key > p.key {
		h[i] = h[(i-1)/2]
		i = (i - 1) / 2
	}
	h[i] = p
}

func (e *encoder) pop() pending {
	h := e.heap
	top, last := h[0], h[len(h)-1]
	h = h[:len(h)-1]
	e.heap = h
	i := 0
	for {
		child := 2*i + 1
		if child+1 < len(h) && h[child+1].key < h[child].key {
			child++
		}
		if child >= len(h) || last.key <= h[child].key {
			break
		}
		h[i] = h[child]
		i = child
	}
	if len(h) > 0 {
		h[i] = last
	}
	return top
}
