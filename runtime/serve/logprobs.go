package serve

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/mambac/mambac/runtime/sample"
	"github.com/mambac/mambac/runtime/tokenizer"
)

// errNoLogits is the end of a text of a model with damaged weights.
var errNoLogits = errors.New("the model gives no finite logit; are its weights damaged? see info --check")

// scored is a token with its probability.
type scored struct {
	word
	begin int // byte of the text where the token begins
	top   []word
}

// word is a token as text, and the logarithm of its probability: NaN for a first
// token, which nothing comes before.
type word struct {
	text    string
	bytes   []byte
	logprob float64
}

// score tells how likely a token was, by the logits that it was chosen from.
func (s *Server) score(logits []float32, id int32, n, begin int) scored {
	list, chosen := sample.LogProbs(nil, logits, id, n)
	out := scored{word: s.word(id, chosen), begin: begin}
	for _, p := range list {
		out.top = append(out.top, s.word(p.ID, p.Value))
	}
	return out
}

func (s *Server) word(id int32, logprob float64) word {
	if s.Tokenizer == nil {
		return word{fmt.Sprint(id), nil, logprob}
	}
	d := tokenizer.NewDecoder(s.Tokenizer, false)
	if first, ok := s.Meta.First(); ok { // a word within a text, which keeps its space
		d.Resume(first)
	}
	text := d.Flush(d.Append(nil, id))
	if raw := s.Tokenizer.TokenBytes(id); !utf8.Valid(raw) {
		return word{string(text), raw, logprob}
	}
	return word{string(text), text, logprob}
}

// number is a logarithm as JSON has it: there is no infinity.
func (w *word) number() *float64 {
	v := max(w.logprob, -9999)
	if math.IsNaN(v) {
		return nil
	}
	return &v
}

// completionLogprobs is the form of /v1/completions.
type completionLogprobs struct {
	Tokens        []string             `json:"tokens"`
	TokenLogprobs []*float64           `json:"token_logprobs"`
	TopLogprobs   []map[string]float64 `json:"top_logprobs"`
	TextOffset    []int                `json:"text_offset"`
}

// legacy spells a token that is no text by its bytes.
func (w *word) legacy() string {
	if utf8.Valid(w.bytes) {
		return w.text
	}
	var b strings.Builder
	b.WriteString("bytes:")
	for _, c := range w.bytes {
		fmt.Fprintf(&b, `\x%02x`, c)
	}
	return b.String()
}

func (l *completionLogprobs) add(tokens []scored, offset func(begin int) int) {
	for i := range tokens {
		t := &tokens[i]
		l.Tokens = append(l.Tokens, t.legacy())
		l.TokenLogprobs = append(l.TokenLogprobs, t.number())
		l.TextOffset = append(l.TextOffset, offset(t.begin))
		var top map[string]float64
		if t.number() != nil {
			top = map[string]float64{}
			for j := len(t.top) - 1; j >= 0; j-- { // of two that look the same the likelier stays
				top[t.top[j].legacy()] = *t.top[j].number()
			}
		}
		l.TopLogprobs = append(l.TopLogprobs, top)
	}
}

// chatLogprobs is the form of /v1/chat/completions.
type chatLogprobs struct {
	Content []chatLogprob `json:"content"`
	Refusal []chatLogprob `json:"refusal"`
}

type chatLogprob struct {
	chatWord
	Top []chatWord `json:"top_logprobs"`
}

type chatWord struct {
	Token   string   `json:"token"`
	Logprob *float64 `json:"logprob"`
	Bytes   []int    `json:"bytes"`
}

func (w *word) chat() chatWord {
	out := chatWord{w.text, w.number(), []int{}}
	for _, b := range w.bytes {
		out.Bytes = append(out.Bytes, int(b))
	}
	return out
}

func (l *chatLogprobs) add(tokens []scored) {
	for i := range tokens {
		p := chatLogprob{tokens[i].chat(), []chatWord{}}
		for j := range tokens[i].top {
			p.Top = append(p.Top, tokens[i].top[j].chat())
		}
		l.Content = append(l.Content, p)
	}
}
