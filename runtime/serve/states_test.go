package serve

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/mambac/mambac/runtime/enginetest"
	"github.com/mambac/mambac/runtime/shelf"
)

// object sends a request and demands an object of a status.
func (k *keeper) object(t *testing.T, status int, method, path, body string) map[string]any {
	t.Helper()
	w := ask(k.Server, method, path, body)
	var v map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil || w.Code != status {
		t.Fatalf("%s %s %.200s: %d %s, want %d", method, path, body, w.Code, w.Body, status)
	}
	return v
}

// TestStates makes, lists, forks and deletes states.
func TestStates(t *testing.T) {
	k := newKeeper(t, enginetest.Compiled(vocab), 0, nil)
	if list := k.object(t, 200, "GET", statesPath, "")["data"].([]any); len(list) != 0 {
		t.Errorf("there is %v", list)
	}
	made := k.object(t, 200, "POST", statesPath, `{"name":"manual","prompt":"abcde","label":"the manual","source":"manual.txt"}`)
	if made["id"] != "manual" || made["object"] != "state" || made["label"] != "the manual" || made["source"] != "manual.txt" || made["tokens"] != 5.0 || made["parent"] != "" || made["bytes"].(float64) <= 0 || made["created"].(float64) <= 0 {
		t.Errorf("%v", made)
	}
	more := k.object(t, 200, "POST", statesPath, `{"name":"more","prompt":"fgh","state":"manual"}`)
	if more["parent"] != "manual" || more["tokens"] != 8.0 {
		t.Errorf("%v", more)
	}
	fork := k.object(t, 200, "POST", statesPath+"/manual/fork", `{"name":"other"}`)
	if fork["parent"] != "manual" || fork["tokens"] != 5.0 || fork["label"] != "the manual" {
		t.Errorf("%v", fork)
	}
	talk := k.object(t, 200, "POST", statesPath, `{"name":"talk","messages":[{"role":"system","content":"abc"}]}`)
	if talk["tokens"] != float64(len("s:abc\n")) {
		t.Errorf("%v", talk)
	}
	ids := k.object(t, 200, "POST", statesPath, `{"name":"ids","prompt":[1,2,3]}`)
	if ids["tokens"] != 3.0 {
		t.Errorf("%v", ids)
	}
	var names []string
	for _, one := range k.object(t, 200, "GET", statesPath, "")["data"].([]any) {
		names = append(names, one.(map[string]any)["id"].(string))
	}
	if got := strings.Join(names, " "); got != "ids manual more other talk" {
		t.Errorf("there are %s", got)
	}
	if one := k.object(t, 200, "GET", statesPath+"/manual", ""); fmt.Sprint(one) != fmt.Sprint(made) {
		t.Errorf("%v, made as %v", one, made)
	}
	if gone := k.object(t, 200, "DELETE", statesPath+"/manual", ""); gone["deleted"] != true || gone["id"] != "manual" {
		t.Errorf("%v", gone)
	}
	k.object(t, 404, "GET", statesPath+"/manual", "")
	if text := ask(k.Server, "GET", "/metrics", "").Body.String(); !strings.Contains(text, "\nmambac_library_states 4\n") {
		t.Errorf("metrics: %s", text)
	}
}

// TestFromStates: a text behind a state is what it is behind the state's text,
// which is not read, in every way to begin.
func TestFromStates(t *testing.T) {
	for name, compiled := range kinds() {
		for _, memory := range []int64{0, 1 << 20} {
			k := newKeeper(t, compiled(), memory, nil)
			text := strings.Repeat("The manual of it all. ", 9) // 198 tokens
			k.object(t, 200, "POST", statesPath, fmt.Sprintf(`{"name":"manual","prompt":%q}`, text))
			k.took()
			const more = `"temperature":0,"max_tokens":20,"ignore_eos":true,"logprobs":3`
			for again := range 3 {
				for _, rest := range []string{"?", "", strings.Repeat("A question. ", 4)} {
					r := complete(t, k.Server, completionsPath, fmt.Sprintf(`{"prompt":%q,"state":"manual",%s}`, rest, more))
					took := int(k.took())
					want := complete(t, k.Server, completionsPath, fmt.Sprintf(`{"prompt":%q,%s}`, text+rest, more))
					k.took()
					if a, b := essence(t, r), essence(t, want); a != b {
						t.Errorf("%s, behind a state %.100s, else %.100s", name, a, b)
					}
					if took > len(rest) || r.Usage.Prompt != len(rest) || again > 0 && memory > 0 && len(rest) > 16 && took > 16 {
						t.Errorf("%s: %d ids were read behind a state, usage %+v", name, took, r.Usage)
					}
				}
			}
			w := ask(k.Server, "POST", completionsPath, fmt.Sprintf(`{"prompt":"?",%s}`, more), stateHeader, "manual")
			var r reply
			if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil || k.took() != 1 || r.Usage == nil || r.Usage.Prompt != 1 {
				t.Errorf("by a header: %s", w.Body)
			}
		}
	}
}

