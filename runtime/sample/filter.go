package sample

import "math"

// candidate is an id that may be chosen, with its logit, later with its
// weight: its probability but for a common factor.
type candidate struct {
	value float64
	id    int32
}

// before orders candidates: larger values first, then lower ids.
func (c candidate) before(d candidate) bool {
	return c.value > d.value || c.value == d.value && c.id < d.id
}

// topK keeps the first k candidates; 0 keeps all.
func topK(c []candidate, k int) []candidate {
	if k == 0 || k >= len(c) {
		return c
	}
	kept := c[:k]
	heapify(kept, after)
	for _, d := range c[k:] {
		if d.before(kept[0]) {
			kept[0] = d
			sink(kept, 0, after)
		}
	}
	return kept
}

// weigh turns logits into weights: 1 for the largest. Infinite logits are the
// limit of large ones.
func weigh(c []candidate, temperature float64) {
	largest := math.Inf(-1)
	for i := range c {
		largest = max(largest, c[i].value)
	}
	for i := range c {
		if c[i].value == largest {
			c[i].value = 1
		} else {
			c[i].value = exp((c[i].value - largest) / temperature)
		}
	}
}

// topP keeps the first candidates, as many as it takes to have at least the
// share p of all weights; 1 keeps all. It takes the first from a heap one by
// one and puts them at the end, so that few are sorted.
func topP(c []candidate, p float64) []candidate {
	if p >= 1 {
		return c
	}
	all := total(c)
	enough := float64(p * all)
	// What is below this adds up to less than what may be missing.
	c = atLeast(c, (all-enough)/float64(len(c)))
	heapify(c, first)
	rest := len(c)
	for sum := 0.0; rest > 0; {
		rest--
		c[0], c[rest] = c[rest], c[0]
		sink(c[:rest], 0, first)
		if sum += c[rest].value; sum >= enough {
			break
		}
	}
	return c[rest:]
}

// minP keeps the candidates with at least p times the largest weight.
func minP(c []candidate, p float64) []candidate {
	largest := 0.0
	for i := range c {
		largest = max(largest, c[i].value)
	}
	return atLeast(c, float64(p*largest))
}

// atLeast keeps the candidates of at least that weight.
func atLeast(c []candidate, least float64) []candidate {
	kept := c[:0]
	for _, d := range c {
		if d.value >= least {
			kept = append(kept, d)
		}
	}
	return kept
}

// pick returns the candidate at the share u of all weights.
func pick(c []candidate, u float64) int32 {
	left := float64(u * total(c)) // rounded: not to be fused with the first difference
	chosen := c[0].id
	for _, d := range c {
		if d.value > 0 {
			chosen = d.id
		}
		if left -= d.value; left < 0 {
			break
		}
	}
	return chosen
}

func total(c []candidate) float64 {
	sum := 0.0
	for i := range c {
		sum += c[i].value
	}
	return sum
}

// The orders of heaps: which of two candidates is nearer to the top.
func first(c, d candidate) bool { return c.before(d) }
func after(c, d candidate) bool { return d.before(c) }

func heapify(c []candidate, above func(c, d candidate) bool) {
	for i := len(c)/2 - 1; i >= 0; i-- {
		sink(c, i, above)
	}
}

// sink moves the candidate at i down to its place.
func sink(c []candidate, i int, above func(c, d candidate) bool) {
	for {
		child := 2*i + 1
		if child+1 < len(c) && above(c[child+1], c[child]) {
			child++
		}
		if child >= len(c) || !above(c[child], c[i]) {
			return
		}
		c[i], c[child] = c[child], c[i]
		i = child
	}
}
