package model

import (
	"math"

	"github.com/mambac/mambac/runtime/lookup"
)

// Speculation is for Speculate: what a generation may do to be faster, and what
// came of it. It belongs to one generation at a time; a later one of the same
// session goes on with it, and with what it has learnt.
type Speculation struct {
	// Always reads whatever may follow ahead, without the measurements that tell
	// whether that makes the text faster, for texts that are drawn by chance too, and
	// for states that are not copied unasked, being larger than 24 MiB.
	Always bool
	// Text is the ids that the session has read before the first generation, as far
	// as they are known.
	Text []int

	// What has happened so far: passes over the weights, candidates that were read
	// with them ahead of the text, and those of them that became part of it.
	Passes, Candidates, Accepted int

	guide *lookup.Guide
	begun lookup.Counts // of the reader, at the beginning of the generation
}

// Speculate has a generation look up in the text what may follow, and read it ahead
// where that makes it faster. Which tokens follow is as without. It takes memory
// for the logits of 16 tokens and a copy of the state; nil is no speculation.
func Speculate(s *Speculation) GenerateOption { return func(o *generateOptions) { o.ahead = s } }

// speculate tells the speculation, if there is one, of ids that are to be read.
func (g *generation) speculate(ids []int) error {
	a, s := g.ahead, g.session
	if a == nil || !a.Always && (g.sampling.Temperature > 0 || !s.model.engine.CopiesStates()) {
		g.ahead = nil
		return nil
	}
	for _, text := range [][]int{a.Text, ids} {
		for _, id := range text {
			if err := s.checkID(id); err != nil {
				return err
			}
		}
	}
	if a.guide == nil {
		a.guide = lookup.NewGuide(s.model.engine, a.Always)
		a.guide.Note(int32s(nil, a.Text)...)
	} else if s.pending != none {
		a.guide.Note(s.pending)
	}
	a.guide.Note(int32s(nil, ids)...)
	return nil
}

// follow has the session read ahead, once the prompt has been read.
func (g *generation) follow() {
	s := g.session
	if g.ahead == nil {
		return
	}
	if s.reader == nil {
		s.reader = lookup.NewReader(s.model.engine, s.states[0])
	}
	s.reader.Follow(g.ahead.guide)
	g.ahead.begun = s.reader.Counts()
}

// settle reads the id that was generated last, and has the speculation tell of it.
func (g *generation) settle() error {
	s, a := g.session, g.ahead
	s.most = math.MaxInt
	if g.maxTokens >= 0 {
		s.most = g.maxTokens - g.count - 1
	}
	if err := s.settle(g.ctx); err != nil || a == nil {
		return err
	}
	c := s.reader.Counts()
	a.Passes += c.Passes - a.begun.Passes
	a.Candidates += c.Candidates - a.begun.Candidates
	a.Accepted += c.Accepted - a.begun.Accepted
	a.begun = c
	return nil
}
