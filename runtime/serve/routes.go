package serve

import (
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/mambac/mambac/runtime/schedule"
)

// route is what is behind a path.
type route struct {
	method string // or several, as Allow lists them
	answer func(*call) error
	open   bool // to those without a key
}

// allows tells whether there is an answer to a method.
func (r *route) allows(method string) bool {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	return slices.Contains(strings.Split(r.method, ", "), method)
}

func (s *Server) table() map[string]route {
	routes := map[string]route{
		"/v1/completions":      {http.MethodPost, s.completions, false},
		"/v1/chat/completions": {http.MethodPost, s.chat, false},
		"/v1/embeddings":       {http.MethodPost, s.embeddings, false},
		"/v1/models":           {http.MethodGet, s.models, false},
		"/v1/explain":          {http.MethodPost, s.explain, false},
		statesPath:             {"GET, POST", s.states, false},
		"/healthz":             {http.MethodGet, s.health, true},
		"/metrics":             {http.MethodGet, s.writeMetrics, false},
	}
	s.addPage(routes)
	return routes
}

// find is the route of a path. Behind those of the models and the states there is
// the name of one.
func (s *Server) find(path string) (r route, ok bool) {
	if name, one := strings.CutPrefix(path, modelsPath); one {
		return route{http.MethodGet, func(c *call) error { return s.model(c, name) }, false}, true
	}
	if name, one := strings.CutPrefix(path, statesPath+"/"); one {
		return s.stateRoute(name), true
	}
	r, ok = s.routes[path]
	return r, ok
}

// call is a request that is being answered.
type call struct {
	http.ResponseWriter
	*http.Request
	status int // 0 before the header is written
	err    error
}

// Header implements http.ResponseWriter.
func (c *call) Header() http.Header { return c.ResponseWriter.Header() }

// WriteHeader implements http.ResponseWriter.
func (c *call) WriteHeader(status int) {
	if c.status == 0 {
		c.status = status
	}
	c.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (c *call) Write(p []byte) (int, error) {
	if c.status == 0 {
		c.WriteHeader(http.StatusOK)
	}
	return c.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController find deadlines.
func (c *call) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{ResponseWriter: w, Request: r}
	begun := time.Now()
	s.limitReading(c)
	defer func() { s.note(c, time.Since(begun)) }()
	defer func() {
		if v := recover(); v != nil {
			s.Log.Error("panic", "value", fmt.Sprint(v), "stack", string(debug.Stack()))
			s.refuse(c, errInternal)
		}
	}()
	if !s.running.TryRLock() { // Close waits, or has waited
		s.refuse(c, schedule.ErrClosed)
		return
	}
	defer s.running.RUnlock()
	if err := s.serve(c); err != nil {
		s.refuse(c, err)
	}
}

func (s *Server) serve(c *call) error {
	header := c.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	if err := s.checkOrigin(c); err != nil {
		return err
	}
	if c.Method == http.MethodOptions && c.Request.Header.Get("Origin") != "" {
		c.WriteHeader(http.StatusNoContent)
		return nil
	}
	r, ok := s.find(c.URL.Path)
	if !r.open {
		if err := s.checkKey(c.Request); err != nil {
			return err
		}
	}
	if !ok {
		return failf(http.StatusNotFound, "", "there is no %s %.200q; see /v1/models, /v1/completions, /v1/chat/completions", c.Method, c.URL.Path)
	}
	if !r.allows(c.Method) {
		header.Set("Allow", r.method)
		return failf(http.StatusMethodNotAllowed, "", "%s %s: want %s", c.Method, c.URL.Path, r.method)
	}
	return r.answer(c)
}

// note counts and logs a request that has ended.
func (s *Server) note(c *call, took time.Duration) {
	s.metrics.request(s.label(c.URL.Path), c.status)
	attrs := []any{"method", c.Method, "path", c.URL.Path, "status", c.status, "took", took, "from", c.RemoteAddr}
	if c.err != nil {
		attrs = append(attrs, "error", c.err)
	}
	s.Log.Info("request", attrs...)
}

// label is what a path is counted as: clients must not make up new ones.
func (s *Server) label(path string) string {
	if _, ok := s.routes[path]; ok {
		return path
	}
	name, state := strings.CutPrefix(path, statesPath+"/")
	switch {
	case strings.HasPrefix(path, modelsPath):
		return modelsPath + "NAME"
	case state && strings.HasSuffix(name, forkPath):
		return statesPath + "/NAME" + forkPath
	case state:
		return statesPath + "/NAME"
	}
	return "other"
}
