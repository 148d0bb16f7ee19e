package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/enginetest"
	"github.com/mambac/mambac/runtime/tokenizer"
)

// vocab is more than the tokenizer of the fake model knows.
const vocab = 300

// newServer serves the fake model: it counts, from the last byte of a prompt up to
// p, which ends a text.
func newServer(t testing.TB, alter func(o *Options)) *Server {
	t.Helper()
	e, err := engine.New(enginetest.Compiled(vocab), []byte("weights"), engine.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	carrier := enginetest.NewCarrier(vocab)
	o := Options{Engine: e, Meta: &carrier.Meta, Limits: DefaultLimits(), Log: slog.New(slog.DiscardHandler), Template: lastMessage}
	if o.Tokenizer, err = tokenizer.Open(carrier.Tokenizer); err != nil {
		t.Fatal(err)
	}
	if alter != nil {
		alter(&o)
	}
	s := New(o)
	t.Cleanup(s.Close)
	return s
}

// lastMessage is a template that writes the last message alone.
func lastMessage(messages, _ []byte) (string, error) {
	var list []struct{ Content string }
	if err := json.Unmarshal(messages, &list); err != nil {
		return "", err
	}
	text := list[len(list)-1].Content
	if text == "panic" {
		panic("boom")
	}
	if text == "raise" {
		return "", errors.New("it does not like this")
	}
	return text, nil
}

// ask sends a request without a connection.
func ask(s *Server, method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = "localhost:8080"
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		if r.Header.Set(header[i], header[i+1]); header[i] == "Host" {
			r.Host = header[i+1]
		}
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// reply is what answers have, of both endpoints.
type reply struct {
	ID, Object, Model string
	Choices           []replyChoice
	Usage             *usage
	Error             *failure
}

type replyChoice struct {
	Text, Finish   string
	Index          int
	Message, Delta struct{ Role, Content string }
	Logprobs       json.RawMessage
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *replyChoice) UnmarshalJSON(text []byte) error {
	type plain replyChoice
	v := struct {
		*plain
		Finish *string `json:"finish_reason"`
	}{plain: (*plain)(c), Finish: &c.Finish}
	return json.Unmarshal(text, &v)
}

func complete(t *testing.T, s *Server, path, body string) *reply {
	t.Helper()
	w := ask(s, "POST", path, body)
	var r reply
	if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", body, w.Code, w.Body)
	}
	return &r
}

// Paths of the API.
const (
	completionsPath = "/v1/completions"
	chatPath        = "/v1/chat/completions"
)

func TestCompletions(t *testing.T) {
	s := newServer(t, nil)
	for _, c := range []struct {
		body, want  string // texts with their ends
		read, wrote int
	}{
		{`{"prompt":"abc"}`, "defghijklmno stop", 3, 13},
		{`{"prompt":"ABC"}`, "DEFGHIJKLMNOPQRS length", 3, 16},
		{`{"prompt":"ABC","max_tokens":3,"model":"fake"}`, "DEF length", 3, 3},
		{`{"prompt":["AB","a"],"max_tokens":2}`, "CD length|bc length", 3, 4},
		{`{"prompt":[65,66],"max_tokens":2}`, "CD length", 2, 2},
		{`{"prompt":[[65],[97]],"max_tokens":2,"n":2}`, "BC length|BC length|bc length|bc length", 2, 8},
		{`{"prompt":"AB","max_tokens":2,"echo":true}`, "ABCD length", 2, 2},
		{`{"prompt":[65,66],"max_tokens":0,"echo":true}`, "AB length", 2, 0},
		{`{"prompt":"AB","stop":"FG"}`, "CDE stop", 2, 5},
		{`{"prompt":"AB","stop":["xyz","H","GH"],"n":null}`, "CDEF stop", 2, 6},
		{`{"prompt":"AB","max_tokens":4,"stop":["FGH"]}`, "CDEF length", 2, 4},
		{`{"max_tokens":1,"prompt":null}`, "q length", 1, 1},
		{`{"prompt":"mno","ignore_eos":true,"max_tokens":3}`, "pqr length", 3, 3},
		{`{"prompt":"AB","max_tokens":1,"logit_bias":{"67":-100,"120":100}}`, "x length", 2, 1},
		{`{"prompt":"AB","max_tokens":1,"logit_bias":{"299":100}}`, "C length", 2, 1},
		{`{"prompt":"AB","max_tokens":2,"best_of":1,"top_p":0,"temperature":2}`, "CD length", 2, 2},
		{`{"prompt":"AB","max_tokens":2,"top_k":1,"temperature":2,"user":"me"}`, "CD length", 2, 2},
	} {
		if !strings.Contains(c.body, "temperature") {
			c.body = strings.Replace(c.body, "{", `{"temperature":0,`, 1)
		}
		r := complete(t, s, completionsPath, c.body)
		var texts []string
		for i, choice := range r.Choices {
			texts = append(texts, choice.Text+" "+choice.Finish)
			if choice.Index != i {
				t.Errorf("%s: text %d has index %d", c.body, i, choice.Index)
			}
		}
		if got := strings.Join(texts, "|"); got != c.want {
			t.Errorf("%s: %q, want %q", c.body, got, c.want)
		}
		if want := (usage{c.read, c.wrote, c.read + c.wrote, promptDetails{}}); *r.Usage != want {
			t.Errorf("%s: usage %+v, want %+v", c.body, *r.Usage, want)
		}
		if !strings.HasPrefix(r.ID, "cmpl-") || r.Object != "text_completion" || r.Model != "fake" {
			t.Errorf("%s: %+v", c.body, r)
		}
	}
}

// TestPenalties: two ids of the same bias take turns if each use of them costs.
func TestPenalties(t *testing.T) {
	s := newServer(t, nil)
	for penalty, want := range map[string]int{"frequency_penalty": 3, "presence_penalty": 1} {
		body := `{"prompt":"AB","max_tokens":6,"temperature":0,"logit_bias":{"67":50,"88":48.5},"` + penalty + `":2}`
		if text := complete(t, s, completionsPath, body).Choices[0].Text; strings.Count(text, "X") < want || strings.Count(text, "C") < 3 {
			t.Errorf("%s: %q", penalty, text)
		}
	}
	if text := complete(t, s, completionsPath, `{"prompt":"AB","max_tokens":6,"temperature":0,"logit_bias":{"67":50}}`).Choices[0].Text; text != "CCCCCC" {
		t.Errorf("without a penalty: %q", text)
	}
}

// TestSeeds: one seed gives one text, and several texts of it differ.
func TestSeeds(t *testing.T) {
	s := newServer(t, nil)
	body := `{"prompt":"AB","max_tokens":40,"ignore_eos":true,"temperature":4,"seed":7,"n":2}`
	a, b := complete(t, s, completionsPath, body), complete(t, s, completionsPath, body)
	if a.Choices[0].Text != b.Choices[0].Text || a.Choices[1].Text != b.Choices[1].Text || a.Choices[0].Text == a.Choices[1].Text {
		t.Errorf("%+v and %+v", a.Choices, b.Choices)
	}
	if one := complete(t, s, completionsPath, strings.Replace(body, `"n":2`, `"n":1`, 1)); one.Choices[0].Text != a.Choices[0].Text {
		t.Error("the first of two texts is another than the only one")
	}
	p, err := s.plan(&params{}, "", nil, 16, -1)
	if err != nil || p.sampling.Temperature != 1 || p.sampling.TopP != 1 || p.n != 1 || p.tokens != 16 {
		t.Errorf("defaults %+v, %v", p, err)
	}
}

func TestChat(t *testing.T) {
	s := newServer(t, nil)
	r := complete(t, s, chatPath, `{"messages":[{"role":"system","content":"x"},{"role":"user","content":"abc"}],"temperature":0}`)
	if c := r.Choices[0]; c.Message.Role != "assistant" || c.Message.Content != "defghijklmno" || c.Finish != "stop" {
		t.Errorf("%+v", r)
	}
	if !strings.HasPrefix(r.ID, "chatcmpl-") || r.Object != "chat.completion" || *r.Usage != (usage{3, 13, 16, promptDetails{}}) {
		t.Errorf("%+v", r)
	}
	r = complete(t, s, chatPath, `{"messages":[{"role":"user","content":"AB"}],"temperature":0,"max_completion_tokens":2,"n":2}`)
	parts := complete(t, s, chatPath, `{"messages":[{"role":"user","content":[{"type":"text","text":"x"},{"type":"text","text":"AB"}]}],"temperature":0,"max_tokens":2}`)
	if parts.Choices[0].Message.Content != "CD" || parts.Usage.Prompt != 4 {
		t.Errorf("of parts: %+v", parts)
	}
	if len(r.Choices) != 2 || r.Choices[1].Message.Content != "CD" || r.Choices[1].Finish != "length" {
		t.Errorf("%+v", r)
	}
}

// chunks reads a stream of events and gives what they are, but for the last.
func chunks(t testing.TB, body io.Reader) []*reply {
	t.Helper()
	text, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	events := strings.Split(strings.TrimSuffix(string(text), "\n\n"), "\n\n")
	if events[len(events)-1] != "data: [DONE]" {
		t.Fatalf("stream ends with %q", events[len(events)-1])
	}
	var list []*reply
	for _, e := range events[:len(events)-1] {
		var r reply
		if err := json.Unmarshal([]byte(strings.TrimPrefix(e, "data: ")), &r); err != nil {
			t.Fatalf("event %q: %v", e, err)
		}
		list = append(list, &r)
	}
	return list
}

func TestStreams(t *testing.T) {
	s := newServer(t, nil)
	for _, path := range []string{completionsPath, chatPath} {
		body := `{"prompt":"abc","messages":[{"role":"user","content":"abc"}],"temperature":0,"n":2,"stream":true,"stop":"lm"%s}`
		for _, counted := range []bool{false, true} {
			extra := ""
			if counted {
				extra = `,"stream_options":{"include_usage":true}`
			}
			w := ask(s, "POST", path, strings.Replace(body, "%s", extra, 1))
			if w.Header().Get("Content-Type") != "text/event-stream" {
				t.Errorf("headers %v", w.Header())
			}
			list := chunks(t, w.Body)
			if counted {
				last := list[len(list)-1]
				if len(last.Choices) != 0 || *last.Usage != (usage{3, 20, 23, promptDetails{}}) {
					t.Errorf("the last of %s: %+v", path, last)
				}
				list = list[:len(list)-1]
			}
			texts, ends := [2]string{}, [2]string{}
			roles := 0
			for _, r := range list {
				c := r.Choices[0]
				texts[c.Index] += c.Text + c.Delta.Content
				ends[c.Index] += c.Finish
				if c.Delta.Role == "assistant" {
					roles++
				}
				if r.Usage != nil || r.ID != list[0].ID {
					t.Errorf("%+v", r)
				}
			}
			if texts != [2]string{"defghijk", "defghijk"} || ends != [2]string{"stop", "stop"} {
				t.Errorf("%s: %q %q", path, texts, ends)
			}
			if want := map[string]int{completionsPath: 0, chatPath: 2}[path]; roles != want {
				t.Errorf("%s: %d roles, want %d", path, roles, want)
			}
		}
	}
}

func TestLogprobs(t *testing.T) {
	s := newServer(t, nil)
	r := complete(t, s, completionsPath, `{"prompt":[65,200],"max_tokens":9,"temperature":0,"logprobs":2,"echo":true,"stop":"\u00cd"}`)
	var l struct {
		Tokens        []string             `json:"tokens"`
		TokenLogprobs []*float64           `json:"token_logprobs"`
		TopLogprobs   []map[string]float64 `json:"top_logprobs"`
		TextOffset    []int                `json:"text_offset"`
	}
	if err := json.Unmarshal(r.Choices[0].Logprobs, &l); err != nil {
		t.Fatal(err)
	}
	if want := `A|bytes:\xc8|bytes:\xc9`; !strings.HasPrefix(strings.Join(l.Tokens, "|"), want) {
		t.Errorf("tokens %q", l.Tokens)
	}
	if l.TokenLogprobs[0] != nil || l.TopLogprobs[0] != nil || *l.TokenLogprobs[2] > 0 || len(l.TopLogprobs[2]) != 2 || l.TextOffset[1] != 1 {
		t.Errorf("%+v", l)
	}
	if n := len(l.Tokens); len(l.TokenLogprobs) != n || len(l.TopLogprobs) != n || len(l.TextOffset) != n {
		t.Errorf("%+v", l)
	}
	// Tokens of a text that was cut off are cut off as well.
	r = complete(t, s, completionsPath, `{"prompt":"AB","max_tokens":9,"temperature":0,"logprobs":0,"stop":"FG"}`)
	if err := json.Unmarshal(r.Choices[0].Logprobs, &l); err != nil || strings.Join(l.Tokens, "") != "CDE" || r.Choices[0].Text != "CDE" {
		t.Errorf("%s %v", r.Choices[0].Logprobs, err)
	}
	r = complete(t, s, chatPath, `{"messages":[{"role":"user","content":"AB"}],"max_tokens":1,"temperature":0,"logprobs":true,"top_logprobs":2}`)
	var chat chatLogprobs
	if err := json.Unmarshal(r.Choices[0].Logprobs, &chat); err != nil {
		t.Fatal(err)
	}
	if c := chat.Content[0]; len(chat.Content) != 1 || c.Token != "C" || c.Bytes[0] != 'C' || len(c.Top) != 2 || c.Top[0].Token != "C" || *c.Top[0].Logprob != *c.Logprob {
		t.Errorf("%s", r.Choices[0].Logprobs)
	}
}

func TestFailures(t *testing.T) {
	bare := newServer(t, func(o *Options) { o.Template, o.Tokenizer = nil, nil })
	s := newServer(t, func(o *Options) {
		o.Limits.Prompt, o.Limits.Tokens, o.Limits.Choices, o.Limits.Body = 20, 50, 4, 1000
	})
	user := func(content string) string { return `{"messages":[{"role":"user","content":` + content + `}]}` }
	for _, c := range []struct {
		server     *Server
		path, body string
		status     int
		want       string // of the message
	}{
		{s, completionsPath, `{`, 400, "no JSON object"},
		{s, completionsPath, `[]`, 400, "no JSON object"},
		{s, completionsPath, `{"prompt":"a"} x`, 400, "no JSON object"},
		{s, completionsPath, "{\"prompt\":\"\xff\"}", 400, "not UTF-8"},
		{s, completionsPath, `{"prompt":"` + strings.Repeat("a", 1000) + `"}`, 413, "more than 1000 bytes"},
		{s, completionsPath, `{"prompt":"` + strings.Repeat("a", 21) + `"}`, 400, "the prompt has 21 tokens, want at most 20"},
		{s, completionsPath, `{"prompt":{}}`, 400, "prompt: want a text"},
		{s, completionsPath, `{"prompt":[]}`, 400, "prompt: is empty"},
		{s, completionsPath, `{"prompt":[300]}`, 400, "prompt: token 0: id 300 is outside the vocabulary"},
		{s, completionsPath, `{"prompt":["a","b","c"],"n":2}`, 400, "n: 3 prompts of 2 texts"},
		{s, completionsPath, `{"prompt":"a","n":0}`, 400, "n: have 0"},
		{s, completionsPath, `{"prompt":"a","n":"x"}`, 400, "n: have a JSON string, want int"},
		{s, completionsPath, `{"prompt":"a","max_tokens":51}`, 400, "max_tokens: have 51"},
		{s, completionsPath, `{"prompt":"a","max_tokens":0}`, 400, "max_tokens: have 0"},
		{s, completionsPath, `{"prompt":"a","max_tokens":-1}`, 400, "max_tokens: have -1"},
		{s, completionsPath, `{"prompt":"a","temperature":-1}`, 400, "temperature is -1"},
		{s, completionsPath, `{"prompt":"a","top_p":2}`, 400, "top-p is 2"},
		{s, completionsPath, `{"prompt":"a","presence_penalty":3}`, 400, "presence_penalty: have 3"},
		{s, completionsPath, `{"prompt":"a","frequency_penalty":-3}`, 400, "frequency_penalty: have -3"},
		{s, completionsPath, `{"prompt":"a","logprobs":21}`, 400, "logprobs: have 21"},
		{s, completionsPath, `{"prompt":"a","stop":7}`, 400, "stop: want a text"},
		{s, completionsPath, `{"prompt":"a","stop":[""]}`, 400, "stop: have a text of 0 bytes"},
		{s, completionsPath, `{"prompt":"a","stop":["1","2","3","4","5","6","7","8","9","a","b","c","d","e","f","g","h"]}`, 400, "stop: have 17"},
		{s, completionsPath, `{"prompt":"a","logit_bias":{"300":1}}`, 400, `logit_bias: "300" is no token id`},
		{s, completionsPath, `{"prompt":"a","logit_bias":{"1":101}}`, 400, "logit_bias: have 101"},
		{s, completionsPath, `{"prompt":"a","suffix":"b"}`, 400, "suffix: "},
		{s, completionsPath, `{"prompt":"a","best_of":2}`, 400, "best_of: have 2"},
		{s, completionsPath, `{"prompt":"a","model":"gpt-4"}`, 404, `the model "gpt-4" does not exist`},
		{s, chatPath, `{}`, 400, "messages: want a list"},
		{s, chatPath, `{"messages":[]}`, 400, "messages: want a list"},
		{s, chatPath, `{"messages":[{"content":"x"}]}`, 400, "messages: message 0 has no role"},
		{s, chatPath, user(`[{"type":"image_url"}]`), 400, `messages: message 0 has a part of type "image_url"`},
		{s, chatPath, user(`"raise"`), 400, "messages: it does not like this"},
		{s, chatPath, user(`"panic"`), 500, "the server has failed"},
		{s, chatPath, strings.Replace(user(`"a"`), "{", `{"max_tokens":0,`, 1), 400, "max_tokens: have 0"},
		{s, chatPath, strings.Replace(user(`"a"`), "{", `{"top_logprobs":1,`, 1), 400, "top_logprobs: needs logprobs"},
		{s, chatPath, strings.Replace(user(`"a"`), "{", `{"response_format":{"type":"json_object"},`, 1), 400, "response_format: "},
		{bare, completionsPath, `{"prompt":"a"}`, 400, "built without a tokenizer"},
		{bare, chatPath, user(`"a"`), 400, "no chat template"},
		{s, "/v1/nothing", `{}`, 404, `there is no POST "/v1/nothing"`},
		{s, "/v1/models", `{}`, 405, "want GET"},
	} {
		w := ask(c.server, "POST", c.path, c.body)
		var r reply
		if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil || r.Error == nil || r.Error.Type == "" {
			t.Errorf("%.80s: %d %s", c.body, w.Code, w.Body)
			continue
		}
		if w.Code != c.status || !strings.Contains(r.Error.Message, c.want) {
			t.Errorf("%.80s: %d %q, want %d %q", c.body, w.Code, r.Error.Message, c.status, c.want)
		}
		if name, _, ok := strings.Cut(c.want, ": "); ok && !strings.Contains(name, " ") && (r.Error.Param == nil || *r.Error.Param != name) {
			t.Errorf("%.80s: param of %s", c.body, w.Body)
		}
	}
	if got := bare.scheduler.Stats(); got.Running+got.Waiting != 0 {
		t.Errorf("left %+v", got)
	}
	if ids := complete(t, bare, completionsPath, `{"prompt":[65],"max_tokens":2,"temperature":0,"logprobs":1}`); ids.Usage.Completion != 2 {
		t.Errorf("without tokenizer: %+v", ids)
	}
}

// TestSizes: what an answer holds is bounded as a whole.
func TestSizes(t *testing.T) {
	read := func(n int) prompt { return prompt{ids: make([]int32, n), text: strings.Repeat("a", n)} }
	for _, c := range []struct {
		prompts                    []prompt
		texts, tokens, likely, not int // of what there may be, what may not
		echo                       bool
		want                       string // the parameter that is wrong
	}{
		{prompts: []prompt{read(1)}, texts: 128, likely: 20, tokens: 390, not: 391, want: "logprobs"},
		{prompts: []prompt{read(1), read(1)}, texts: 64, likely: 20, tokens: 390, not: 391, want: "logprobs"},
		{prompts: []prompt{read(1)}, texts: 1, likely: 0, tokens: maxScored, not: math.MaxInt, want: "logprobs"},
		{prompts: []prompt{read(1 << 19)}, texts: 1, likely: 1, tokens: 0, not: 1, echo: true, want: "logprobs"},
		{prompts: []prompt{read(1 << 10), read(1 << 11)}, texts: 2, likely: 0, tokens: maxScored/4 - 3<<9, not: maxScored/4 - 3<<9 + 1, echo: true, want: "logprobs"},
		{prompts: []prompt{read(maxEchoed / 128)}, texts: 128, likely: -1, tokens: math.MaxInt, echo: true},
		{prompts: []prompt{read(maxEchoed)}, texts: 128, likely: -1, tokens: math.MaxInt},
	} {
		j := &job{plan: &plan{n: c.texts, tokens: c.tokens, logprobs: c.likely}, prompts: c.prompts, echo: c.echo}
		if err := j.checkSize(); err != nil {
			t.Errorf("%d texts of %d tokens: %v", c.texts, c.tokens, err)
		}
		if c.want == "" {
			continue
		}
		j.tokens = c.not
		var f *failure
		if err := j.checkSize(); !errors.As(err, &f) || f.status != http.StatusBadRequest || *f.Param != c.want {
			t.Errorf("%d texts of %d tokens: %v", c.texts, c.not, err)
		}
	}
	s := newServer(t, func(o *Options) { o.Limits.Prompt *= 2 })
	for body, want := range map[string]string{
		`{"prompt":"` + strings.Repeat("a", maxEchoed/128+1) + `","max_tokens":0,"echo":true,"n":128}`: "echo: what 128 texts repeat of their prompts has 16777344 bytes, want at most 16777216",
		`{"prompt":"p","max_tokens":4096,"n":128,"logprobs":20}`:                                       "logprobs: have 20 for each of 0 tokens that are repeated and 128 texts of up to 4096, want at most 49932 tokens together",
	} {
		if w := ask(s, "POST", completionsPath, body); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%d %.300s, want %q", w.Code, w.Body, want)
		}
	}
}

