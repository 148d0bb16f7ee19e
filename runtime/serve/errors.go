package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/mambac/mambac/runtime/schedule"
)

// failure is an error as the client is told of it.
type failure struct {
	status  int
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    *string `json:"code"`
}

// Error implements error.
func (f *failure) Error() string { return f.Message }

var errInternal = &failure{status: http.StatusInternalServerError, Message: "the server has failed; its log says more", Type: "server_error"}

// types are what OpenAI calls errors of a status.
var types = map[int]string{
	http.StatusUnauthorized:        "authentication_error",
	http.StatusForbidden:           "permission_error",
	http.StatusTooManyRequests:     "rate_limit_error",
	http.StatusInternalServerError: "server_error",
	http.StatusServiceUnavailable:  "server_error",
}

// failf is a failure with a code, "" for none.
func failf(status int, code, format string, args ...any) *failure {
	f := &failure{status: status, Message: fmt.Sprintf(format, args...), Type: types[status]}
	if f.Type == "" {
		f.Type = "invalid_request_error"
	}
	if code != "" {
		f.Code = &code
	}
	return f
}

// unsupported is the answer to what this server never does. Clients of OpenAI would ask
// again after another one of its kind.
func unsupported(c *call, format string, args ...any) *failure {
	c.Header().Set("X-Should-Retry", "false")
	return failf(http.StatusNotImplemented, "unsupported", format, args...)
}

// wrong is a failure because of a parameter.
func wrong(param, format string, args ...any) *failure {
	f := failf(http.StatusBadRequest, "", format, args...)
	f.Message = param + ": " + f.Message
	f.Param = &param
	return f
}

// errBusy is the answer to one request too many.
var errBusy = failf(http.StatusTooManyRequests, "rate_limit_exceeded", "%v", schedule.ErrQueueFull)

// explain turns an error into what the client is told; the log has the error.
func explain(err error) *failure {
	var f *failure
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, schedule.ErrQueueFull):
		return errBusy
	case errors.Is(err, schedule.ErrClosed):
		return failf(http.StatusServiceUnavailable, "", "the server is shutting down")
	}
	return errInternal
}

// gone is the status in the log, which nobody gets, of a client that has left.
const gone = 499

// leftError is an answer that does not arrive.
type leftError struct{ error }

// refuse answers with an error, unless an answer has begun or nobody is there.
func (s *Server) refuse(c *call, err error) {
	c.err = err
	var away *leftError
	if errors.Is(err, context.Canceled) || errors.As(err, &away) {
		c.status = gone
		return
	}
	f := explain(err)
	if f == errInternal {
		s.Log.Error("failed", "path", c.URL.Path, "error", err)
	}
	if c.status != 0 {
		return
	}
	switch f.status {
	case http.StatusTooManyRequests:
		c.Header().Set("Retry-After", strconv.Itoa(s.patience()))
	case http.StatusUnauthorized:
		c.Header().Set("WWW-Authenticate", "Bearer")
	}
	s.writeJSON(c, f.status, map[string]*failure{"error": f})
}

// patience is the seconds after which it may be worth asking again: one for each
// round of those that wait.
func (s *Server) patience() int { return 1 + s.scheduler.Stats().Waiting/s.Limits.Slots }

// writeJSON writes an answer as a whole. Whoever asked may have left, which is no
// failure.
func (s *Server) writeJSON(c *call, status int, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	s.hurry(c)
	c.Header().Set("Content-Type", "application/json")
	c.WriteHeader(status)
	_, c.err = c.Write(append(text, '\n'))
}
