package lookup

import "math"

// costs learns how long a pass takes, by the number of its rows. What was
// measured loses weight as the text goes on, until it is tried again: a pass may
// have been disturbed.
type costs struct {
	now  int // tokens so far
	seen []measured
	// slope is what a row adds, in passes of one row: for numbers of rows that were
	// not measured.
	slope measured
}

// measured is a smoothed value, and when it was measured last.
type measured struct {
	value float64
	at    int
	known bool
}

const (
	hope     = 0.03 // slope before anything was measured: rows are nearly free
	halfLife = 512  // tokens
	smooth   = 0.3  // weight of a new value
	stale    = 256  // tokens after which a pass of one row is measured again
)

func newCosts(rows int) *costs { return &costs{seen: make([]measured, rows+1)} }

// took notes the seconds of a pass.
func (c *costs) took(rows int, seconds float64) {
	one := c.seen[1]
	if rows > 1 && one.known {
		// A pass that takes longer than its rows one by one was disturbed.
		seconds = min(seconds, one.value*float64(rows))
		c.slope.note(max(0, seconds/one.value-1)/float64(rows-1), c.now)
	}
	c.seen[rows].note(seconds, c.now)
}

func (m *measured) note(value float64, now int) {
	if m.known {
		value = m.value + smooth*(value-m.value)
	}
	*m = measured{value, now, true}
}

// or is the value, and the more of another one the older it is.
func (m *measured) or(other float64, now int) float64 {
	if !m.known {
		return other
	}
	return other + (m.value-other)*math.Exp2(float64(m.at-now)/halfLife)
}

// row is what a row adds.
func (c *costs) row() float64 { return c.seen[1].value * c.slope.or(hope, c.now) }

// of is the seconds that a pass will take.
func (c *costs) of(rows int) float64 {
	one := c.seen[1].value
	if rows == 1 {
		return one
	}
	return c.seen[rows].or(one+float64(rows-1)*c.row(), c.now)
}

// sure reports whether it is known what a pass of one row takes.
func (c *costs) sure() bool { return c.seen[1].known && c.now-c.seen[1].at < stale }
