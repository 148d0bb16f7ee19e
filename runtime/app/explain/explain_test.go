package explain

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mambac/mambac/runtime/app"
	"github.com/mambac/mambac/runtime/enginetest"
	"github.com/mambac/mambac/runtime/payload"
)

const vocab = 300

// session is a call of a program that carries the fake model, Δ of which is the
// ids.
func session(t *testing.T, layers ...payload.Layer) (s *app.Session, out *bytes.Buffer) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c := enginetest.NewCarrier(vocab)
	c.Meta.Layers = layers
	if err := c.Write(f, 0); err != nil {
		t.Fatal(err)
	}
	out = &bytes.Buffer{}
	return &app.Session{
		Context: t.Context(), Compiled: enginetest.Tapped(vocab), Name: "model", Out: out, Err: out, In: strings.NewReader("ba"),
		Open: func() (*payload.Payload, error) { return payload.Open(path) },
	}, out
}

var layer = payload.Layer{Mixer: "mamba", Delta: &payload.Delta{Tap: "id"}}

func TestExplain(t *testing.T) {
	folder := t.TempDir()
	file, page := filepath.Join(folder, "text"), filepath.Join(folder, "page.html")
	if err := os.WriteFile(file, []byte("ab"), 0o666); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"abc":                            "\n▁       97 \"a\"\n▄       98 \"b\"\n▇       99 \"c\"\n",
		"":                               "\n▆       98 \"b\"\n▂       97 \"a\"\n",
		"-":                              "\n▆       98 \"b\"\n▂       97 \"a\"\n",
		"--prompt-file " + file:          "\n▂       97 \"a\"\n▆       98 \"b\"\n",
		"--ids 98 --threads 1":           "\n▄       98 \"b\"\n",
		"--json abc":                     `"tokens":["a","b","c"],"layers":[{"layer":0,"mixer":"mamba"}],"delta":[[97,98,99]],"shades":[[1,4,7]],"overall":[1,4,7]}` + "\n",
		"--json --html " + page + " abc": `"overall":[1,4,7]}` + "\n",
	} {
		s, out := session(t, layer)
		if err := Command.Run(s, strings.Fields(args)); err != nil || !strings.HasSuffix(out.String(), want) {
			t.Errorf("%s: %v\n%s\nwant %s", args, err, out, want)
		}
	}
	text, err := os.ReadFile(page)
	if err != nil || !strings.Contains(string(text), `<span class="s4">b</span>`) {
		t.Errorf("%s, %v", text, err)
	}
}

func TestFails(t *testing.T) {
	for args, want := range map[string]string{
		"a b":                        `unexpected argument "b"`,
		"a --ids 1":                  "more than one text",
		"--ids 1 --prompt-file x":    "more than one text",
		"--ids ,":                    "the text is empty",
		"--ids x":                    `"x" is no token id`,
		"--ids 300":                  "id 300 is outside the vocabulary of 300",
		"--prompt-file absent":       "absent",
		"--threads -1 a":             "--threads -1",
		strings.Repeat("a", 5000):    "the text has 5000 tokens, want at most 4096",
		"a --html /absent/page.html": "absent",
	} {
		s, _ := session(t, layer)
		if err := Command.Run(s, strings.Fields(args)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %s", args, err, want)
		}
	}
	s, _ := session(t)
	if err := Command.Run(s, []string{"a"}); err == nil || !strings.Contains(err.Error(), "build it again --with explain") {
		t.Error(err)
	}
	s, _ = session(t, layer)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.Context = ctx
	if err := Command.Run(s, []string{"a"}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
