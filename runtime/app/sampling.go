package app

import "github.com/mambac/mambac/runtime/sample"

// sampler picks ids as the flags say. Rows that the tokenizer has no token
// for are never picked after a text prompt.
func (o *runOptions) sampler(m *model, vocab int) (*sample.Sampler, error) {
	limit := vocab
	if m.tokenizer != nil && !o.byIDs() {
		limit = min(vocab, m.tokenizer.Size())
	}
	s, err := sample.New(sample.Options{
		Temperature: o.temperature, TopK: o.topK, TopP: o.topP, MinP: o.minP,
		RepetitionPenalty: o.repetition, Seed: o.seed, Limit: limit,
	}, vocab)
	if err != nil {
		return nil, usagef("%v", err)
	}
	return s, nil
}
