package serve

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/enginetest"
	"github.com/mambac/mambac/runtime/library"
	"github.com/mambac/mambac/runtime/parallel"
	"github.com/mambac/mambac/runtime/prefix"
	"github.com/mambac/mambac/runtime/snapshot"
)

// counting counts the ids that a program reads of prompts.
type counting struct {
	engine.Program
	read *atomic.Int64
}

func (p counting) Prefill(w *parallel.Worker, m *engine.Memory, s *engine.Sequence, ids []int32) {
	if w.ID == 0 {
		p.read.Add(int64(len(ids)))
	}
	p.Program.Prefill(w, m, s, ids)
}

// keeper is a server that keeps states, of one of the fake models.
type keeper struct {
	*Server
	read atomic.Int64 // ids, by the engine
}

func newKeeper(t *testing.T, compiled *engine.Compiled, memory int64, alter func(o *Options)) *keeper {
	t.Helper()
	k := &keeper{}
	open := compiled.Open
	compiled.Open = func(level string, weights []byte) (engine.Program, error) {
		p, err := open(level, weights)
		return counting{p, &k.read}, err
	}
	e, err := engine.New(compiled, []byte("weights"), engine.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	k.Server = newServer(t, func(o *Options) {
		o.Engine = e
		if len(e.Shape().Caches) > 0 {
			o.Meta = &enginetest.NewRemembering(vocab).Meta
		}
		o.Codec = snapshot.New(o.Meta, e.Shape(), e)
		if memory > 0 {
			o.Prefix = prefix.New(Prefixes(e, o.Meta, memory))
			t.Cleanup(o.Prefix.Close)
		}
		folder := filepath.Join(t.TempDir(), "states")
		if o.Library, err = library.Open(folder); err != nil {
			t.Fatal(err)
		}
		o.Template, o.Opening = marked("!"), marked("")
		if alter != nil {
			alter(o)
		}
	})
	return k
}

// marked is a template that writes all messages, each behind the first letter of
// its role, and then what an answer begins with.
func marked(end string) Template {
	return func(messages []byte) (string, error) {
		var list []struct{ Role, Content string }
		if err := json.Unmarshal(messages, &list); err != nil {
			return "", err
		}
		text := ""
		for _, m := range list {
			text += m.Role[:1] + ":" + m.Content + "\n"
		}
		return text + end, nil
	}
}

// took is how many ids the engine has read since it was asked last.
func (k *keeper) took() int64 { return k.read.Swap(0) }

// kinds are the models to be held against each other.
func kinds() map[string]func() *engine.Compiled {
	return map[string]func() *engine.Compiled{
		"recurrent": func() *engine.Compiled { return enginetest.Compiled(vocab) },
		"cache":     func() *engine.Compiled { return enginetest.Remembering(vocab, false) },
		"window":    func() *engine.Compiled { return enginetest.Remembering(vocab, true) },
	}
}

// essence is all of a reply that its text and the logits behind it decide: the last
// bits of these show in logprobs.
func essence(t *testing.T, r *reply) string {
	t.Helper()
	text, err := json.Marshal(r.Choices)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestPrefixes: instructions are read once, and so is a conversation, whose answers
// are those of a server that keeps nothing.
func TestPrefixes(t *testing.T) {
	instructions := strings.Repeat("Be brief. ", 25) // 250 tokens
	for name, compiled := range kinds() {
		k, bare := newKeeper(t, compiled(), 1<<20, nil), newKeeper(t, compiled(), 0, nil)
		talk := fmt.Sprintf(`{"role":"system","content":%q}`, instructions)
		ask := func(question string) (answer string, cached, read int) {
			t.Helper()
			body := fmt.Sprintf(`{"messages":[%s,{"role":"user","content":%q}],"temperature":0,"max_tokens":50,"ignore_eos":true,"logprobs":true,"top_logprobs":5}`, talk, question)
			r, want := complete(t, k.Server, chatPath, body), complete(t, bare.Server, chatPath, body)
			if a, b := essence(t, r), essence(t, want); a != b {
				t.Errorf("%s: %.80s, without a cache %.80s", name, a, b)
			}
			if want.Usage.Details.Cached != 0 || r.Usage.Prompt != want.Usage.Prompt {
				t.Errorf("%s: usage %+v and %+v", name, r.Usage, want.Usage)
			}
			if took := int(k.took()); took != r.Usage.Prompt-r.Usage.Details.Cached {
				t.Errorf("%s: %d ids of %+v were read", name, took, r.Usage)
			}
			return r.Choices[0].Message.Content, r.Usage.Details.Cached, r.Usage.Prompt
		}
		if _, cached, _ := ask("one?"); cached != 0 {
			t.Errorf("%s: %d ids of nothing are known", name, cached)
		}
		if _, cached, _ := ask("two?"); cached != 240 { // of 253
			t.Errorf("%s: %d ids of the instructions are known", name, cached)
		}
		answer, _, whole := ask("three?")
		talk += fmt.Sprintf(`,{"role":"user","content":"three?"},{"role":"assistant","content":%q}`, answer)
		if _, cached, _ := ask("four?"); cached < whole-16 {
			t.Errorf("%s: %d ids of a conversation of %d are known", name, cached, whole)
		}
		if s := k.Prefix.Stats(); s.Hits < 3 || s.Misses != 1 {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// TestPrefixOfAnAnswer: where the next turn repeats what was written, that is not
// read either.
func TestPrefixOfAnAnswer(t *testing.T) {
	k := newKeeper(t, enginetest.Compiled(vocab), 1<<20, nil)
	prompt := strings.Repeat("A", 20)
	r := complete(t, k.Server, completionsPath, fmt.Sprintf(`{"prompt":%q,"temperature":0,"max_tokens":60}`, prompt))
	prompt += r.Choices[0].Text
	r = complete(t, k.Server, completionsPath, fmt.Sprintf(`{"prompt":%q,"temperature":0,"max_tokens":1}`, prompt+"and?"))
	want := (20 + 46) / 16 * 16 // B to o; p ends it
	if r.Usage.Details.Cached != want || k.took() != int64(20+r.Usage.Prompt-want) {
		t.Errorf("%q: %+v", prompt, r.Usage)
	}
}

// TestPrefixesAtOnce: of many that come at the same moment the first one reads what
// all begin with, and the texts are those of a server that keeps nothing.
func TestPrefixesAtOnce(t *testing.T) {
	k, bare := newKeeper(t, enginetest.Remembering(vocab, false), 1<<20, nil), newKeeper(t, enginetest.Remembering(vocab, false), 0, nil)
	document := strings.Repeat("0123456789", 40)
	complete(t, k.Server, completionsPath, fmt.Sprintf(`{"prompt":%q,"max_tokens":1}`, document+"?"))
	k.took()
	var group sync.WaitGroup
	for n := range 24 {
		group.Go(func() {
			body := fmt.Sprintf(`{"prompt":%q,"temperature":0,"max_tokens":%d,"ignore_eos":true,"logprobs":3,"n":%d}`, document+fmt.Sprint(n), 10+n, 1+n%3)
			a, b := ask(k.Server, "POST", completionsPath, body), ask(bare.Server, "POST", completionsPath, body)
			var have, want reply
			if json.Unmarshal(a.Body.Bytes(), &have) != nil || json.Unmarshal(b.Body.Bytes(), &want) != nil || essence(t, &have) != essence(t, &want) {
				t.Errorf("text %d: %.100s, without a cache %.100s", n, a.Body, b.Body)
			}
		})
	}
	group.Wait()
	if read := k.took(); read > 24*20 {
		t.Errorf("%d ids were read", read)
	}
}

// TestPrefixOwners: who has another key learns nothing from a repeated text.
func TestPrefixOwners(t *testing.T) {
	k := newKeeper(t, enginetest.Compiled(vocab), 1<<20, func(o *Options) { o.Keys = []string{"one", "two"} })
	body := fmt.Sprintf(`{"prompt":%q,"max_tokens":1}`, strings.Repeat("x", 100))
	for _, c := range []struct {
		key  string
		want int
	}{{"one", 0}, {"one", 96}, {"two", 0}, {"one", 96}, {"two", 96}} {
		w := ask(k.Server, "POST", completionsPath, body, "Authorization", "Bearer "+c.key)
		var r reply
		if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil || r.Usage.Details.Cached != c.want || int(k.took()) != 100-c.want {
			t.Errorf("key %s: %s, want %d", c.key, w.Body, c.want)
		}
	}
}

// TestScoredPrompts are read as a whole.
func TestScoredPrompts(t *testing.T) {
	k := newKeeper(t, enginetest.Compiled(vocab), 1<<20, nil)
	body := fmt.Sprintf(`{"prompt":%q,"max_tokens":1,"echo":true,"logprobs":1,"temperature":0}`, strings.Repeat("x", 100))
	first, second := complete(t, k.Server, completionsPath, body), complete(t, k.Server, completionsPath, body)
	if essence(t, first) != essence(t, second) || second.Usage.Details.Cached != 0 || k.took() != 200 {
		t.Errorf("%+v", second.Usage)
	}
}

// TestPrefixMetrics tells of all of it.
func TestPrefixMetrics(t *testing.T) {
	k := newKeeper(t, enginetest.Compiled(vocab), 1<<20, nil)
	body := fmt.Sprintf(`{"prompt":%q,"max_tokens":1}`, strings.Repeat("x", 33))
	complete(t, k.Server, completionsPath, body)
	complete(t, k.Server, completionsPath, body)
	text := ask(k.Server, "GET", "/metrics", "").Body.String()
	s := k.Prefix.Stats()
	for _, want := range []string{
		"mambac_prefix_hits_total 1", "mambac_prefix_misses_total 1", "mambac_prefix_tokens_total 32", "mambac_prefix_evictions_total 0",
		fmt.Sprintf("mambac_states_held %d", s.States), fmt.Sprintf("mambac_states_held_bytes %d", s.Bytes), "mambac_library_states 0",
	} {
		if !strings.Contains(text, "\n"+want+"\n") {
			t.Errorf("no line %q in\n%s", want, text)
		}
	}
}

// TestOpening: what is likely to be shared are the instructions, if there are some.
func TestOpening(t *testing.T) {
	k := newKeeper(t, enginetest.Compiled(vocab), 1<<20, nil)
	for messages, want := range map[string]int{
		`[{"role":"user","content":"abc"}]`:                                                                    0,
		`[{"role":"system","content":"abc"},{"role":"user","content":"x"}]`:                                    len("s:abc\nu:"),
		`[{"role":"system","content":"abc"},{"role":"developer","content":"d"},{"role":"user","content":"x"}]`: len("s:abc\nd:d\nu:"),
		`[{"role":"system","content":"abc"}]`:                                                                  len("s:abc\n"),
		`[{"role":"system","content":"abc"},{"role":"assistant","content":"x"}]`:                               len("s:abc\n"),
	} {
		text, err := k.Template([]byte(messages))
		if err != nil {
			t.Fatal(err)
		}
		p, err := k.encode(text, false)
		if err != nil {
			t.Fatal(err)
		}
		if got := k.opening([]byte(messages), text, p.ids); len(got) != min(want, 1) || want > 0 && got[0] != want {
			t.Errorf("%s: %v, want %d", messages, got, want)
		}
	}
	broken := newKeeper(t, enginetest.Compiled(vocab), 1<<20, func(o *Options) {
		o.Template = func([]byte) (string, error) { return "", http.ErrBodyNotAllowed }
	})
	if got := broken.opening([]byte(`[{"role":"system","content":"abc"}]`), "s:abc", nil); got != nil {
		t.Errorf("of a template that fails: %v", got)
	}
}
