package app

import "github.com/mambac/mambac/runtime/sample"

// sampler picks ids as the flags say. Rows that the tokenizer has no token
// for are never picked after a text prompt.
func (o *runOptions) sampler(m *model, vocab int) (*sample.Sampler, error) {
	options := sample.Options{
		Temperature: o.temperature, TopK: o.topK, TopP: o.topP, MinP: o.minP,
		RepetitionPenalty: o.repetition, Seed: o.seed,
	}
	if m.tokenizer != nil && !o.byIDs() {
		options.Allowed = m.tokenizer.Known
	}
	s, err := sample.New(options, vocab)
	if err != nil {
		return nil, usagef("%v", err)
	}
	return s, nil
}
