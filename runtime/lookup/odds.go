package lookup

// odds learns how often an id that a match proposes is right, by the number of
// ids before it that match. What it says of the last ones counts most.
type odds struct {
	right, tried [deepest + 1]float64
}

const (
	trust  = 4  // trials that the guess before the first counts as
	memory = 64 // trials after which they count half
)

// learn notes what became of an id.
func (o *odds) learn(matched int, right bool) {
	n := min(matched, deepest)
	if o.tried[n]++; right {
		o.right[n]++
	}
	if o.tried[n] >= memory {
		o.tried[n] /= 2
		o.right[n] /= 2
	}
}

// of is the probability that an id behind so many matching ones is right.
func (o *odds) of(matched int) float64 {
	n := min(matched, deepest)
	guess := float64(n) / float64(n+2)
	return (o.right[n] + trust*guess) / (o.tried[n] + trust)
}
