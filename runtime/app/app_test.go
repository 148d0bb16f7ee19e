package app

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/enginetest"
	"github.com/mambac/mambac/runtime/payload"
)

const (
	endID  = enginetest.End
	vocab  = 300 // the tokenizer knows 257
	mark   = enginetest.Mark
	family = "counting"
)

// carrier is a file with the payload of the fake model.
type carrier struct{ *enginetest.Carrier }

func newCarrier(testing.TB) *carrier { return &carrier{enginetest.NewCarrier(vocab)} }

func (c *carrier) write(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := c.Write(f, 0); err != nil {
		t.Fatal(err)
	}
	return path
}

// call is one run of the program.
type call struct {
	carrier  *carrier
	in       string
	terminal bool
	ctx      context.Context
	launch   launcher
	tapped   bool             // the program was compiled with a tap
	compiled *engine.Compiled // nil for one that keeps a state of fixed size
}

type result struct {
	status   int
	out, err string
}

func (c call) run(t testing.TB, args ...string) result {
	t.Helper()
	if c.carrier == nil {
		c.carrier = newCarrier(t)
	}
	if c.ctx == nil {
		c.ctx = context.Background()
	}
	path := c.carrier.write(t)
	var out, complaint bytes.Buffer
	compiled := enginetest.Compiled(vocab)
	switch {
	case c.compiled != nil:
		compiled = c.compiled
	case c.tapped:
		compiled = enginetest.Tapped(vocab)
	}
	s := &Session{
		Context: c.ctx, Compiled: compiled,
		Open: func() (*payload.Payload, error) { return payload.Open(path) },
		Name: "model", started: time.Now(),
		In: strings.NewReader(c.in), Out: &out, Err: &complaint, Terminal: c.terminal, launch: c.launch, limits: fakeLimits,
	}
	status := s.main(args)
	return result{status, out.String(), complaint.String()}
}

// requireOK returns what a call printed.
func requireOK(t testing.TB, r result) string {
	t.Helper()
	if r.status != exitOK {
		t.Fatalf("exit status %d: %s", r.status, r.err)
	}
	return r.out
}

// requireError wants one line on stderr that holds all the words.
func requireError(t testing.TB, r result, status int, words ...string) {
	t.Helper()
	if r.status != status || !strings.HasPrefix(r.err, "error: ") || strings.Count(r.err, "\n") != 1 {
		t.Errorf("exit status %d with %q, want %d and one line", r.status, r.err, status)
	}
	for _, word := range words {
		if !strings.Contains(r.err, word) {
			t.Errorf("error %q, want %q in it", r.err, word)
		}
	}
}

func TestUsage(t *testing.T) {
	requireError(t, call{}.run(t), exitUsage, "run, logits, ppl, tokens, bench, info")
	requireError(t, call{}.run(t, "walk"), exitUsage, `"walk"`, "model --help")
	requireError(t, call{}.run(t, "run", "--nonsense"), exitUsage, "nonsense", "model run --help")
	requireError(t, call{}.run(t, "run", "a", "b"), exitUsage, `"b"`)
	requireError(t, call{}.run(t, "help", "walk"), exitUsage, `"walk"`)
}

// TestEveryCommandHelps wants all flags of a command in its help.
func TestEveryCommandHelps(t *testing.T) {
	all := requireOK(t, call{tapped: true}.run(t, "--help"))
	for _, c := range append(commands(), tapsCommand) {
		if !strings.Contains(all, c.Name) || !strings.Contains(all, c.Summary) {
			t.Errorf("%s is not in the help", c.Name)
		}
		text := requireOK(t, call{tapped: true}.run(t, c.Name, "--help"))
		if text != requireOK(t, call{tapped: true}.run(t, "help", c.Name)) || !strings.Contains(text, "model "+c.Name) {
			t.Errorf("help of %s: %s", c.Name, text)
		}
		if strings.Contains(text, "%!") {
			t.Errorf("help of %s has a wrong verb: %s", c.Name, text)
		}
		for line := range strings.Lines(text + all) {
			if utf8.RuneCountInString(strings.TrimSuffix(line, "\n")) > 80 {
				t.Errorf("help of %s is wider than 80 columns: %s", c.Name, line)
			}
		}
	}
}

