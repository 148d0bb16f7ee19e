package serve

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mambac/mambac/runtime/app"
	"github.com/mambac/mambac/runtime/enginetest"
	"github.com/mambac/mambac/runtime/payload"
	"github.com/mambac/mambac/runtime/serve"
	"github.com/mambac/mambac/runtime/template"
)

const vocab = 300

// session is a call of a program that carries the fake model.
func session(t *testing.T, ctx context.Context, log io.Writer) *app.Session {
	t.Helper()
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	path := filepath.Join(t.TempDir(), "model")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := enginetest.NewCarrier(vocab).Write(f, 0); err != nil {
		t.Fatal(err)
	}
	return &app.Session{
		Context: ctx, Compiled: enginetest.Compiled(vocab), Name: "model", Out: io.Discard, Err: log,
		Open: func() (*payload.Payload, error) { return payload.Open(path) },
	}
}

// TestServe listens where it says that it does, until its context ends.
func TestServe(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	log, w := io.Pipe()
	ended := make(chan error)
	go func() {
		err := Command.Run(session(t, ctx, w), []string{"--addr", "127.0.0.1:0", "--api-key", "secret", "--name", "it", "--log", "json", "--context", "2"})
		w.Close()
		ended <- err
	}()
	lines := bufio.NewScanner(log)
	lines.Scan()
	address, ok := strings.CutPrefix(lines.Text(), "listening on ")
	if !ok {
		t.Fatalf("the first line is %q", lines.Text())
	}
	rest := make(chan string)
	go func() {
		text := ""
		for lines.Scan() {
			text += lines.Text() + "\n"
		}
		rest <- text
	}()
	for key, want := range map[string]string{"secret": `200 {"object":"model"`, "other": `401 {"error":`} {
		r, err := http.NewRequest("GET", address+"/v1/models/it", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+key)
		answer, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		got := fmt.Sprintf("%d %s", answer.StatusCode, strings.Replace(string(text), `"id":"it",`, "", 1))
		if err != nil || !strings.HasPrefix(got, want) {
			t.Errorf("key %s: %s", key, got)
		}
	}
	// A state of fixed size has no bound.
	r, err := http.NewRequest("POST", address+"/v1/completions", strings.NewReader(`{"prompt":"abcd","max_tokens":3,"temperature":0}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer secret")
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	if err != nil || !strings.Contains(string(text), `"text":"efg"`) {
		t.Errorf("%v, %s", err, text)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if text := <-rest; !strings.Contains(text, `"path":"/v1/models/it","status":200`) || !strings.Contains(text, "shutting down") {
		t.Errorf("the log says %s", text)
	}
}

func TestFlags(t *testing.T) {
	t.Setenv(keyVariable, "")
	for args, want := range map[string]string{
		"":                                   "",
		"--addr localhost:1":                 "",
		"--addr [::1]:0":                     "",
		"--addr 127.0.0.2:0":                 "",
		"--addr :8080 --api-key k":           "",
		"--addr 0.0.0.0:8080 --no-auth":      "",
		"--addr :8080":                       "can be reached by others: want --api-key KEY or MAMBAC_API_KEY",
		"--addr 0.0.0.0:8080":                "can be reached by others",
		"--addr 192.168.1.2:8080":            "can be reached by others",
		"--addr box:8080":                    "can be reached by others",
		"--addr 8080":                        "want HOST:PORT",
		"--no-auth --api-key k":              "--no-auth contradicts the key",
		"--api-key=":                         "--api-key is empty",
		"--slots 0":                          "--slots 0: want at least 1",
		"--queue -1":                         "--queue -1: want at least 0",
		"--max-prompt 0":                     "--max-prompt 0",
		"--max-tokens 0":                     "--max-tokens 0",
		"--max-body 0":                       "--max-body 0",
		"--grace -1s":                        "--grace -",
		"--prefix-memory -1":                 "--prefix-memory -1: want at least 0",
		"--prefix-spill-max 0":               "--prefix-spill-max 0: want at least 1",
		"--prefix-memory 0":                  "",
		"--prefix-memory 0 --prefix-spill a": "--prefix-spill needs memory",
		"--library-max 0":                    "--library-max 0",
		"--library a --no-library":           "--no-library contradicts --library a",
		"--log loud":                         "--log loud: want text, json or off",
		"--threads -1":                       "--threads -1",
		"--context -1":                       "--context -1",
		"extra":                              `unexpected argument "extra"`,
		"--allow-host A":                     "",
		"--allow-host box:8080":              "--allow-host box:8080: want a name alone",
		"--allow-host http://box":            "--allow-host http://box",
		"--allow-host=":                      "--allow-host : want",
		"--allow-origin http://b:30":         "",
		"--allow-origin https://x/":          "--allow-origin https://x/: want what browsers call",
		"--allow-origin https://x/a":         "--allow-origin https://x/a",
		"--allow-origin https://X":           "--allow-origin https://X",
		"--allow-origin https://":            "--allow-origin https://",
		"--allow-origin x":                   "--allow-origin x",
		"--allow-origin *":                   "--allow-origin *",
	} {
		o, err := parse(strings.Fields(args))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", args, err, want)
		}
		if err != nil || !strings.HasPrefix(args, "--allow") {
			continue
		}
		names := strings.Join(append(o.serve.Hosts, o.serve.Origins...), " ")
		if _, value, _ := strings.Cut(args, " "); names != strings.ToLower(value) {
			t.Errorf("%s: %+v", args, o.serve)
		}
	}
	t.Setenv(keyVariable, "k")
	if o, err := parse([]string{"--addr", ":8080"}); err != nil || len(o.serve.Keys) != 1 {
		t.Errorf("with a key in the environment: %v", err)
	}
}

// TestAddressInUse names the address and starts nothing.
func TestAddressInUse(t *testing.T) {
	err := Command.Run(session(t, t.Context(), io.Discard), []string{"--addr", "127.0.0.1:99999"})
	if err == nil || !strings.Contains(err.Error(), "--addr 127.0.0.1:99999: ") {
		t.Error(err)
	}
}

// TestKeptStates opens what is asked for, and does without a library where there is
// no place for one.
func TestKeptStates(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	within := func(name string) string { return filepath.Join(folder, name) }
	for _, c := range []struct {
		args            []string
		want            string // of the error
		prefix, library bool
	}{
		{nil, "", true, true},
		{[]string{"--prefix-memory", "0", "--no-library"}, "", false, false},
		{[]string{"--library", within("states"), "--prefix-spill", within("spill")}, "", true, true},
		{[]string{"--library", file}, "--library " + file + ": ", false, false},
		{[]string{"--prefix-spill", file}, "--prefix-spill " + file + ": ", false, true},
	} {
		s := session(t, t.Context(), io.Discard)
		o, err := parse(c.args)
		if err != nil {
			t.Fatal(err)
		}
		m, err := s.Start(o.Workers)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		if err := o.answerWith(s, m); err != nil {
			t.Fatal(err)
		}
		end, err := o.openStates()
		if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.args, err, c.want)
			continue
		}
		if err == nil {
			end()
		}
		if (o.serve.Prefix != nil) != c.prefix || (o.serve.Library != nil) != c.library {
			t.Errorf("%v: prefix %v, library %v", c.args, o.serve.Prefix, o.serve.Library)
		}
	}
	homeless := &options{serve: serve.Options{Meta: &payload.Metadata{Identity: "../x"}, Log: slog.New(slog.DiscardHandler)}}
	if err := homeless.openLibrary(); err != nil || homeless.serve.Library != nil {
		t.Errorf("without a place: %v", err)
	}
}

// TestChat: a conversation with tools has a template of its own in some
// checkpoints.
func TestChat(t *testing.T) {
	named := func(name string) template.Template {
		return template.Template{Name: name, Write: func(r *template.Run) {
			r.Text(name)
			r.Print(r.Variable("tools"))
		}}
	}
	list := []template.Template{named("default"), named("other"), named(toolUse)}
	for _, c := range []struct {
		list            []template.Template
		messages, tools string
		want            string
	}{
		{list, "[]", "[1]", "tool_use[1]"},
		{list[:2], "[]", "[1,2]", "default[1, 2]"},
		{list, "[]", "[", "the tools: "},
		{list, "[]", "", "defaultNone"},
		{list, "[", "", "unexpected EOF"},
	} {
		var tools []byte
		if c.tools != "" {
			tools = []byte(c.tools)
		}
		text, err := chat(c.list, true)([]byte(c.messages), tools)
		if text != c.want && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s, %s: %q, %v, want %q", c.messages, c.tools, text, err, c.want)
		}
	}
	if chat(nil, true) != nil {
		t.Error("no template is one")
	}
}
