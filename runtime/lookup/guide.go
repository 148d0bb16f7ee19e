package lookup

import (
	"time"

	"github.com/mambac/mambac/runtime/engine"
)

// Guide knows a text and finds in it what may follow, as far as it pays to try.
// It belongs to one Reader at a time.
type Guide struct {
	text  *text
	odds  odds
	costs *costs
	rows  int // of a pass at most
	all   bool
}

// NewGuide makes one for an empty text. With all set it proposes whatever it
// finds, whether that pays or not.
func NewGuide(e *engine.Engine, all bool) *Guide {
	return &Guide{text: newText(), costs: newCosts(e.MaxSteps()), rows: e.MaxSteps(), all: all}
}

// Note adds ids to the text.
func (g *Guide) Note(ids ...int32) {
	for _, id := range ids {
		if g.text.matched > 0 {
			g.odds.learn(g.text.matched, g.text.next() == id)
		}
		g.text.add(id)
		g.costs.now++
	}
}

// propose appends candidates to the ids of a pass, at most so many.
func (g *Guide) propose(ids []int32, most int) []int32 {
	n := min(most, g.rows-len(ids))
	if n <= 0 || g.text.matched == 0 {
		return ids
	}
	if !g.all {
		n = g.best(len(ids), n)
	}
	return g.text.ahead(ids, n)
}

// best is the number of candidates, 0 to most, by which the next pass is likely
// to give the most tokens a second. Of its ids, all but the last have been read
// before, for the state had to be taken back. If a candidate is wrong, ids and
// candidates before it will be read again with the next pass.
func (g *Guide) best(ids, most int) int {
	if !g.costs.sure() {
		return 0
	}
	best, rate := 0, 1/g.costs.of(ids)
	tokens, again, all := 1.0, 0.0, 1.0 // all candidates so far are right with this probability
	for n := 1; n <= most; n++ {
		p := g.odds.of(g.text.matched + n - 1)
		again += all * (1 - p) * float64(ids+n-1)
		all *= p
		tokens += all
		if r := tokens / (g.costs.of(ids+n) + again*g.costs.row()); r > rate {
			best, rate = n, r
		}
	}
	return best
}

// took notes how long a pass was.
func (g *Guide) took(rows int, d time.Duration) { g.costs.took(rows, d.Seconds()) }