// TestSaveState: a conversation in pieces is the whole one, streamed or not, and
// each piece names the one before.
func TestSaveState(t *testing.T) {
	for name, compiled := range kinds() {
		k := newKeeper(t, compiled(), 1<<20, nil)
		const more = `"temperature":0,"max_tokens":20,"ignore_eos":true`
		whole := complete(t, k.Server, completionsPath, `{"prompt":"Some text","temperature":0,"max_tokens":60,"ignore_eos":true}`).Choices[0].Text
		k.took()
		text := complete(t, k.Server, completionsPath, `{"prompt":"Some text","save_state":"one",`+more+`}`).Choices[0].Text
		streamed := ask(k.Server, "POST", completionsPath, `{"state":"one","save_state":"two","stream":true,`+more+`}`)
		for _, r := range chunks(t, streamed.Body) {
			text += r.Choices[0].Text
		}
		text += complete(t, k.Server, completionsPath, `{"state":"two","save_state":"two",`+more+`}`).Choices[0].Text
		if text != whole || k.took() != 9 {
			t.Errorf("%s: in pieces %q, as a whole %q", name, text, whole)
		}
		one, two := k.object(t, 200, "GET", statesPath+"/one", ""), k.object(t, 200, "GET", statesPath+"/two", "")
		if one["tokens"] != 29.0 || two["tokens"] != 69.0 || two["parent"] != "two" || one["parent"] != "" {
			t.Errorf("%s: %v %v", name, one, two)
		}
		// What has been read counts: the digest of a text does not depend on its pieces.
		ids := []byte("Some text")
		for n := range 60 {
			ids = append(ids, 't'+1+byte(n))
		}
		list := strings.Join(strings.Fields(fmt.Sprint(ids)), ",")
		k.object(t, 200, "POST", statesPath, fmt.Sprintf(`{"name":"again","prompt":%s}`, list))
		if a, b := k.text(t, "two"), k.text(t, "again"); a != b {
			t.Errorf("%s: texts %x and %x", name, a, b)
		}
	}
}

// text is the digest and the set of ids of a state.
func (k *keeper) text(t *testing.T, name string) string {
	t.Helper()
	h, putBack, err := k.take(name)
	if err != nil {
		t.Fatal(err)
	}
	defer putBack()
	return fmt.Sprintf("%x %x", h.Text, h.Seen)
}

// TestStatePenalties: ids of a state count as those of a prompt do.
func TestStatePenalties(t *testing.T) {
	k := newKeeper(t, enginetest.Compiled(vocab), 0, nil)
	k.object(t, 200, "POST", statesPath, `{"name":"s","prompt":"BCDABC"}`)
	const more = `"temperature":0,"max_tokens":4,"repetition_penalty":30`
	a := complete(t, k.Server, completionsPath, `{"state":"s",`+more+`}`).Choices[0].Text
	b := complete(t, k.Server, completionsPath, `{"prompt":"BCDABC",`+more+`}`).Choices[0].Text
	if a != b || strings.HasPrefix(a, "D") {
		t.Errorf("%q behind a state, %q behind its text", a, b)
	}
}

// TestChatState: a conversation goes on, and does not begin again.
func TestChatState(t *testing.T) {
	begin := int32('<')
	k := newKeeper(t, enginetest.Compiled(vocab), 0, func(o *Options) {
		o.Meta.BOS = &begin
		o.Template = func(messages, tools []byte) (string, error) {
			text, err := marked("!")(messages, tools)
			return "<" + text, err
		}
	})
	k.object(t, 200, "POST", statesPath, `{"name":"s","messages":[{"role":"system","content":"abc"}]}`)
	r := complete(t, k.Server, chatPath, `{"state":"s","save_state":"s","messages":[{"role":"user","content":"x"}],"temperature":0,"max_tokens":2}`)
	if r.Usage.Prompt != len("u:x\n!") || r.Choices[0].Message.Content != "\"#" {
		t.Errorf("%+v %+v", r.Usage, r.Choices)
	}
	if s := k.object(t, 200, "GET", statesPath+"/s", ""); s["tokens"] != float64(len("s:abc\nu:x\n!")+2) || s["parent"] != "s" {
		t.Errorf("%v", s)
	}
}