func TestDamagedPayloads(t *testing.T) {
	c := newCarrier(t)
	c.Meta.Fingerprint = "other"
	requireError(t, call{carrier: c}.run(t, "run", "a"), exitFailure, "fingerprint", "model: ")
	c = newCarrier(t)
	c.Tokenizer = []byte("junk")
	requireError(t, call{carrier: c}.run(t, "info"), exitFailure)
	c = newCarrier(t)
	c.Weights = "cut"
	requireError(t, call{carrier: c}.run(t, "run", "a"), exitFailure, "weights")
}

func TestAbsentLevel(t *testing.T) {
	t.Setenv(engine.LevelEnv, "fast")
	requireError(t, call{}.run(t, "run", "a"), exitFailure, "warp drive")
}

func TestInfo(t *testing.T) {
	text := requireOK(t, call{}.run(t, "info"))
	for _, word := range []string{"fake", family, "hidden size", "generic"} {
		if !strings.Contains(text, word) {
			t.Errorf("info without %q: %s", word, text)
		}
	}
	var d struct {
		Family  string `json:"family"`
		Level   string `json:"level"`
		Checked bool   `json:"checked"`
	}
	if err := json.Unmarshal([]byte(requireOK(t, call{}.run(t, "info", "--json", "--check"))), &d); err != nil {
		t.Fatal(err)
	}
	if d.Family != family || d.Level != "generic" || !d.Checked {
		t.Errorf("info --json: %+v", d)
	}
}

func TestInfoReport(t *testing.T) {
	requireError(t, call{}.run(t, "info", "--report"), exitFailure, "--report")
	c := newCarrier(t)
	c.Meta.Report = json.RawMessage(`{"ok":true}`)
	if got := requireOK(t, call{carrier: c}.run(t, "info", "--report", "--json")); got != "{\"ok\":true}\n" {
		t.Errorf("report %q", got)
	}
	if got := requireOK(t, call{carrier: c}.run(t, "info", "--report")); !strings.Contains(got, "logits against the evaluator") {
		t.Errorf("report %q", got)
	}
	c.Meta.Report = json.RawMessage(`[]`)
	requireError(t, call{carrier: c}.run(t, "info", "--report"), exitFailure, "equivalence report")
}

func TestTokens(t *testing.T) {
	if got := requireOK(t, call{}.run(t, "tokens", "ab<mark>")); got != "97 98 256\n" {
		t.Errorf("ids %q", got)
	}
	if got := requireOK(t, call{in: "xy\n"}.run(t, "tokens", "-")); got != "120 121 10\n" {
		t.Errorf("ids %q", got)
	}
	if got := requireOK(t, call{}.run(t, "tokens", "--decode", "97 98,256")); got != "ab<mark>" {
		t.Errorf("text %q", got)
	}
	if got := requireOK(t, call{in: "104 105 256\n"}.run(t, "tokens", "--decode", "--no-special", "-")); got != "hi" {
		t.Errorf("text %q", got)
	}
	if got := requireOK(t, call{in: "z"}.run(t, "tokens")); got != "122\n" {
		t.Errorf("ids %q", got)
	}
	requireError(t, call{}.run(t, "tokens", "a", "--prompt-file", "b"), exitUsage, "more than one text")
	requireError(t, call{}.run(t, "tokens", "--decode", "x"), exitUsage, `"x"`)
	c := newCarrier(t)
	c.Tokenizer = nil
	requireError(t, call{carrier: c}.run(t, "tokens", "x"), exitFailure, "no tokenizer.json)", "--ids")
}
