package serve

import (
	"context"
	"errors"
	"net/http"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/heat"
	"github.com/mambac/mambac/runtime/schedule"
)

// explainRequest is the body of /v1/explain.
type explainRequest struct {
	Model  *string `json:"model"`
	Prompt *string `json:"prompt"`
}

// mostExplains bounds the texts that are read to be explained or wait for that: they
// hold places that others could have.
const mostExplains = 8

// explain answers with Δ along a text, one text after the other: those that run
// wait for a chunk of one.
func (s *Server) explain(c *call) error {
	if s.Heat == nil {
		return unsupported(c, "%v", heat.ErrUnexplained)
	}
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	var r explainRequest
	if err := s.read(c, &r); err != nil {
		return err
	}
	ids, err := s.explained(&r)
	if err != nil {
		return err
	}
	select {
	case s.explains <- struct{}{}:
		defer func() { <-s.explains }()
	default:
		return errBusy
	}
	if err := s.beginReading(c.Context()); err != nil {
		return err
	}
	defer s.endReading()
	m, err := s.Heat.Read(c.Context(), ids, heat.Texts(s.Tokenizer, ids))
	if err != nil {
		return err
	}
	s.metrics.texts(len(ids), 0)
	m.Model = s.Name
	s.writeJSON(c, http.StatusOK, m)
	return nil
}

// beginReading waits until no other text is read to be explained. After Shutdown none
// is any more.
func (s *Server) beginReading(ctx context.Context) error {
	select {
	case s.reading <- struct{}{}:
	case <-s.closing:
		return schedule.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-s.closing: // which may have come first
		s.endReading()
		return schedule.ErrClosed
	default:
		return nil
	}
}

func (s *Server) endReading() { <-s.reading }

// explained is the ids of the text.
func (s *Server) explained(r *explainRequest) ([]int32, error) {
	if r.Model != nil && *r.Model != "" {
		if err := s.checkModel(*r.Model); err != nil {
			return nil, err
		}
	}
	if r.Prompt == nil {
		return nil, wrong("prompt", "is missing")
	}
	p, err := s.encode(*r.Prompt, true)
	if err != nil {
		return nil, err
	}
	n := len(p.ids)
	var room *engine.ContextError
	switch err := s.Engine.CheckPosition(n); {
	case n == 0:
		return nil, wrong("prompt", "is empty, and the model has no token to begin with")
	case n > heat.MaxTokens:
		return nil, failf(http.StatusBadRequest, "context_length_exceeded", "the prompt has %d tokens, want at most %d", n, heat.MaxTokens)
	case errors.As(err, &room):
		return nil, failf(http.StatusBadRequest, "context_length_exceeded", "the prompt has %d tokens, want at most %d", n, room.Context)
	case err != nil:
		return nil, wrong("prompt", "%v", err)
	}
	return p.ids, nil
}
