package serve

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/mambac/mambac/runtime/template"
)

// writesAll is a compiled template that writes all that it is told, as JSON; with
// tools, it asks for those too.
func writesAll(tools bool) Template {
	t := &template.Template{Name: "default", Write: func(r *template.Run) {
		all := func(name string) {
			r.Print(r.JSON(r.Variable(name), template.Bool(false), template.None(), template.None(), template.Bool(false)))
		}
		if tools {
			all("tools")
		}
		all("messages")
	}}
	return func(messages, tools []byte) (string, error) {
		in := template.Input{}
		var err error
		if in.Messages, err = template.ParseJSON(messages); err != nil {
			return "", err
		}
		if tools != nil {
			if in.Tools, err = template.ParseJSON(tools); err != nil {
				return "", err
			}
		}
		return t.Render(in)
	}
}

// TestTools: what a template is told of tools, calls and their answers.
func TestTools(t *testing.T) {
	s := newServer(t, func(o *Options) { o.Template = writesAll(true) })
	const user, tools = `{"role":"user","content":"x"}`, `[{"type":"function","function":{"name":"f","parameters":{"b":1,"a":[]}}}]`
	said := strings.NewReplacer(":", ": ", ",", ", ").Replace
	call := func(arguments string) string {
		return `{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":` + arguments + `}}]}`
	}
	for _, c := range []struct{ messages, more, want string }{
		{user, ``, `null[` + user + `]`},
		{user, `,"tools":null,"tool_choice":"none"`, `null[` + user + `]`},
		{user, `,"tools":` + tools, tools + `[` + user + `]`},
		{user, `,"tools":` + tools + `,"tool_choice":"auto"`, tools + `[` + user + `]`},
		{user, `,"tools":` + tools + `,"tool_choice":"none"`, `null[` + user + `]`},
		{call(`"{\"z\":1,\"a\":\"<\"}"`), ``, `null[` + call(`{"z":1,"a":"<"}`) + `]`},
		{call(`{"z":1,"a":2}`), ``, `null[` + call(`{"z":1,"a":2}`) + `]`},
		{call(`""`), ``, `null[` + call(`{}`) + `]`},
		{`{"z":1,"role":"tool","tool_call_id":"1","content":[{"type":"text","text":"7"}]}`, ``, `null[{"z":1,"role":"tool","tool_call_id":"1","content":"7"}]`},
	} {
		r := complete(t, s, chatPath, `{"messages":[`+c.messages+`]`+c.more+`,"max_tokens":1}`)
		if want := len(said(c.want)); r.Usage.Prompt != want {
			t.Errorf("%s%s: %d bytes are read, want %d: %s", c.messages, c.more, r.Usage.Prompt, want, said(c.want))
		}
		if got := rendered(t, s, `{"messages":[`+c.messages+`]`+c.more+`}`); got != said(c.want) {
			t.Errorf("%s%s: %s, want %s", c.messages, c.more, got, said(c.want))
		}
	}
}

// rendered is what the model reads of a request.
func rendered(t *testing.T, s *Server, body string) string {
	t.Helper()
	var r chatRequest
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		t.Fatal(err)
	}
	messages, tools, err := r.conversation()
	if err != nil {
		t.Fatal(err)
	}
	text, err := s.converse(messages, tools)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestToolFailures(t *testing.T) {
	s := newServer(t, func(o *Options) { o.Template = writesAll(true) })
	without := newServer(t, func(o *Options) { o.Template = writesAll(false) })
	const tool = `{"type":"function","function":{"name":"f"}}`
	calls := func(list string) string { return `{"role":"assistant","tool_calls":` + list + `}` }
	for _, c := range []struct {
		server               *Server
		message, more, wants string
	}{
		{without, `{"role":"user"}`, `"tools":[` + tool + `]`, "tools: the model's chat template knows no tools"},
		{s, `{"role":"user"}`, `"tools":{}`, "tools: want a list"},
		{s, `{"role":"user"}`, `"tools":[7]`, "tools: want a list"},
		{s, `{"role":"user"}`, `"tools":[` + tool + `,{}]`, "tools: tool 1 is no function"},
		{s, `{"role":"user"}`, `"tools":[{"type":"function","function":{}}]`, "tools: tool 0 is no function"},
		{s, `{"role":"user"}`, `"tools":[` + tool + `],"tool_choice":"required"`, `tool_choice: have "required"`},
		{s, `{"role":"user"}`, `"tools":[` + tool + `],"tool_choice":` + tool, "tool_choice: have {"},
		{s, `{"role":"user"}`, `"functions":[{}]`, "functions: is what tools"},
		{s, calls(`7`), `"n":1`, "messages: message 0 has tool_calls that are no list"},
		{s, calls(`[{}]`), `"n":1`, "messages: message 0 calls no function in tool_calls[0]"},
		{s, calls(`[{"function":{"arguments":"[1]"}}]`), `"n":1`, "messages: message 0 has arguments in tool_calls[0]"},
		{s, calls(`[{"function":{"arguments":"{"}}]`), `"n":1`, "messages: message 0 has arguments in tool_calls[0]"},
	} {
		w := ask(c.server, "POST", chatPath, `{"messages":[`+c.message+`],`+c.more+`}`)
		var r reply
		if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil || w.Code != http.StatusBadRequest || !strings.HasPrefix(r.Error.Message, c.wants) {
			t.Errorf("%s, %s: %d %s, want %s", c.message, c.more, w.Code, w.Body, c.wants)
		}
	}
}

// TestSpecialTokens: marks of calls may be special tokens, which a text has if
// somebody asks for them.
func TestSpecialTokens(t *testing.T) {
	s := newServer(t, nil)
	body := `{"prompt":"AB","max_tokens":2,"temperature":0,"logit_bias":{"256":100},"skip_special_tokens":`
	for skip, want := range map[string]string{"null": "", "true": "", "false": "<mark><mark>"} {
		if text := complete(t, s, completionsPath, body+skip+"}").Choices[0].Text; text != want {
			t.Errorf("%s: %q, want %q", skip, text, want)
		}
	}
}

// TestUnsupported: a client learns what there never is, and does not ask again.
func TestUnsupported(t *testing.T) {
	for path, body := range map[string]string{"/v1/embeddings": `{"input":"a"}`, explainPath: `{"prompt":"a"}`} {
		w := ask(newServer(t, nil), "POST", path, body)
		if w.Code != http.StatusNotImplemented || w.Header().Get("X-Should-Retry") != "false" || !strings.Contains(w.Body.String(), `"code":"unsupported"`) {
			t.Errorf("%s: %d %v %s", path, w.Code, w.Header(), w.Body)
		}
	}
}
