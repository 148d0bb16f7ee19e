package app

import (
	"math"
	"slices"
)

// logSum is log Σ exp(logits) in float64; NaN if a logit is.
func logSum(logits []float32) float64 {
	largest := logits[0]
	for _, v := range logits {
		if v > largest {
			largest = v
		}
	}
	sum := 0.0
	for _, v := range logits {
		sum += expNegative(float64(v) - float64(largest))
	}
	return float64(largest) + math.Log(sum)
}

// expNegative is exp(x) for x ≤ 0 with a relative error below 1e-8: half the
// time of math.Exp, which perplexity spends on every id of every position.
func expNegative(x float64) float64 {
	if !(x > -700) {
		return x * 0 // NaN for NaN and −Inf: no model gives either
	}
	// Adding 1.5·2⁵² rounds and leaves the integer in the low bits, from where
	// it is shifted onto the exponent.
	const round = 3 << 51
	t := x*math.Log2E + round
	r := x - (t-round)*math.Ln2
	p := 1 + r*(1+r*(1./2+r*(1./6+r*(1./24+r*(1./120+r*(1./720+r*(1./5040)))))))
	return math.Float64frombits(math.Float64bits(p) + math.Float64bits(t)<<52)
}

// nll is the negative log-likelihood of an id in nats.
func nll(logits []float32, id int32) float64 { return logSum(logits) - float64(logits[id]) }

// ranked is an id with its log-probability.
type ranked struct {
	id      int32
	logprob float64
}

// top lists the n most likely ids into list, which it reuses, the likeliest
// first, equals by ascending id; sum is logSum of the logits.
func top(list []ranked, logits []float32, sum float64, n int) []ranked {
	list = list[:0]
	for id, v := range logits {
		p := float64(v) - sum
		if len(list) == n && !(p > list[n-1].logprob) {
			continue
		}
		at := len(list)
		for at > 0 && p > list[at-1].logprob {
			at--
		}
		list = slices.Insert(list[:min(len(list), n-1)], min(at, n-1), ranked{int32(id), p})
	}
	return list
}
