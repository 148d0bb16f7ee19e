package serve

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/enginetest"
	"github.com/mambac/mambac/runtime/heat"
	"github.com/mambac/mambac/runtime/payload"
)

// explaining has a server tell Δ, which of the fake model is the ids.
func explaining(t *testing.T) func(*Options) {
	return func(o *Options) {
		e, err := engine.New(enginetest.Tapped(vocab), []byte("weights"), engine.Options{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(e.Close)
		o.Meta.Layers = []payload.Layer{{Mixer: "attention"}, {Mixer: "mamba", Delta: &payload.Delta{Tap: "id"}}}
		if o.Heat, err = heat.New(e, o.Meta, nil); err != nil {
			t.Fatal(err)
		}
		o.Engine = e
	}
}

const explainPath = "/v1/explain"

func TestExplain(t *testing.T) {
	s := newServer(t, explaining(t))
	w := ask(s, "POST", explainPath, `{"prompt":"acb","model":"fake"}`)
	var m heat.Map
	if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if m.Model != "fake" || !slices.Equal(m.Tokens, []string{"a", "c", "b"}) || m.Delta[0] != nil ||
		!slices.Equal(m.Delta[1], []float32{97, 99, 98}) || !slices.Equal(m.Overall, []int{1, 7, 4}) {
		t.Errorf("%s", w.Body)
	}
	for body, want := range map[string]string{
		`{}`:                         `400 prompt: is missing`,
		`{"prompt":["a"]}`:           `400 prompt: have a JSON array, want`,
		`{"prompt":"a","model":"x"}`: `404 the model "x" does not exist`,
		`{"prompt":"` + strings.Repeat("a", heat.MaxTokens+1) + `"}`: `400 the prompt has 4097 tokens, want at most 4096`,
	} {
		requireFailure(t, s, explainPath, body, want)
	}
	if w := ask(s, "POST", explainPath, `{"prompt":""}`); w.Code != http.StatusOK { // the end token stands for it
		t.Errorf("an empty text: %d %s", w.Code, w.Body)
	}
	requireFailure(t, newServer(t, nil), explainPath, `{"prompt":"a"}`, "501 the program was built without Δ to show; build it again --with explain")
}

// TestShutdownExplains: the text that is read is waited for, those behind it are not
// read.
func TestShutdownExplains(t *testing.T) {
	s := newServer(t, explaining(t))
	if err := s.beginReading(t.Context()); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Shutdown(t.Context()) }()
	requireFailure(t, s, explainPath, `{"prompt":"a"}`, "503 the server is shutting down") // it has waited until then
	select {
	case err := <-ended:
		t.Errorf("it has ended before: %v", err)
	default:
	}
	s.endReading()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	requireFailure(t, s, explainPath, `{"prompt":"a"}`, "503 the server is shutting down")

	s = newServer(t, explaining(t))
	if err := s.beginReading(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("without time to wait: %v", err)
	}
}

// TestExplainsWait: those that wait to be explained leave places to others.
func TestExplainsWait(t *testing.T) {
	s := newServer(t, explaining(t))
	if err := s.beginReading(t.Context()); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range mostExplains {
		group.Go(func() {
			if w := ask(s, "POST", explainPath, `{"prompt":"a"}`); w.Code != http.StatusOK {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
	for len(s.explains) < mostExplains {
		runtime.Gosched()
	}
	w := ask(s, "POST", explainPath, `{"prompt":"a"}`)
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
		t.Errorf("one too many: %d %s", w.Code, w.Body)
	}
	complete(t, s, completionsPath, `{"prompt":"a","max_tokens":1}`)
	s.endReading()
	group.Wait()
	if len(s.explains) != 0 || len(s.places) != 0 {
		t.Errorf("%d places of explain are taken, %d of all", len(s.explains), len(s.places))
	}
}

func requireFailure(t *testing.T, s *Server, path, body, want string) {
	t.Helper()
	w := ask(s, "POST", path, body)
	var r reply
	if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil || r.Error == nil {
		t.Fatalf("%.80s: %s", body, w.Body)
	}
	status, message, _ := strings.Cut(want, " ")
	if http.StatusText(w.Code) == "" || status != strings.TrimSpace(strings.Split(w.Result().Status, " ")[0]) || !strings.HasPrefix(r.Error.Message, message) {
		t.Errorf("%.80s: %d %s, want %s", body, w.Code, r.Error.Message, want)
	}
}

// TestModelTells: a page learns from it what there is to ask for.
func TestModelTells(t *testing.T) {
	for want, alter := range map[string]func(*Options){
		`"chat":true,"explain":true}`:   explaining(t),
		`"chat":true,"explain":false}`:  nil,
		`"chat":false,"explain":false}`: func(o *Options) { o.Template = nil },
	} {
		if w := ask(newServer(t, alter), "GET", "/v1/models/fake", ""); !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s, want %s", w.Body, want)
		}
	}
}
