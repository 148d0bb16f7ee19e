package target

import "github.com/mambac/mambac/codegen/kernel"

// batchTokens are the numbers of tokens that come together outside of a chunk:
// sequences of a batch, rows of logits, the end of a prompt.
var batchTokens = []int{2, 4, 8, 16}

// Calls lists the numbers of tokens for which a tile is judged.
func Calls(chunk int) []int { return append([]int{chunk}, batchTokens...) }

// PerToken is what a token costs, where three of four come in chunks.
func PerToken(chunk int, cost func(tokens int) float64) float64 {
	few, tokens := 0.0, 0
	for _, n := range batchTokens {
		few, tokens = few+cost(n), tokens+n
	}
	return 0.75*cost(chunk)/float64(chunk) + 0.25*few/float64(tokens)
}

// cheapest is the tile of which a back end expects the least cost; false for a
// kernel that has but one form.
func cheapest(b Backend, s kernel.Spec, chunk int) (Tile, bool) {
	best, least := Tile{}, 0.0
	list := b.Tiles(s)
	for i, t := range list {
		cost := PerToken(chunk, func(tokens int) float64 { return b.Cost(s, t, tokens) })
		if i == 0 || cost < least {
			best, least = t, cost
		}
	}
	return best, len(list) > 0
}
