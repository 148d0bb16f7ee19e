package serve

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
)

// chatRequest is the body of /v1/chat/completions.
type chatRequest struct {
	params
	Messages            json.RawMessage `json:"messages"`
	MaxTokens           *int            `json:"max_tokens"`
	MaxCompletionTokens *int            `json:"max_completion_tokens"`
	Logprobs            bool            `json:"logprobs"`
	TopLogprobs         *int            `json:"top_logprobs"`
	ResponseFormat      *struct {
		Type string `json:"type"`
	} `json:"response_format"`
	Tools     json.RawMessage `json:"tools"`
	Functions json.RawMessage `json:"functions"`
}

func (s *Server) chat(c *call) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	var r chatRequest
	if err := s.read(c, &r); err != nil {
		return err
	}
	if err := s.checkChat(&r); err != nil {
		return err
	}
	messages, err := plain(r.Messages)
	if err != nil {
		return err
	}
	name, tokens := "max_completion_tokens", r.MaxCompletionTokens
	if tokens == nil {
		name, tokens = "max_tokens", r.MaxTokens
	}
	o, err := s.plan(&r.params, name, tokens, s.Limits.Tokens, r.logprobs())
	if err != nil {
		return err
	}
	if o.tokens == 0 {
		return wrong(name, "have 0, want at least 1")
	}
	text, err := s.Template(messages)
	if err != nil {
		return wrong("messages", "%v", err)
	}
	p, err := s.encode(text, false) // the template writes special tokens itself
	if err != nil {
		return err
	}
	p.likely = s.opening(messages, text, p.ids)
	j := &job{plan: o, params: &r.params, server: s, prompts: []prompt{p}, form: &chatForm{scored: r.Logprobs}}
	return j.run(c)
}

// logprobs is how many likeliest tokens are wanted, −1 for nothing.
func (r *chatRequest) logprobs() int {
	switch {
	case !r.Logprobs:
		return -1
	case r.TopLogprobs != nil:
		return max(0, *r.TopLogprobs)
	}
	return 0
}

func (s *Server) checkChat(r *chatRequest) error {
	switch {
	case s.Template == nil:
		return failf(http.StatusBadRequest, "no_chat_template", "the model has no chat template, so it continues texts only: ask /v1/completions, or build it from a checkpoint that has one")
	case r.TopLogprobs != nil && !r.Logprobs:
		return wrong("top_logprobs", "needs logprobs")
	case r.ResponseFormat != nil && r.ResponseFormat.Type != "text":
		return wrong("response_format", "have %.20q, want text: answers are what the model writes", r.ResponseFormat.Type)
	case some(r.Tools), some(r.Functions):
		return wrong("tools", "the server knows no tools; leave them out")
	}
	return nil
}

// some tells whether there is anything in a list.
func some(list json.RawMessage) bool {
	return len(list) > 0 && !bytes.Equal(list, []byte("null")) && !bytes.Equal(list, []byte("[]"))
}

// plain demands what every conversation has, and makes one text of a content of
// several, which few templates know; the rest is the template's.
func plain(text json.RawMessage) (json.RawMessage, error) {
	var list []map[string]json.RawMessage
	if json.Unmarshal(text, &list) != nil || len(list) == 0 {
		return nil, wrong("messages", "want a list of objects with role and content, at least one")
	}
	whole := true
	for i, m := range list {
		var role string
		if json.Unmarshal(m["role"], &role) != nil || role == "" {
			return nil, wrong("messages", "message %d has no role", i)
		}
		var parts []struct{ Type, Text string }
		if json.Unmarshal(m["content"], &parts) != nil || parts == nil {
			continue
		}
		var texts []string
		for _, p := range parts {
			if p.Type != "text" {
				return nil, wrong("messages", "message %d has a part of type %.20q, want text", i, p.Type)
			}
			texts = append(texts, p.Text)
		}
		whole = false
		m["content"], _ = json.Marshal(strings.Join(texts, "\n")) // a text always can be
	}
	if whole {
		return text, nil
	}
	return json.Marshal(list)
}

// chatForm is the form of /v1/chat/completions.
type chatForm struct{ scored bool }

type chatMessage struct {
	Role    string  `json:"role,omitempty"`
	Content *string `json:"content,omitempty"`
}

type chatChoice struct {
	Index    int           `json:"index"`
	Message  *wholeMessage `json:"message,omitempty"`
	Delta    *chatMessage  `json:"delta,omitempty"`
	Logprobs *chatLogprobs `json:"logprobs"`
	Finish   *string       `json:"finish_reason"`
}

type wholeMessage struct {
	Role    string  `json:"role"`
	Content string  `json:"content"`
	Refusal *string `json:"refusal"`
}

func (*chatForm) object(stream bool) (prefix, name string) {
	if stream {
		return "chatcmpl-", "chat.completion.chunk"
	}
	return "chatcmpl-", "chat.completion"
}

// assistant is who writes.
const assistant = "assistant"

func (*chatForm) first(index int) any {
	return chatChoice{Index: index, Delta: &chatMessage{assistant, new(string)}}
}

func (f *chatForm) piece(e *event) any {
	return chatChoice{Index: e.index, Delta: &chatMessage{Content: orNull(e.text)}, Logprobs: f.logprobs(e), Finish: orNull(e.finish)}
}

func (f *chatForm) whole(e *event) any {
	return chatChoice{Index: e.index, Message: &wholeMessage{Role: assistant, Content: e.text}, Logprobs: f.logprobs(e), Finish: orNull(e.finish)}
}

func (f *chatForm) logprobs(e *event) *chatLogprobs {
	if !f.scored {
		return nil
	}
	l := &chatLogprobs{Content: []chatLogprob{}}
	l.add(e.tokens)
	return l
}
