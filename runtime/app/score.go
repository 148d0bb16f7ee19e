package app

import "math"

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
