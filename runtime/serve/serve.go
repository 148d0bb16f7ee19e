// Package serve answers requests over HTTP with what a model writes; it sees the
// runtime only.
package serve

import "net/http"

// Server is a handler of requests.
type Server struct{ routes map[string]http.HandlerFunc }

// New makes a server.
func New() *Server {
	s := &Server{}
	s.routes = map[string]http.HandlerFunc{"/healthz": s.health}
	return s
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	handle, ok := s.routes[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	handle(w, r)
}

// health says that the server is there.
func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte("{\"status\":\"ok\"}\n")) // who asked may have left
}