// TestStateFailures are OpenAI's objects, and name no file of the server.
func TestStateFailures(t *testing.T) {
	k := newKeeper(t, enginetest.Compiled(vocab), 0, func(o *Options) { o.Limits.Library, o.Limits.Context = 3000, 0 })
	none := newKeeper(t, enginetest.Compiled(vocab), 0, func(o *Options) { o.Library, o.Opening = nil, nil })
	k.object(t, 200, "POST", statesPath, `{"name":"s","prompt":"abc"}`)
	whole, err := os.ReadFile(k.Library.Path("s"))
	if err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string][]byte{"broken": whole[:len(whole)-1], "foreign": bytes.Replace(whole, []byte(`"fake"`), []byte(`"else"`), 1), "text": []byte("once upon a time, and so on"), "longer": append(bytes.Clone(whole), 0)} {
		if err := os.WriteFile(k.Library.Path(file), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		k                  *keeper
		method, path, body string
		status             int
		want               string
	}{
		{k, "POST", statesPath, `{`, 400, "no JSON object"},
		{k, "POST", statesPath, `{"prompt":"a"}`, 400, "name: "},
		{k, "POST", statesPath, `{"name":"../s","prompt":"a"}`, 400, "name: "},
		{k, "POST", statesPath, `{"name":"S","prompt":"a"}`, 400, "name: "},
		{k, "POST", statesPath, `{"name":"s","prompt":"a"}`, 409, `there is a state "s" already`},
		{k, "POST", statesPath, `{"name":"n"}`, 400, "prompt: want either"},
		{k, "POST", statesPath, `{"name":"n","prompt":"a","messages":[{"role":"user","content":"x"}]}`, 400, "prompt: want either"},
		{k, "POST", statesPath, `{"name":"n","prompt":["a","b"]}`, 400, "prompt: have 2 texts"},
		{k, "POST", statesPath, `{"name":"n","prompt":[400]}`, 400, "prompt: token 0"},
		{k, "POST", statesPath, `{"name":"n","messages":[{}]}`, 400, "messages: message 0 has no role"},
		{k, "POST", statesPath, `{"name":"n","prompt":"a","state":"missing"}`, 404, `there is no state "missing"`},
		{k, "POST", statesPath, fmt.Sprintf(`{"name":"n","prompt":"a","label":%q}`, strings.Repeat("x", 2000)), 400, "label: have 2000 bytes"},
		{k, "POST", statesPath, fmt.Sprintf(`{"name":"n","prompt":"a","source":%q}`, strings.Repeat("x", 2000)), 400, "source: have 2000 bytes"},
		{k, "PUT", statesPath, `{}`, 405, "want GET, POST"},
		{k, "POST", statesPath + "/s", `{}`, 405, "want GET, DELETE"},
		{k, "GET", statesPath + "/missing", "", 404, `there is no state "missing"`},
		{k, "GET", statesPath + "/..%2f", "", 400, "name: "},
		{k, "DELETE", statesPath + "/missing", "", 404, `there is no state "missing"`},
		{k, "POST", statesPath + "/missing/fork", `{"name":"n"}`, 404, `there is no state "missing"`},
		{k, "POST", statesPath + "/s/fork", `{"name":"s"}`, 409, `there is a state "s" already`},
		{k, "POST", statesPath + "/s/fork", `{"name":"/"}`, 400, "name: "},
		{k, "GET", statesPath + "/s/fork", "", 405, "want POST"},
		{k, "POST", completionsPath, `{"prompt":"a","state":"missing"}`, 404, `there is no state "missing"`},
		{k, "POST", completionsPath, `{"prompt":"a","state":"a/b"}`, 400, "name: "},
		{k, "POST", completionsPath, `{"prompt":"a","save_state":"A"}`, 400, "save_state: "},
		{k, "POST", completionsPath, `{"prompt":"a","state":"broken"}`, 422, "state broken: state file is cut off"},
		{k, "POST", completionsPath, `{"prompt":"a","state":"foreign"}`, 422, "state foreign: "},
		{k, "POST", completionsPath, `{"prompt":"a","state":"longer"}`, 422, "state longer: state file has bytes behind its end"},
		{k, "POST", completionsPath, `{"prompt":"a","state":"text"}`, 422, `state "text" is damaged`},
		{k, "GET", statesPath + "/text", "", 422, `state "text" is damaged`},
		{k, "POST", statesPath + "/text/fork", `{"name":"n"}`, 422, `state "text" is damaged`},
		{k, "POST", statesPath, `{"name":"text","prompt":"a"}`, 409, `there is a state "text" already`},
		{k, "POST", completionsPath, `{"prompt":"a","state":7}`, 400, "state: have a JSON number"},
		{none, "GET", statesPath, "", 404, "no library"},
		{none, "POST", statesPath, `{"name":"n","prompt":"a"}`, 404, "no library"},
		{none, "DELETE", statesPath + "/s", "", 404, "no library"},
		{none, "POST", statesPath + "/s/fork", `{"name":"n"}`, 404, "no library"},
		{none, "POST", completionsPath, `{"prompt":"a","state":"s"}`, 404, "no library"},
		{none, "POST", chatPath, `{"messages":[{"role":"user","content":"x"}],"save_state":"s"}`, 404, "no library"},
	} {
		w := ask(c.k.Server, c.method, c.path, c.body)
		var r reply
		if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil || r.Error == nil || r.Error.Type == "" {
			t.Errorf("%s %s %.80s: %d %s", c.method, c.path, c.body, w.Code, w.Body)
			continue
		}
		if w.Code != c.status || !strings.Contains(r.Error.Message, c.want) || strings.Contains(r.Error.Message, os.TempDir()) {
			t.Errorf("%s %s %.80s: %d %q, want %d %q", c.method, c.path, c.body, w.Code, r.Error.Message, c.status, c.want)
		}
	}
	if w := ask(k.Server, "POST", completionsPath, `{"prompt":"a","state":"s"}`, stateHeader, "other"); w.Code != 400 {
		t.Errorf("two names: %d %s", w.Code, w.Body)
	}
	if n := k.held.Users(); n != 0 {
		t.Errorf("%d requests have a state", n)
	}
}

