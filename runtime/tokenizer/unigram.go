package tokenizer

import (
	"slices"
	"unicode/utf8"
)

// reached is the best way to a place in a word: its last piece. On the way
// back start becomes the place where the piece that starts here ends.
type reached struct {
	score float64
	start int32 // None: not reached
	id    int32
}

// choose appends the ids of the pieces of the word whose scores have the
// greatest sum; a character that is no piece is unknown.
func (e *encoder) choose(word string) {
	e.ways = slices.Grow(e.ways[:0], len(word)+1)[:len(word)+1]
	for i := range e.ways {
		e.ways[i] = reached{start: None}
	}
	for at := 0; at < len(word); {
		_, n := utf8.DecodeRuneInString(word[at:])
		if !e.extend(word, at, n) {
			e.reach(at, at+n, e.t.model.Unknown, e.t.model.UnknownScore)
		}
		at += n
	}
	e.turn()
	for at := 0; at < len(word); {
		at = e.addPiece(word, at)
	}
}

// extend tries all pieces that start at the place; whether one of them is the
// first character alone.
func (e *encoder) extend(word string, at, character int) (single bool) {
	node, id := int32(root), int32(None)
	for end := at; end < len(word); {
		if node, id = e.t.pieces.follow(node, word[end]); node == None {
			break
		}
		if end++; id != None {
			e.reach(at, end, id, e.t.score(id))
			single = single || end-at == character
		}
	}
	return single
}

// reach notes a way to end; of equals the first stays.
func (e *encoder) reach(start, end int, id int32, score float64) {
	score += e.ways[start].score
	if w := &e.ways[end]; w.start == None || score > w.score {
		*w = reached{score, int32(start), id}
	}
}

// turn turns the links of the best way, so that it leads from the front.
func (e *encoder) turn() {
	end := int32(len(e.ways) - 1)
	for last := e.ways[end]; end > 0; {
		start := last.start
		before := e.ways[start]
		e.ways[start] = reached{start: end, id: last.id}
		last, end = before, start
	}
}

// addPiece appends what the best way has at the place, and returns where that
// ends. What is unknown in a row is one piece, which may have a token after
// all, bytes to fall back to, or the unknown token.
func (e *encoder) addPiece(word string, at int) int {
	unknown := e.t.model.Unknown
	if w := e.ways[at]; w.id != unknown {
		e.ids = append(e.ids, w.id)
		return int(w.start)
	}
	end := at
	for end < len(word) && e.ways[end].id == unknown {
		end = int(e.ways[end].start)
	}
	text := word[at:end]
	switch id := e.t.pieces.find(text); {
	case id != None:
		e.ids = append(e.ids, id)
	case e.t.hasBytes(text):
		for i := range len(text) {
			e.ids = append(e.ids, e.t.alphabet[text[i]])
		}
	default:
		e.ids = append(e.ids, unknown)
	}
	return end
}