func TestModels(t *testing.T) {
	s := newServer(t, func(o *Options) { o.Name = "org/other" })
	for path, want := range map[string]string{
		"/v1/models":           `{"data":[{"id":"org/other","object":"model",`,
		"/v1/models/org/other": `{"id":"org/other","object":"model",`,
		"/v1/models/fake":      `{"error":{"message":"the model \"fake\" does not exist`,
		"/healthz":             `{"status":"ok"}`,
	} {
		if w := ask(s, "GET", path, ""); !strings.HasPrefix(w.Body.String(), want) {
			t.Errorf("%s: %s", path, w.Body)
		}
	}
}

func TestMetrics(t *testing.T) {
	s := newServer(t, nil)
	complete(t, s, completionsPath, `{"prompt":"AB","max_tokens":3,"temperature":0}`)
	ask(s, "GET", "/nothing", "")
	for _, path := range []string{"/v1/models/fake", "/v1/states/a", "/v1/states/b", "/v1/states/b/fork"} {
		ask(s, "GET", path, "")
	}
	text := ask(s, "GET", "/metrics", "").Body.String()
	for _, want := range []string{
		`mambac_requests_total{path="/v1/completions",status="200"} 1`, `mambac_requests_total{path="other",status="404"} 1`,
		`mambac_requests_total{path="/v1/models/NAME",status="200"} 1`, `mambac_requests_total{path="/v1/states/NAME",status="404"} 2`,
		`mambac_requests_total{path="/v1/states/NAME/fork",status="405"} 1`,
		"mambac_prompt_tokens_total 2", "mambac_generated_tokens_total 3", "mambac_sequences_running 0", "mambac_requests_waiting 0",
		`mambac_first_token_seconds_bucket{le="+Inf"} 1`, "mambac_first_token_seconds_count 1", "mambac_token_seconds_count 2",
		"mambac_stall_seconds_count 0", "mambac_stall_seconds_max 0",
	} {
		if !strings.Contains(text, "\n"+want+"\n") {
			t.Errorf("no line %q in\n%s", want, text)
		}
	}
	for line := range strings.Lines(text) { // as Prometheus reads it
		if fields := strings.Fields(line); !strings.HasPrefix(line, "# ") && len(fields) != 2 {
			t.Errorf("line %q", line)
		}
	}
}

