package serve

import (
	"bytes"
	"encoding/json"
	"slices"
	"unicode/utf8"
)

// completionRequest is the body of /v1/completions.
type completionRequest struct {
	params
	Prompt    prompts `json:"prompt"`
	MaxTokens *int    `json:"max_tokens"`
	Logprobs  *int    `json:"logprobs"`
	Echo      bool    `json:"echo"`
	BestOf    *int    `json:"best_of"`
	Suffix    string  `json:"suffix"`
}

// prompts is what prompt may be: a text or its ids, or several of one kind.
type prompts struct {
	texts []string
	ids   [][]int32
}

// UnmarshalJSON implements json.Unmarshaler.
func (p *prompts) UnmarshalJSON(text []byte) error {
	*p = prompts{} // of a key that comes twice the last counts
	var one *string
	var texts []*string
	var ids []int32
	nulls := bytes.Contains(text, []byte("null")) // which would be ids 0
	switch {
	case json.Unmarshal(text, &one) == nil:
		if one != nil {
			p.texts = []string{*one}
		}
	case !nulls && json.Unmarshal(text, &ids) == nil:
		p.ids = [][]int32{ids}
	case json.Unmarshal(text, &texts) == nil && !slices.Contains(texts, nil):
		for _, one := range texts {
			p.texts = append(p.texts, *one)
		}
	case nulls || json.Unmarshal(text, &p.ids) != nil:
		return wrong("prompt", "want a text, a list of texts, a list of token ids or a list of those")
	}
	return nil
}

// defaultTokens is how long a text is if a client does not say.
const defaultTokens = 16

func (s *Server) completions(c *call) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	var r completionRequest
	if err := s.read(c, &r); err != nil {
		return err
	}
	logprobs := -1
	if r.Logprobs != nil {
		logprobs = *r.Logprobs
	}
	o, err := s.plan(&r.params, "max_tokens", r.MaxTokens, min(defaultTokens, s.Limits.Tokens), logprobs)
	switch {
	case err != nil:
		return err
	case r.Logprobs != nil && logprobs < 0:
		return wrong("logprobs", "have %d, want 0 to %d", logprobs, maxLogprob)
	case r.Suffix != "":
		return wrong("suffix", "the model continues texts and does not fill gaps; leave it out")
	case r.BestOf != nil && *r.BestOf != o.n:
		return wrong("best_of", "have %d, want the number of texts: %d", *r.BestOf, o.n)
	case o.tokens == 0 && !r.Echo:
		return wrong("max_tokens", "have 0, want at least 1 without echo")
	}
	j := &job{plan: o, params: &r.params, server: s, echo: r.Echo, form: &completionForm{offsets: map[int]*offsets{}, scored: logprobs >= 0}}
	if j.prompts, err = s.prompts(&r.Prompt, r.Echo); err != nil {
		return err
	}
	return j.run(c)
}

// prompts makes ids of texts and, if they are wanted, texts of ids.
func (s *Server) prompts(p *prompts, texts bool) ([]prompt, error) {
	if p.texts == nil && p.ids == nil {
		p.texts = []string{""}
	}
	if n := len(p.texts) + len(p.ids); n > s.Limits.Choices {
		return nil, wrong("prompt", "have %d prompts, want at most %d", n, s.Limits.Choices)
	}
	var list []prompt
	for _, text := range p.texts {
		q, err := s.encode(text, true)
		if err != nil {
			return nil, err
		}
		list = append(list, q)
	}
	for _, ids := range p.ids {
		q := prompt{ids: ids}
		if texts && s.Tokenizer != nil {
			q.text = string(s.Tokenizer.AppendDecode(nil, ids, true))
		}
		list = append(list, q)
	}
	if len(list) == 0 {
		return nil, wrong("prompt", "is an empty list")
	}
	return list, nil
}

// completionForm is the form of /v1/completions.
type completionForm struct {
	offsets map[int]*offsets // of texts, by their indices
	scored  bool
}

type completionChoice struct {
	Text     string              `json:"text"`
	Index    int                 `json:"index"`
	Logprobs *completionLogprobs `json:"logprobs"`
	Finish   *string             `json:"finish_reason"`
}

func (*completionForm) object(bool) (prefix, name string) { return "cmpl-", "text_completion" }

func (*completionForm) first(int) any { return nil }

func (f *completionForm) whole(e *event) any { return f.piece(e) }

func (f *completionForm) piece(e *event) any {
	choice := completionChoice{Text: e.text, Index: e.index, Finish: orNull(e.finish)}
	if f.scored {
		at := f.offsets[e.index]
		if at == nil {
			at = &offsets{}
			f.offsets[e.index] = at
		}
		at.text += e.text
		choice.Logprobs = &completionLogprobs{Tokens: []string{}, TokenLogprobs: []*float64{}, TopLogprobs: []map[string]float64{}, TextOffset: []int{}}
		choice.Logprobs.add(e.tokens, at.of)
	}
	return choice
}

// orNull is a text, or null for none.
func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// offsets counts the characters before bytes of a text, which it is asked for in
// ascending order.
type offsets struct {
	text       string
	bytes, all int
}

func (o *offsets) of(begin int) int {
	if begin = min(begin, len(o.text)); begin > o.bytes {
		o.all += utf8.RuneCountInString(o.text[o.bytes:begin])
		o.bytes = begin
	}
	return o.all
}