// TestFullLibrary: what has no room is an error, and what was there stays.
func TestFullLibrary(t *testing.T) {
	k := newKeeper(t, enginetest.Compiled(vocab), 0, nil)
	one := k.object(t, 200, "POST", statesPath, `{"name":"one","prompt":"abc"}`)
	k.Limits.Library = int64(one["bytes"].(float64)) * 5 / 2
	k.object(t, 200, "POST", statesPath+"/one/fork", `{"name":"two"}`)
	for _, c := range [][2]string{
		{statesPath, `{"name":"three","prompt":"abc"}`}, {statesPath + "/one/fork", `{"name":"three"}`}, {completionsPath, `{"prompt":"a","save_state":"three"}`},
	} {
		if e := k.object(t, http.StatusInsufficientStorage, "POST", c[0], c[1])["error"].(map[string]any); e["code"] != "library_full" {
			t.Errorf("%v", e)
		}
	}
	k.object(t, 200, "POST", completionsPath, `{"prompt":"a","save_state":"two"}`) // takes the place of its own
	if names, err := k.Library.Names(); err != nil || len(names) != 2 {
		t.Errorf("%v, %v", names, err)
	}
	if err := k.stateError("s", &os.PathError{Op: "write", Path: "/secret", Err: syscall.ENOSPC}); err.(*failure).status != http.StatusInsufficientStorage {
		t.Error(err)
	}
	if err := k.stateError("s", &os.PathError{Op: "open", Path: "/secret", Err: syscall.EACCES}); strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
	// A damaged file takes room as well.
	k.Limits.Library = 1 << 20
	damaged := k.Library.Path("damaged")
	if err := os.WriteFile(damaged, make([]byte, k.Limits.Library), 0o600); err != nil {
		t.Fatal(err)
	}
	k.object(t, http.StatusInsufficientStorage, "POST", statesPath+"/one/fork", `{"name":"three"}`)
	if text := ask(k.Server, "GET", "/metrics", "").Body.String(); !strings.Contains(text, "\nmambac_library_states 3\n") {
		t.Errorf("metrics: %s", text)
	}
	if err := os.Remove(damaged); err != nil {
		t.Fatal(err)
	}
	for n := range maxStates {
		if err := os.WriteFile(k.Library.Path(fmt.Sprintf("n%d", n)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	k.object(t, http.StatusInsufficientStorage, "POST", statesPath+"/one/fork", `{"name":"three"}`)
}

// TestStateIsHeldOnce: many that go on from a state at the same moment have one
// copy of it, and the next one has what it has become.
func TestStateIsHeldOnce(t *testing.T) {
	k := newKeeper(t, enginetest.Remembering(vocab, false), 1<<20, nil)
	k.object(t, 200, "POST", statesPath, `{"name":"s","prompt":"abc"}`)
	first, putFirst, err := k.take("s")
	if err != nil {
		t.Fatal(err)
	}
	second, putSecond, err := k.take("s")
	if err != nil || second != first {
		t.Fatalf("it is read twice, %v", err)
	}
	if text := ask(k.Server, "GET", "/metrics", "").Body.String(); !strings.Contains(text, "\nmambac_library_users 2\n") {
		t.Errorf("metrics: %s", text)
	}
	putSecond()
	k.object(t, 200, "POST", completionsPath, `{"state":"s","save_state":"s","temperature":0,"max_tokens":3}`)
	third, putThird, err := k.take("s")
	if err != nil || third == first || third.State.Pos() != 6 || first.State.Pos() != 3 {
		t.Fatalf("%v: it is the old one", err)
	}
	putFirst()
	putThird()
	if k.held.Users() != 0 {
		t.Error("it stays")
	}
	var group sync.WaitGroup
	texts := make([]string, 20)
	for i := range texts {
		group.Go(func() {
			texts[i] = ask(k.Server, "POST", completionsPath, `{"state":"s","prompt":"A","temperature":0,"max_tokens":30,"logprobs":2}`).Body.String()
		})
	}
	group.Wait()
	for _, text := range texts {
		_, have, _ := strings.Cut(text, `"choices"`)
		_, want, _ := strings.Cut(texts[0], `"choices"`)
		have, _, _ = strings.Cut(have, `"usage"`)
		want, _, _ = strings.Cut(want, `"usage"`)
		if have != want || have == "" {
			t.Fatalf("%s, another %s", have, want)
		}
	}
	if k.held.Users() != 0 {
		t.Error("it stays")
	}
}

// TestStateRoom: with a bound on texts a state takes its part, and what is saved
// has read its last token.
func TestStateRoom(t *testing.T) {
	const bound = 40
	k := newKeeper(t, enginetest.Remembering(vocab, false), 0, nil)
	k.Limits.Context = bound
	k.object(t, 200, "POST", statesPath, fmt.Sprintf(`{"name":"s","prompt":%q}`, strings.Repeat("A", 30)))
	for body, want := range map[string]int{
		`{"state":"s","prompt":"AB","ignore_eos":true,"max_tokens":100}`:                  9,
		`{"state":"s","prompt":"AB","ignore_eos":true,"max_tokens":100,"save_state":"t"}`: 8,
		`{"state":"s","prompt":"AB","ignore_eos":true,"max_tokens":3,"save_state":"t"}`:   3,
	} {
		if r := complete(t, k.Server, completionsPath, body); r.Usage.Completion != want {
			t.Errorf("%s: %+v, want %d", body, r.Usage, want)
		}
	}
}

// TestLibraryFails: an error on the way to the library is one of the request.
func TestLibraryFails(t *testing.T) {
	k := newKeeper(t, enginetest.Compiled(vocab), 0, nil)
	if err := os.Mkdir(k.Library.Path("folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	e := k.object(t, 500, "POST", completionsPath, `{"prompt":"a","save_state":"folder"}`)["error"].(map[string]any)
	if message := e["message"].(string); !strings.Contains(message, `state "folder"`) || strings.Contains(message, os.TempDir()) || e["type"] != "server_error" {
		t.Errorf("%v", e)
	}
}

// TestReadingFails: what the system says of a file that cannot be read to its end
// names it, and is not for clients.
func TestReadingFails(t *testing.T) {
	k := newKeeper(t, enginetest.Compiled(vocab), 0, nil)
	err := k.unusable("s", fmt.Errorf("values: %w", &fs.PathError{Op: "read", Path: k.Library.Path("s"), Err: syscall.EIO}))
	if f := explain(err); f.status != 500 || strings.Contains(f.Message, os.TempDir()) {
		t.Errorf("%d %s", f.status, f.Message)
	}
}

// TestPanicInLoad: a state whose reading has panicked is read again by the next one.
func TestPanicInLoad(t *testing.T) {
	k := newKeeper(t, enginetest.Compiled(vocab), 0, nil)
	k.object(t, 200, "POST", statesPath, `{"name":"a","prompt":"abc"}`)
	const body = `{"state":"a","prompt":"d","max_tokens":1}`
	codec := k.Codec
	k.Codec = nil
	for range 2 {
		k.object(t, 500, "POST", completionsPath, body)
		if n := k.held.Users(); n != 0 {
			t.Errorf("%d requests have a state", n)
		}
	}
	if f := explain(shelf.ErrPanicked); f != errInternal {
		t.Errorf("who has waited is told %v", f)
	}
	k.Codec = codec
	k.object(t, 200, "POST", completionsPath, body)
}
