package serve

import (
	"net/http"
	"testing"
)

func TestHostsAndOrigins(t *testing.T) {
	s := newServer(t, func(o *Options) { o.Hosts, o.Origins = []string{"box"}, []string{"https://page.example"} })
	for _, c := range []struct {
		host, origin string
		status       int
		allowed      string
	}{
		{"localhost", "", 200, ""},
		{"LocalHost:8080", "", 200, ""},
		{"127.0.0.1:8080", "", 200, ""},
		{"192.168.1.7", "", 200, ""},
		{"[::1]:8080", "", 200, ""},
		{"[::1]", "", 200, ""},
		{"box:8080", "", 200, ""},
		{"evil.example:8080", "", 403, ""},
		{"localhost.evil.example", "", 403, ""},
		{"", "", 403, ""},
		{"localhost:8080", "http://localhost:8080", 200, ""},
		{"localhost:8080", "http://localhost:9090", 403, ""},
		{"localhost:8080", "http://evil.example", 403, ""},
		{"evil.example", "http://evil.example", 403, ""},
		{"localhost:8080", "null", 403, ""},
		{"localhost:8080", "https://page.example", 200, "https://page.example"},
	} {
		header := []string{"Host", c.host}
		if c.origin != "" {
			header = append(header, "Origin", c.origin)
		}
		w := ask(s, "GET", "/v1/models", "", header...)
		if got := w.Header().Get("Access-Control-Allow-Origin"); w.Code != c.status || got != c.allowed {
			t.Errorf("host %q, origin %q: %d, allowed %q, want %d, %q", c.host, c.origin, w.Code, got, c.status, c.allowed)
		}
	}
}

// TestPreflight is what a browser asks before it sends a page's request.
func TestPreflight(t *testing.T) {
	s := newServer(t, func(o *Options) { o.Origins, o.Keys = []string{"https://page.example"}, []string{"secret"} })
	const headers = "authorization,content-type,x-stainless-arch,x-mambac-state" // OpenAI's client sends ten of the third kind
	w := ask(s, "OPTIONS", completionsPath, "", "Origin", "https://page.example", "Access-Control-Request-Headers", headers)
	if w.Code != http.StatusNoContent || w.Header().Get("Access-Control-Allow-Headers") != headers {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	w = ask(s, "GET", "/v1/models", "", "Origin", "https://page.example", "Authorization", "Bearer secret")
	if w.Code != http.StatusOK || w.Header().Get("Access-Control-Expose-Headers") != "Retry-After, X-Should-Retry" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if w := ask(s, "OPTIONS", completionsPath, "", "Origin", "https://evil.example", "Access-Control-Request-Headers", headers); w.Code != http.StatusForbidden || w.Header().Get("Access-Control-Allow-Headers") != "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if w := ask(s, "OPTIONS", completionsPath, ""); w.Code != http.StatusUnauthorized {
		t.Errorf("without an origin: %d", w.Code)
	}
}

func TestKeys(t *testing.T) {
	s := newServer(t, func(o *Options) { o.Keys = []string{"one", "two"} })
	for header, status := range map[string]int{
		"Bearer one": 200, "Bearer two": 200, "Bearer three": 401, "Bearer ": 401, "one": 401, "Basic one": 401, "": 401, "bearer one": 401, "Bearer one ": 401,
	} {
		for _, path := range []string{"/v1/models", "/metrics"} {
			if w := ask(s, "GET", path, "", "Authorization", header); w.Code != status {
				t.Errorf("%s with %q: %d, want %d", path, header, w.Code, status)
			}
		}
	}
	if w := ask(s, "GET", "/healthz", ""); w.Code != 200 {
		t.Errorf("health without a key: %d", w.Code)
	}
	if w := ask(s, "GET", "/nothing", ""); w.Code != 401 || w.Header().Get("WWW-Authenticate") != "Bearer" {
		t.Errorf("what there is, without a key: %d", w.Code)
	}
}

// TestContentTypes: a page can send a form, or text, without asking first.
func TestContentTypes(t *testing.T) {
	s := newServer(t, nil)
	for media, status := range map[string]int{
		"application/json": 200, "application/json; charset=utf-8": 200, "Application/JSON": 200,
		"text/plain": 415, "application/x-www-form-urlencoded": 415, "": 415, ";": 415,
	} {
		w := ask(s, "POST", completionsPath, `{"prompt":"a","max_tokens":1}`, "Content-Type", media)
		if w.Code != status {
			t.Errorf("%q: %d, want %d", media, w.Code, status)
		}
	}
}
