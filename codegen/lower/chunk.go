package lower

import "github.com/mambac/mambac/ir/op"

// Where the chunk is chosen its activations take up to arenaBudget float32: 8 MiB,
// which last-level caches of laptops hold. Up to arenaMost, 32 MiB, it grows until
// an expert can expect expertRows tokens, so that tiles are full and its weights
// are read for as many.
const (
	arenaBudget = 2 << 20
	arenaMost   = 8 << 20
	expertRows  = 16
)

// A chunk that is chosen is within these.
const (
	leastChunk = 16
	mostChunk  = 512
)

// chunk chooses the number of tokens of one Prefill.
func (l *lowering) chunk() int {
	columns, wanted, n := l.arenaColumns(), l.expertChunk(), mostChunk
	for n > leastChunk && n*columns > arenaBudget {
		n /= 2
	}
	for n < wanted && 2*n*columns <= arenaMost {
		n *= 2
	}
	return n
}

// expertChunk is so many tokens that an expert can expect expertRows of them, if
// the experts are chosen alike; 0 without experts.
func (l *lowering) expertChunk() int {
	n := 0
	for _, r := range l.module.Regions {
		for _, v := range r.Body {
			if o, ok := v.Op.(op.Experts); ok {
				n = max(n, expertRows*v.Args[1].Type.Width/o.Top)
			}
		}
	}
	return min(n, mostChunk)
}
