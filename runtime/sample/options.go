// Package sample chooses token ids from logits; it sees nothing of ours.
//
// What is asked for is applied in the order of Hugging Face's transformers:
// repetition penalty, temperature, top-k, top-p, min-p. Each filter sees the
// probabilities that the one before it left, and always leaves the best token.
// The same logits, options and calls give the same ids on every platform.
package sample

import (
	"fmt"
	"math"
)

// Options say how ids are chosen; Default is where to start from.
type Options struct {
	// Temperature divides the logits; 0 chooses the largest.
	Temperature float64
	// TopK keeps the ids of the k largest logits; 0 keeps all.
	TopK int
	// TopP keeps the fewest of the most probable ids whose probabilities add
	// up to at least p; 1 keeps all.
	TopP float64
	// MinP keeps the ids that are at least p times as probable as the most
	// probable one; 0 keeps all.
	MinP float64
	// RepetitionPenalty divides positive logits of accepted ids and multiplies
	// their negative ones; 1 leaves them.
	RepetitionPenalty float64
	// Seed starts the random numbers.
	Seed uint64
	// Allowed tells which ids may be chosen; nil allows all. It is asked once
	// per id when the sampler is made.
	Allowed func(id int32) bool
}

// Default is greedy decoding, with nothing filtered once it has a temperature.
func Default() Options { return Options{TopP: 1, RepetitionPenalty: 1} }

// check returns an error that names the first option out of its range.
func (o *Options) check() error {
	for _, c := range [...]struct {
		name             string
		value, low, high float64
		want             string
	}{
		{"temperature", o.Temperature, 0, maxTemperature, "0 (greedy) to 1000"},
		{"top-k", float64(o.TopK), 0, math.MaxInt32, "0 (all) or more"},
		{"top-p", o.TopP, smallest, 1, "above 0, at most 1 (all)"},
		{"min-p", o.MinP, 0, 1, "0 (all) to 1"},
		{"repetition penalty", o.RepetitionPenalty, 1 / maxPenalty, maxPenalty, "0.001 to 1000; 1 is none"},
	} {
		if !(c.value >= c.low && c.value <= c.high) { // also NaN
			return fmt.Errorf("%s is %g, want %s", c.name, c.value, c.want)
		}
	}
	return nil
}

// Beyond these the options make no sense, and float32 would overflow.
const (
	maxTemperature = 1000
	maxPenalty     = 1000.0
	smallest       = math.SmallestNonzeroFloat64
)
