package serve

import (
	"encoding/json"
	"math/rand/v2"
	"strconv"

	"github.com/mambac/mambac/runtime/sample"
)

// params is what requests for texts have in common. Pointers are nil where the
// client says nothing, or null.
type params struct {
	Model            *string            `json:"model"`
	Temperature      *float64           `json:"temperature"`
	TopP             *float64           `json:"top_p"`
	N                *int               `json:"n"`
	Seed             *int64             `json:"seed"`
	Stop             stops              `json:"stop"`
	PresencePenalty  float64            `json:"presence_penalty"`
	FrequencyPenalty float64            `json:"frequency_penalty"`
	LogitBias        map[string]float64 `json:"logit_bias"`
	Stream           bool               `json:"stream"`
	StreamOptions    struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`

	// What OpenAI does not have.
	TopK              int      `json:"top_k"`
	MinP              float64  `json:"min_p"`
	RepetitionPenalty *float64 `json:"repetition_penalty"`
	IgnoreEOS         bool     `json:"ignore_eos"`
	State             string   `json:"state"`      // to go on from
	SaveState         string   `json:"save_state"` // what the first text becomes
}

// stops is a text or several.
type stops []string

// UnmarshalJSON implements json.Unmarshaler.
func (s *stops) UnmarshalJSON(text []byte) error {
	var one *string
	if json.Unmarshal(text, &one) == nil {
		if one != nil {
			*s = stops{*one}
		}
		return nil
	}
	if json.Unmarshal(text, (*[]string)(s)) != nil {
		return wrong("stop", "want a text or a list of texts")
	}
	return nil
}

// Bounds of what a request may hold.
const (
	maxStops   = 16
	maxStop    = 1024 // bytes
	maxBias    = 1024 // ids
	maxLogprob = 20
)

// plan is how texts of a request are written.
type plan struct {
	sampling  sample.Options
	n         int // texts for a prompt
	tokens    int // of a text, at most
	stops     [][]byte
	ends      []int32
	presence  float64
	frequency float64
	bias      []bias
	logprobs  int // likeliest ids to tell of each token; -1 for nothing at all
}

type bias struct {
	id    int32
	value float32
}

// plan checks what the client asks for. tokens is nil if it does not say.
func (s *Server) plan(p *params, name string, tokens *int, otherwise, logprobs int) (*plan, error) {
	if p.Model != nil && *p.Model != "" {
		if err := s.checkModel(*p.Model); err != nil {
			return nil, err
		}
	}
	o := &plan{n: 1, tokens: otherwise, presence: p.PresencePenalty, frequency: p.FrequencyPenalty, logprobs: logprobs}
	if tokens != nil {
		o.tokens = *tokens
	}
	if p.N != nil {
		o.n = *p.N
	}
	switch {
	case o.tokens < 0 || o.tokens > s.Limits.Tokens:
		return nil, wrong(name, "have %d, want 0 to %d tokens", o.tokens, s.Limits.Tokens)
	case o.n < 1 || o.n > s.Limits.Choices:
		return nil, wrong("n", "have %d, want 1 to %d", o.n, s.Limits.Choices)
	case logprobs > maxLogprob:
		return nil, wrong("logprobs", "have %d, want at most %d", logprobs, maxLogprob)
	case !(o.presence >= -2 && o.presence <= 2):
		return nil, wrong("presence_penalty", "have %g, want -2 to 2", o.presence)
	case !(o.frequency >= -2 && o.frequency <= 2):
		return nil, wrong("frequency_penalty", "have %g, want -2 to 2", o.frequency)
	}
	if !p.IgnoreEOS {
		o.ends = s.Meta.EOS
	}
	if err := o.setStops(p.Stop); err != nil {
		return nil, err
	}
	if err := o.setBias(p.LogitBias, s.Engine.Shape().Vocab); err != nil {
		return nil, err
	}
	return o, s.setSampling(o, p)
}

func (o *plan) setStops(list stops) error {
	if len(list) > maxStops {
		return wrong("stop", "have %d texts, want at most %d", len(list), maxStops)
	}
	for _, text := range list {
		if text == "" || len(text) > maxStop {
			return wrong("stop", "have a text of %d bytes, want 1 to %d", len(text), maxStop)
		}
		o.stops = append(o.stops, []byte(text))
	}
	return nil
}

func (o *plan) setBias(list map[string]float64, vocab int) error {
	if len(list) > maxBias {
		return wrong("logit_bias", "have %d ids, want at most %d", len(list), maxBias)
	}
	for name, value := range list {
		id, err := strconv.Atoi(name)
		if err != nil || id < 0 || id >= vocab {
			return wrong("logit_bias", "%.20q is no token id: want 0 to %d", name, vocab-1)
		}
		if !(value >= -100 && value <= 100) {
			return wrong("logit_bias", "have %g, want -100 to 100", value)
		}
		o.bias = append(o.bias, bias{int32(id), float32(value)})
	}
	return nil
}

// setSampling takes OpenAI's defaults: the temperature is 1.
func (s *Server) setSampling(o *plan, p *params) error {
	o.sampling = sample.Options{Temperature: 1, TopP: 1, TopK: p.TopK, MinP: p.MinP, RepetitionPenalty: 1, Seed: rand.Uint64()}
	for _, c := range []struct {
		from *float64
		to   *float64
	}{{p.Temperature, &o.sampling.Temperature}, {p.TopP, &o.sampling.TopP}, {p.RepetitionPenalty, &o.sampling.RepetitionPenalty}} {
		if c.from != nil {
			*c.to = *c.from
		}
	}
	if p.Seed != nil {
		o.sampling.Seed = uint64(*p.Seed)
	}
	if o.sampling.TopP == 0 { // OpenAI takes it for the likeliest alone
		o.sampling.TopK, o.sampling.TopP = 1, 1
	}
	if _, err := sample.New(o.sampling, 1); err != nil {
		return failf(400, "", "%v", err)
	}
	if s.Tokenizer != nil {
		o.sampling.Allowed = s.Tokenizer.Known
	}
	return nil
}
