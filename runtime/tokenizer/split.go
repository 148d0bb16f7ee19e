package tokenizer

// Behavior is what becomes of the matches by which a text is split.
type Behavior uint8

// The behaviours, as the reference names them.
const (
	Isolated           Behavior = iota // a match is a word
	Removed                            // a match is left out
	MergedWithPrevious                 // a match ends the word before it
	MergedWithNext                     // a match begins the word after it
	Contiguous                         // matches in a row are one word
	Behaviors                          // how many there are
)

// splitter makes words of the parts of a text, which are matches or lie
// between them.
type splitter struct {
	text     string
	behavior Behavior
	first    bool
	yield    func(word string, first bool)

	start, end int  // the part that may yet become longer
	held       bool // there is one
	match      bool // the last part was a match
}

// add takes the next part; it may be empty, as matches may.
func (s *splitter) add(start, end int, match bool) {
	join := false
	switch s.behavior {
	case Removed:
		if match {
			s.flush()
			return
		}
	case MergedWithPrevious:
		join = match && !s.match
	case MergedWithNext:
		join = !match && s.match
	case Contiguous:
		join = match == s.match
	}
	s.match = match
	if join && s.held {
		s.end = end
		return
	}
	s.flush()
	s.start, s.end, s.held = start, end, true
}

// flush hands over the part that is held.
func (s *splitter) flush() {
	if s.held && s.start < s.end {
		s.yield(s.text[s.start:s.end], s.first && s.start == 0)
	}
	s.held = false
}

// splitClass splits at every character that is asked for.
func splitClass(text string, first bool, behavior Behavior, yield func(string, bool), is func(rune) bool) {
	s := splitter{text: text, behavior: behavior, first: first, yield: yield}
	done := 0
	for at := 0; at < len(text); {
		r, n := runeAt(text, at)
		if is(r) {
			if done < at {
				s.add(done, at, false)
			}
			s.add(at, at+n, true)
			done = at + n
		}
		at += n
	}
	if done < len(text) {
		s.add(done, len(text), false)
	}
	s.flush()
}