func TestHistogram(t *testing.T) {
	h := newHistogram(1, 10)
	for _, v := range []float64{0.5, 1, 2, 11} {
		h.add(v)
	}
	var b bytes.Buffer
	h.write(&b, "x", "Some.")
	if want := "# HELP x Some.\n# TYPE x histogram\nx_bucket{le=\"1\"} 2\nx_bucket{le=\"10\"} 3\nx_bucket{le=\"+Inf\"} 4\nx_sum 14.5\nx_count 4\n"; b.String() != want {
		t.Errorf("%s", b.String())
	}
}

// TestPanics are logged with their stack, and are an answer.
func TestPanics(t *testing.T) {
	var log bytes.Buffer
	s := newServer(t, func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	if w := ask(s, "POST", chatPath, `{"messages":[{"role":"user","content":"panic"}]}`); w.Code != 500 || strings.Contains(w.Body.String(), "boom") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if text := log.String(); !strings.Contains(text, "boom") || !strings.Contains(text, "lastMessage") || !strings.Contains(text, "status=500") {
		t.Errorf("the log says %s", text)
	}
}

func TestShutdown(t *testing.T) {
	s := newServer(t, nil)
	if err := s.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	if w := ask(s, "POST", completionsPath, `{"prompt":"a"}`); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "shutting down") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// settle waits until nothing runs any more.
func settle(t testing.TB, s *Server) {
	t.Helper()
	for n := 0; s.scheduler.Stats().Running+s.scheduler.Stats().Waiting > 0 || len(s.places) > 0; n++ {
		if n > 1e7 {
			t.Fatalf("still there: %+v, %d places", s.scheduler.Stats(), len(s.places))
		}
		runtime.Gosched()
	}
}

// TestCloseWaits for requests that are being answered: what they make use of goes
// then.
func TestCloseWaits(t *testing.T) {
	begun, wait := make(chan struct{}), make(chan struct{})
	s := newServer(t, func(o *Options) {
		o.Template = func([]byte, []byte) (string, error) {
			close(begun)
			<-wait
			return "a", nil
		}
	})
	const body = `{"messages":[{"role":"user","content":"a"}]}`
	var released atomic.Bool
	var group sync.WaitGroup
	group.Go(func() {
		if w := ask(s, "POST", chatPath, body); w.Code != http.StatusServiceUnavailable {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
	<-begun
	group.Go(func() {
		if s.Close(); !released.Load() {
			t.Error("it has not waited")
		}
	})
	for s.running.TryRLock() { // until it waits
		s.running.RUnlock()
		runtime.Gosched()
	}
	requireFailure(t, s, "/healthz", "", "503 the server is shutting down")
	released.Store(true)
	close(wait)
	group.Wait()
	s.Close()
	requireFailure(t, s, chatPath, body, "503 the server is shutting down")
}
