package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/mambac/mambac/examples/answers/gomamba"
)

const sourceText = "package list\n\n// List is a list of ints.\ntype List struct {\n\titems []int\n}\n\n"

func open(t *testing.T) *gomamba.Model {
	t.Helper()
	m, err := gomamba.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// source writes a source text and returns its path.
func source(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "list.go")
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// listen serves answers behind the source until the test ends.
func listen(t *testing.T, m *gomamba.Model) *httptest.Server {
	t.Helper()
	base, err := openState(context.Background(), m, source(t, sourceText), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(newAnswers(base))
	t.Cleanup(server.Close)
	return server
}

// ask posts a prompt and returns status and body.
func ask(t *testing.T, url, prompt string) (int, string) {
	t.Helper()
	r, err := http.Post(url, "text/plain", strings.NewReader(prompt))
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	return r.StatusCode, string(text)
}

// alone is what follows source and prompt without a server, a state or others.
// The two are read apart: the ids of a text that is cut may be others than those
// of the whole.
func alone(t *testing.T, m *gomamba.Model, prompt string, n int) string {
	t.Helper()
	session := m.NewSession()
	ids, err := m.Prompt(sourceText)
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Prefill(context.Background(), ids); err != nil {
		t.Fatal(err)
	}
	text := ""
	for token, err := range session.Generate(context.Background(), prompt, gomamba.MaxTokens(n)) {
		if err != nil {
			t.Fatal(err)
		}
		text += token.Text
	}
	return text
}

// TestAnswers asks many questions at once; each is answered as if it were the
// only one.
func TestAnswers(t *testing.T) {
	m := open(t)
	server := listen(t, m)
	var group sync.WaitGroup
	for i := range 16 {
		prompt := fmt.Sprintf("// Method%d returns\nfunc (l *List) ", i)
		want := alone(t, m, prompt, 12)
		group.Go(func() {
			if status, text := ask(t, server.URL+"?n=12", prompt); status != http.StatusOK || text != want {
				t.Errorf("%q: status %d, %q, want %q", prompt, status, text, want)
			}
		})
	}
	group.Wait()
}

func TestOptions(t *testing.T) {
	server := listen(t, open(t))
	const prompt = "func (l *List) "
	one := server.URL + "?temperature=1&seed=1"
	_, text := ask(t, one, prompt)
	if _, again := ask(t, one, prompt); again != text {
		t.Errorf("the same seed gives %q and %q", text, again)
	}
	if _, other := ask(t, server.URL+"?temperature=1&seed=2", prompt); other == text {
		t.Errorf("two seeds give %q", text)
	}
	_, whole := ask(t, server.URL, prompt)
	first, _, _ := strings.Cut(whole, "\n")
	if _, line := ask(t, server.URL+"?stop=%0A", prompt); line != first {
		t.Errorf("until the end of the line: %q, want %q", line, first)
	}
}

func TestWrongRequests(t *testing.T) {
	server := listen(t, open(t))
	for query, want := range map[string]string{
		"?n=0": "n is", "?n=many": "n is", "?n=1000000": "n is",
		"?temperature=hot": "temperature is", "?temperature=-1": "temperature is", "?temperature=NaN": "temperature is", "?seed=x": "seed is",
	} {
		if status, text := ask(t, server.URL+query, "a"); status != http.StatusBadRequest || !strings.Contains(text, want) {
			t.Errorf("%s: status %d, %q", query, status, text)
		}
	}
	if status, _ := ask(t, server.URL, strings.Repeat("a", maxPrompt+1)); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a prompt that is too long: status %d", status)
	}
	if status, _ := ask(t, server.URL+"/elsewhere", "a"); status != http.StatusNotFound {
		t.Errorf("elsewhere: status %d", status)
	}
	r, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: status %d", r.StatusCode)
	}
}

// observed is a handler that tells how its requests have ended.
type observed struct {
	http.Handler
	ends chan error // of the requests' contexts
}

func (o *observed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() { o.ends <- r.Context().Err() }()
	o.Handler.ServeHTTP(w, r)
}

// TestClientLeaves leaves after the first bytes: the handler ends, long before
// the answer would have.
func TestClientLeaves(t *testing.T) {
	base, err := openState(context.Background(), open(t), source(t, sourceText), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	h := &observed{newAnswers(base), make(chan error, 1)}
	server := httptest.NewServer(h)
	defer server.Close()
	ctx, leave := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"?n=4096&temperature=1", strings.NewReader("func "))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := response.Body.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	leave()
	if err := <-h.ends; !errors.Is(err, context.Canceled) {
		t.Errorf("the answer went on to its end: %v", err)
	}
}
