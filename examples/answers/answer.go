package main

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"

	"github.com/mambac/mambac/examples/answers/gomamba"
)

const (
	defaultTokens = 64
	maxTokens     = 4096
	maxPrompt     = 64 << 10
)

// answers serves POST /: the body is a prompt, the answer what follows it, as
// it is generated. Each request has a fork of the session that has read the
// source, a copy of some hundred kilobytes: none waits for another to end, and
// none sees what another has said.
type answers struct {
	mux  http.ServeMux
	mu   sync.Mutex // a session has one call at a time, and Fork is one
	base *gomamba.Session
}

func newAnswers(base *gomamba.Session) *answers {
	a := &answers{base: base}
	a.mux.HandleFunc("POST /{$}", a.answer)
	return a
}

func (a *answers) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux.ServeHTTP(w, r) }

func (a *answers) fork() *gomamba.Session {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.base.Fork()
}

func (a *answers) answer(w http.ResponseWriter, r *http.Request) {
	opts, err := options(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	prompt, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPrompt))
	if err != nil {
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	session := a.fork()
	defer session.Close()
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	begun := false
	// The request's context ends when its client leaves; so does the generation.
	for token, err := range session.Generate(r.Context(), string(prompt), opts...) {
		if err == nil {
			begun = true
			_, err = io.WriteString(w, token.Text)
		}
		switch {
		case err == nil:
			_ = http.NewResponseController(w).Flush() // what cannot be flushed comes later
		case begun:
			panic(http.ErrAbortHandler) // the client must not take the beginning for the whole
		default:
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
}

// options are those of a request's query: n, temperature, seed, stop.
func options(r *http.Request) ([]gomamba.GenerateOption, error) {
	query := r.URL.Query()
	n := defaultTokens
	opts := []gomamba.GenerateOption{gomamba.Stop(query["stop"]...)}
	if s := query.Get("n"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil || n < 1 || n > maxTokens {
			return nil, fmt.Errorf("n is %q, want 1 to %d tokens", s, maxTokens)
		}
	}
	if s := query.Get("temperature"); s != "" {
		t, err := strconv.ParseFloat(s, 64)
		if err != nil || !(t >= 0 && t <= 10) {
			return nil, fmt.Errorf("temperature is %q, want 0 to 10", s)
		}
		opts = append(opts, gomamba.Temperature(t))
	}
	if s := query.Get("seed"); s != "" {
		seed, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("seed is %q, want a number", s)
		}
		opts = append(opts, gomamba.Seed(seed))
	}
	return append(opts, gomamba.MaxTokens(n)), nil
}
