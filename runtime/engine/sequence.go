package engine

import "slices"

// PageTokens is the number of tokens whose keys and values lie on one page.
const PageTokens = 64

// Cache is a kind of page: what a run of PageTokens tokens leaves for later
// ones to look back at.
type Cache struct {
	Page   int // float32 of a page
	Window int // tokens that are looked back at, the last included; 0 for all
}

// Sequence is what a program sees of one sequence.
type Sequence struct {
	// Block is the part of the state whose size is fixed.
	Block []float32
	// Position is the number of tokens before those of the call.
	Position int

	pages [][]page // of each cache
}

// page is part of a cache. Sequences that were cloned share theirs: one that
// shares a page copies it before it writes there.
type page struct {
	values []float32
	own    bool // nobody else has it
}

// Page is the page of a cache that holds the tokens from n·PageTokens on. Only
// pages that the tokens of the call may look back at, or write, are there.
func (s *Sequence) Page(cache, n int) []float32 {
	ring := s.pages[cache]
	return ring[n%len(ring)].values
}

// ring is the number of pages of a cache that are kept at most: those that the
// first token of a chunk looks back at, and those that the chunk writes.
func (c *Cache) ring(chunk int) int {
	return (c.Window-1+chunk+PageTokens-1)/PageTokens + 1
}

// grow makes sure that there are pages for n more tokens, which can be written.
func (s *Sequence) grow(caches []Cache, chunk, n int) {
	if s.pages == nil && len(caches) > 0 {
		s.pages = make([][]page, len(caches))
	}
	for i := range caches {
		c := &caches[i]
		need := (s.Position + n + PageTokens - 1) / PageTokens
		if c.Window > 0 {
			need = min(need, c.ring(chunk))
		}
		for len(s.pages[i]) < need {
			s.pages[i] = append(s.pages[i], page{block(c.Page), true})
		}
		for at := s.Position / PageTokens; at*PageTokens < s.Position+n; at++ {
			s.pages[i][at%len(s.pages[i])].detach()
		}
	}
}

// detach makes a page one that can be written.
func (p *page) detach() {
	if p.own {
		return
	}
	values := block(len(p.values))
	copy(values, p.values)
	*p = page{values, true}
}

// clone copies the block, and shares the pages. A sequence of which all pages are
// shared is only read.
func (s *Sequence) clone() Sequence {
	c := Sequence{Block: block(len(s.Block)), Position: s.Position}
	copy(c.Block, s.Block)
	for _, ring := range s.pages {
		for i := range ring {
			if ring[i].own { // no write where several clone what nobody owns
				ring[i].own = false
			}
		}
		c.pages = append(c.pages, slices.Clone(ring))
	}
	return c
}

// held is the memory that the sequence takes.
func (s *Sequence) held() int {
	n := Held(len(s.Block))
	for _, ring := range s.pages {
		for _, page := range ring {
			n += Held(len(page.values))
		}
	}
	return n
}

// bytes is the size of the sequence in memory.
func (s *Sequence) bytes() int {
	n := len(s.Block)
	for _, ring := range s.pages {
		for _, page := range ring {
			n += len(page.values)
		}
	}
	return 4 * n
}
