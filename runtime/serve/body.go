package serve

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

// enter takes a place among the requests that are being answered, which leave
// gives back.
func (s *Server) enter() error {
	select {
	case s.places <- struct{}{}:
		return nil
	default:
		return errBusy
	}
}

func (s *Server) leave() { <-s.places }

// read reads a request's JSON into v.
func (s *Server) read(c *call, v any) error {
	media, _, err := mime.ParseMediaType(c.Request.Header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		return failf(http.StatusUnsupportedMediaType, "", "Content-Type %.200q: want application/json", c.Request.Header.Get("Content-Type"))
	}
	text, err := s.body(c)
	if err != nil {
		return err
	}
	if !utf8.Valid(text) {
		return failf(http.StatusBadRequest, "", "the request is not UTF-8")
	}
	return decode(text, v)
}

// limitReading gives a body its time, whether it is wanted or not: net/http reads
// what an answer has left of it before it sends that. Where there is none, a read
// goes on already, whose end means that the client has left.
func (s *Server) limitReading(c *call) {
	if c.ContentLength != 0 {
		// Where there are no deadlines, as in tests, nobody is slow.
		_ = http.NewResponseController(c.ResponseWriter).SetReadDeadline(time.Now().Add(s.Limits.Reading))
	}
}

// body reads as much as a request may have, in the time that limitReading gives.
func (s *Server) body(c *call) ([]byte, error) {
	text, err := io.ReadAll(http.MaxBytesReader(c.ResponseWriter, c.Body, s.Limits.Body))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, failf(http.StatusRequestEntityTooLarge, "", "the request has more than %d bytes", s.Limits.Body)
	case err != nil:
		return nil, failf(http.StatusRequestTimeout, "", "the request did not arrive: %v", err)
	}
	// From here on a read that ends means that the client has left.
	_ = http.NewResponseController(c.ResponseWriter).SetReadDeadline(time.Time{})
	return text, nil
}

// hurry gives the next piece of an answer its time.
func (s *Server) hurry(c *call) {
	_ = http.NewResponseController(c.ResponseWriter).SetWriteDeadline(time.Now().Add(s.Limits.Writing))
}

func decode(text []byte, v any) error {
	err := json.Unmarshal(text, v)
	var kind *json.UnmarshalTypeError
	var f *failure
	switch {
	case err == nil:
		return nil
	case errors.As(err, &f):
		return f
	case errors.As(err, &kind) && kind.Field != "":
		return wrong(strings.TrimPrefix(kind.Field, "params."), "have a JSON %.40s, want %s", kind.Value, kind.Type.Kind())
	}
	return failf(http.StatusBadRequest, "", "the request is no JSON object: %.200v", err)
}
