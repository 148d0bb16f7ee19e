package sample

import "math"

// LogProb is an id with the natural logarithm of its probability.
type LogProb struct {
	ID    int32
	Value float64
}

// LogProbs appends the n most probable ids by their logits alone, most
// probable first, to top, and returns that of chosen beside it. Nothing that a
// Sampler was asked for counts here. Ids whose logits are NaN have none.
func LogProbs(top []LogProb, logits []float32, chosen int32, n int) ([]LogProb, float64) {
	start := len(top)
	largest := math.Inf(-1)
	for id, l := range logits {
		if l != l {
			continue
		}
		largest = max(largest, float64(l))
		top = insert(top, start, n, LogProb{int32(id), float64(l)})
	}
	norm := normaliser(logits, largest)
	for i := start; i < len(top); i++ {
		top[i].Value = relative(top[i].Value, largest) - norm
	}
	if chosen < 0 || int(chosen) >= len(logits) {
		return top, math.NaN()
	}
	return top, relative(float64(logits[chosen]), largest) - norm
}

// insert keeps the n largest of those from start on, sorted; of equals the one
// that came first.
func insert(top []LogProb, start, n int, p LogProb) []LogProb {
	if len(top)-start < n {
		top = append(top, p)
	} else if n <= 0 || top[len(top)-1].Value >= p.Value {
		return top
	}
	at := len(top) - 1
	for ; at > start && top[at-1].Value < p.Value; at-- {
		top[at] = top[at-1]
	}
	top[at] = p
	return top
}

// normaliser returns the logarithm of the sum of the probabilities before they
// are normalised, the largest being 1.
func normaliser(logits []float32, largest float64) float64 {
	sum := 0.0
	for _, l := range logits {
		if l == l {
			sum += exp(relative(float64(l), largest))
		}
	}
	return math.Log(sum)
}

// relative is value - largest where both may be infinite.
func relative(value, largest float64) float64 {
	if value == largest {
		return 0
	}
	return value - largest
}
