package serve

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// FuzzRequests has a server answer any bytes as OpenAI would: with texts, or with
// an error that names a mistake.
func FuzzRequests(f *testing.F) {
	s := newServer(f, func(o *Options) {
		o.Template = writesAll(true)
		o.Limits.Tokens, o.Limits.Choices, o.Limits.Prompt, o.Limits.Body = 8, 4, 1<<12, 1<<14
	})
	for _, body := range []string{
		`{"prompt":"abc","max_tokens":3,"n":2,"stop":["x","yz"],"logprobs":2,"echo":true}`,
		`{"prompt":[[1,2],[3]],"stream":true,"stream_options":{"include_usage":true},"temperature":0}`,
		`{"prompt":["a",null],"logit_bias":{"1":-100},"seed":-1,"top_k":3,"min_p":0.1,"model":"fake"}`,
		`{"messages":[{"role":"user","content":"hi"}],"max_completion_tokens":2,"logprobs":true,"top_logprobs":2}`,
		`{"messages":[{"role":"user","content":[{"type":"text","text":"a"}]}],"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"auto"}`,
		`{"messages":[{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"{\"a\":1}"}}]},{"role":"tool","content":"1"}],"stream":true}`,
		`{"prompt":"\ud800","n":1e999}`, `{`, `[]`, `null`, "\xff",
	} {
		f.Add(true, body)
		f.Add(false, body)
	}
	f.Fuzz(func(t *testing.T, chat bool, body string) {
		path := completionsPath
		if chat {
			path = chatPath
		}
		w := ask(s, "POST", path, body)
		switch w.Code {
		case http.StatusOK:
			if strings.HasPrefix(w.Header().Get("Content-Type"), "text/event-stream") {
				chunks(t, w.Body)
			} else if !json.Valid(w.Body.Bytes()) {
				t.Errorf("%q is answered by %q", body, w.Body)
			}
		case http.StatusBadRequest, http.StatusNotFound, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType:
			var r reply
			if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil || r.Error == nil || r.Error.Message == "" || r.Error.Type != "invalid_request_error" {
				t.Errorf("%q is refused by %q", body, w.Body)
			}
		default:
			t.Errorf("%q: status %d %s", body, w.Code, w.Body)
		}
		settle(t, s)
	})
}
