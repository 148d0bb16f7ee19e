package serve

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/mambac/mambac/runtime/template"
)

// chatRequest is the body of /v1/chat/completions.
type chatRequest struct {
	params
	toolset
	Messages            json.RawMessage `json:"messages"`
	MaxTokens           *int            `json:"max_tokens"`
	MaxCompletionTokens *int            `json:"max_completion_tokens"`
	Logprobs            bool            `json:"logprobs"`
	TopLogprobs         *int            `json:"top_logprobs"`
	ResponseFormat      *struct {
		Type string `json:"type"`
	} `json:"response_format"`
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
	j, err := s.chatJob(&r)
	if err != nil {
		return err
	}
	return j.run(c)
}

// chatJob is what a request asks for.
func (s *Server) chatJob(r *chatRequest) (*job, error) {
	if err := s.checkChat(r); err != nil {
		return nil, err
	}
	messages, tools, err := r.conversation()
	if err != nil {
		return nil, err
	}
	o, err := s.chatPlan(r)
	if err != nil {
		return nil, err
	}
	p, err := s.conversed(messages, tools)
	if err != nil {
		return nil, err
	}
	return &job{plan: o, params: &r.params, server: s, prompts: []prompt{p}, form: &chatForm{scored: r.Logprobs}}, nil
}

// chatPlan is plan for an answer, which has a token at least.
func (s *Server) chatPlan(r *chatRequest) (*plan, error) {
	name, tokens := "max_completion_tokens", r.MaxCompletionTokens
	if tokens == nil {
		name, tokens = "max_tokens", r.MaxTokens
	}
	o, err := s.plan(&r.params, name, tokens, s.Limits.Tokens, r.logprobs())
	if err != nil {
		return nil, err
	}
	if o.tokens == 0 {
		return nil, wrong(name, "have 0, want at least 1")
	}
	return o, nil
}

// conversation is what the template is told: messages, and tools or nil.
func (r *chatRequest) conversation() (messages, tools json.RawMessage, err error) {
	if tools, err = r.told(); err != nil {
		return nil, nil, err
	}
	messages, err = plain(r.Messages)
	return messages, tools, err
}

// conversed makes a prompt of a conversation.
func (s *Server) conversed(messages, tools json.RawMessage) (prompt, error) {
	text, err := s.converse(messages, tools)
	if err != nil {
		return prompt{}, err
	}
	p, err := s.encode(text, false) // the template writes special tokens itself
	if err != nil {
		return prompt{}, err
	}
	p.likely = s.opening(messages, tools, text, p.ids)
	return p, nil
}

// converse writes a conversation as the model reads it.
func (s *Server) converse(messages, tools json.RawMessage) (string, error) {
	text, err := s.Template(messages, tools)
	switch {
	case errors.Is(err, template.ErrNoTools):
		return "", wrong("tools", "%v", err)
	case err != nil:
		return "", wrong("messages", "%.500v", err)
	}
	return text, nil
}

// logprobs is how many likeliest tokens are wanted, −1 for nothing.
func (r *chatRequest) logprobs() int {
	switch {
	case !r.Logprobs:
		return -1
	case r.TopLogprobs != nil:
		return *r.TopLogprobs
	}
	return 0
}

func (s *Server) checkChat(r *chatRequest) error {
	switch {
	case s.Template == nil:
		return failf(http.StatusBadRequest, "no_chat_template", "the model has no chat template, so it continues texts only: ask /v1/completions, or build it from a checkpoint that has one")
	case r.TopLogprobs != nil && !r.Logprobs:
		return wrong("top_logprobs", "needs logprobs")
	case r.TopLogprobs != nil && (*r.TopLogprobs < 0 || *r.TopLogprobs > maxLogprob):
		return wrong("top_logprobs", "have %d, want 0 to %d", *r.TopLogprobs, maxLogprob)
	case r.ResponseFormat != nil && r.ResponseFormat.Type != "text":
		return wrong("response_format", "have %.20q, want text: answers are what the model writes", r.ResponseFormat.Type)
	}
	return nil
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
