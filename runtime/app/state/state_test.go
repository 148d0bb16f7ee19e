package state

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/mambac/mambac/runtime/app"
	"github.com/mambac/mambac/runtime/enginetest"
	"github.com/mambac/mambac/runtime/payload"
)

const vocab = 300

// program is one that carries the fake model, with a library of its own.
type program struct {
	path    string
	folder  string
	watched bool
	change  func(*enginetest.Carrier)
}

func newProgram(t *testing.T) *program {
	t.Helper()
	day := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	before := now
	now = func() time.Time { return day }
	t.Cleanup(func() { now = before })
	folder := t.TempDir()
	t.Setenv("XDG_DATA_HOME", filepath.Join(folder, "data"))
	p := &program{path: filepath.Join(folder, "model"), folder: folder}
	p.carry(t, func(*enginetest.Carrier) {})
	return p
}

// carry makes the program one of another model.
func (p *program) carry(t *testing.T, change func(*enginetest.Carrier)) {
	t.Helper()
	c := enginetest.NewCarrier(vocab)
	change(c)
	var b bytes.Buffer
	if err := c.Write(&b, 0); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// file makes a file of a text.
func (p *program) file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(p.folder, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// call runs the command and returns what it printed.
func (p *program) call(ctx context.Context, in string, args ...string) (out, complaint string, err error) {
	var o, e bytes.Buffer
	err = Command.Run(&app.Session{
		Context: ctx, Compiled: enginetest.Compiled(vocab), Name: "model",
		Open: func() (*payload.Payload, error) { return payload.Open(p.path) },
		In:   strings.NewReader(in), Out: &o, Err: &e, Watched: p.watched,
	}, args)
	return o.String(), e.String(), err
}

func (p *program) ok(t *testing.T, args ...string) string {
	t.Helper()
	out, _, err := p.call(t.Context(), "", args...)
	if err != nil {
		t.Fatalf("state %q: %v", args, err)
	}
	return out
}

func (p *program) fails(t *testing.T, args []string, parts ...string) {
	t.Helper()
	_, _, err := p.call(t.Context(), "", args...)
	for _, part := range parts {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("state %q: error %v, want one with %q", args, err, part)
		}
	}
}

// info is what a file says of itself.
func (p *program) info(t *testing.T, file string) *description {
	t.Helper()
	d := &description{}
	if err := json.Unmarshal([]byte(p.ok(t, "info", "--json", file)), d); err != nil {
		t.Fatal(err)
	}
	return d
}

func data(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestSave: a text gives the same file wherever it comes from, and in parts.
func TestSave(t *testing.T) {
	p := newProgram(t)
	long := strings.Repeat("manual ", 20)
	text, want := p.file(t, "manual.txt", long), filepath.Join(p.folder, "want")
	p.ok(t, "save", long, "-o", want)
	for i, args := range [][]string{
		{"save", "--prompt", long}, {"save", "--prompt-file", text, "--source", ""}, {"save", long, "--threads", "2", "-q"},
		{"save", "--ids", strings.Trim(strings.ReplaceAll(fmt.Sprint([]byte(long)), " ", ","), "[]")},
	} {
		file := filepath.Join(p.folder, "f")
		p.ok(t, append(args, "-o", file)...)
		d := p.info(t, file)
		if d.Position != len(long) || !d.Logits || !d.Seen || !d.Fits || !d.Created.IsZero() {
			t.Errorf("%q: %+v", args, d)
		}
		if i != 1 && data(t, file) != data(t, want) {
			t.Errorf("%q: another file", args)
		}
	}
	part, whole := filepath.Join(p.folder, "part"), filepath.Join(p.folder, "whole")
	p.ok(t, "save", "--prompt-file", text, "-o", part, "--label", "a \"label\"\x1b[31m", "--created")
	if d := p.info(t, part); d.Label != "a \"label\"\x1b[31m" || d.Source != "manual.txt" || d.Created != now() || d.Parent != "" {
		t.Errorf("described as %+v", d.Header)
	}
	p.ok(t, "save", "--from", part, "more", "-o", part)
	if d := p.info(t, part); d.Label != "" || d.Source != "" || d.Parent != "part" || d.Position != len(long)+4 {
		t.Errorf("described as %+v", d.Header)
	}
	p.ok(t, "save", long+"more", "-o", whole)
	if a, b := p.info(t, part), p.info(t, whole); a.Text != b.Text {
		t.Error("in two parts it is another text")
	}
	if out, _, err := p.call(t.Context(), "in", "save", "-", "-o", part); err != nil || out != "" || p.info(t, part).Position != 2 {
		t.Errorf("from stdin: %q, %v", out, err)
	}
	p.ok(t, "save", "", "-o", part) // begins with the end token
	if d := p.info(t, part); d.Position != 1 {
		t.Errorf("an empty text has %d tokens", d.Position)
	}
}

func TestSaveRefuses(t *testing.T) {
	p := newProgram(t)
	file := filepath.Join(p.folder, "f")
	for args, part := range map[string]string{
		"":                                  "what of it? one of save, info, lib",
		"walk":                              `unknown command "walk"`,
		"save x":                            "-o FILE is missing",
		"save -o f":                         "no text",
		"save x --prompt y -o f":            "more than one text",
		"save --ids 1 --prompt-file y -o f": "more than one text",
		"save --ids= -o f":                  "is empty",
		"save --ids a -o f":                 "no token id",
		"save --ids 300 -o f":               "vocabulary",
		"save x y -o f":                     "unexpected argument",
		"save x --threads -1 -o f":          "--threads -1",
		"save --prompt-file /no/such -o f":  "/no/such",
		"save x --from /no/such -o f":       "/no/such",
		"save x --from " + p.path + " -o f": "is no state file",
		"save x -o " + p.folder:             "is a folder",
		"info":                              "no FILE",
		"info /no/such":                     "/no/such",
		"info " + p.path:                    p.path + ": is no state file",
		"lib":                               "one of add, list, show, fork, delete, verify",
		"lib walk":                          `unknown command "walk"`,
		"lib add":                           "name of a state is missing",
		"lib add A x":                       "letters a to z",
		"lib add a":                         "no text",
		"lib add a --from ../b --prompt x":  "letters a to z",
		"lib add a --from none --prompt x":  "none: there is no such state",
		"lib add a /no/such":                "/no/such",
		"lib show":                          "name of a state is missing",
		"lib show none":                     "none: there is no such state",
		"lib fork a":                        "name of a state is missing",
		"lib fork none b":                   "none: there is no such state",
		"lib delete ../../f":                "letters a to z",
		"lib delete none":                   "none: there is no such state",
		"lib list x":                        "unexpected argument",
		"lib verify a b":                    "unexpected argument",
		"lib verify none":                   "1 of 1",
		"lib list --library " + p.path + "/below": "not a directory",
	} {
		p.fails(t, strings.Fields(strings.ReplaceAll(args, "-o f", "-o "+file)), part)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("something was saved")
	}
}

// TestInterrupt leaves the old file and no other.
func TestInterrupt(t *testing.T) {
	p := newProgram(t)
	file := filepath.Join(p.folder, "f")
	p.ok(t, "save", "old", "-o", file)
	p.ok(t, "lib", "add", "a", "--prompt", "old")
	want := data(t, file)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, args := range [][]string{{"save", "new", "-o", file}, {"lib", "add", "a", "--replace", "--prompt", "new"}, {"lib", "add", "b", "--prompt", "new"}} {
		if _, _, err := p.call(ctx, "", args...); err != context.Canceled {
			t.Errorf("%q: error %v", args, err)
		}
	}
	if data(t, file) != want || !strings.Contains(p.ok(t, "lib", "list"), " 3 tokens") || strings.Contains(p.ok(t, "lib", "list"), "b ") {
		t.Errorf("the library holds\n%s", p.ok(t, "lib", "list"))
	}
	entries, err := os.ReadDir(p.folder)
	if err != nil || len(entries) != 3 { // data, f, model
		t.Errorf("the folder holds %v, error %v", entries, err)
	}
}

func TestInfo(t *testing.T) {
	p := newProgram(t)
	file := filepath.Join(p.folder, "f")
	p.ok(t, "save", "abc", "-o", file, "--label", "l\x1b", "--source", "s")
	text := p.ok(t, "info", file)
	for _, want := range []string{"tokens       3\n", `label        "l\x1b"`, `source       "s"`, "whole", "next token   from the file, at once", "can go on from it"} {
		if !strings.Contains(text, want) {
			t.Errorf("info without %q:\n%s", want, text)
		}
	}
	p.carry(t, func(c *enginetest.Carrier) { c.Meta.Identity = "other" })
	if text := p.ok(t, "info", file); !strings.Contains(text, "cannot: ") {
		t.Errorf("info of another model's state:\n%s", text)
	}
	if d := p.info(t, file); d.Fits || !strings.Contains(d.Why, "only by the model that wrote it") {
		t.Errorf("info of another model's state: %+v", d)
	}
	whole := data(t, file)
	p.file(t, "f", whole[:len(whole)-1])
	p.fails(t, []string{"info", file}, file+": ", "cut off")
	p.file(t, "f", whole+"x")
	p.fails(t, []string{"info", file}, file+": ", "behind its end")
}

func TestLibrary(t *testing.T) {
	p := newProgram(t)
	one, two := p.file(t, "one.txt", "once "), p.file(t, "two.txt", "upon")
	p.ok(t, "lib", "add", "tale", one, two, "--label", "a tale")
	p.ok(t, "lib", "add", "more", "--from", "tale", "--prompt", " a time")
	p.ok(t, "lib", "fork", "tale", "mine")
	want := "mine        9 tokens     1.6 KiB  \"a tale\"  \"one.txt, two.txt\"\n" +
		"more       16 tokens     1.6 KiB\n" +
		"tale        9 tokens     1.6 KiB  \"a tale\"  \"one.txt, two.txt\"\n"
	if got := p.ok(t, "lib", "list"); got != want {
		t.Errorf("list\n%swant\n%s", got, want)
	}
	text := p.ok(t, "lib", "show", "mine")
	for _, want := range []string{"name     mine\n", "parent   \"tale\"\n", "created  2026-02-03T04:05:06Z\n", filepath.Join("data", "mambac", "states", "fake", "mine.state")} {
		if !strings.Contains(text, want) {
			t.Errorf("show without %q:\n%s", want, text)
		}
	}
	var e entry
	if err := json.Unmarshal([]byte(p.ok(t, "lib", "show", "more", "--json")), &e); err != nil {
		t.Fatal(err)
	}
	if e.Parent != "tale" || e.Tokens != 16 || e.Label != "" || e.Model != "fake" || e.Created != now() {
		t.Errorf("show %+v", e)
	}
	direct := filepath.Join(p.folder, "direct")
	p.ok(t, "save", "once upon a time", "-o", direct)
	if p.info(t, e.File).Text != p.info(t, direct).Text {
		t.Error("added in parts it is another text")
	}
	p.fails(t, []string{"lib", "add", "tale", one}, "tale: is in the library already", "--replace")
	p.ok(t, "lib", "add", "tale", one, "--replace")
	p.fails(t, []string{"lib", "fork", "tale", "more"}, "more: there is such a state")
	p.ok(t, "lib", "delete", "mine")
	if got := p.ok(t, "lib", "verify"); got != fmt.Sprintf("%-20s whole\n%-20s whole\n", "more", "tale") {
		t.Errorf("verify\n%s", got)
	}
	if out, _, err := p.call(t.Context(), "from stdin", "lib", "add", "in", "-"); err != nil || out != "" {
		t.Errorf("from stdin: %q, %v", out, err)
	}
	other := filepath.Join(p.folder, "other")
	if got := p.ok(t, "lib", "list", "--library", other); got != "" {
		t.Errorf("another library holds %q", got)
	}
	if got := p.ok(t, "lib", "list", "--library", other, "--json"); got != "{\"states\":[]}\n" {
		t.Errorf("another library holds %q", got)
	}
}

// TestVerify finds what was altered, and what is no state.
func TestVerify(t *testing.T) {
	p := newProgram(t)
	folder := filepath.Join(p.folder, "lib")
	for _, name := range []string{"a", "b"} {
		p.ok(t, "lib", "add", name, "--prompt", "text", "--library", folder)
	}
	file := filepath.Join(folder, "a.state")
	altered := []byte(data(t, file))
	altered[len(altered)-50] ^= 1
	p.file(t, filepath.Join("lib", "a.state"), string(altered))
	p.file(t, filepath.Join("lib", "strange\x1b"), "")
	out, _, err := p.call(t.Context(), "", "lib", "verify", "--library", folder)
	if err == nil || !strings.Contains(err.Error(), "2 of 3") || !strings.Contains(out, "damaged") || !strings.Contains(out, `"strange\x1b"`) {
		t.Errorf("verify prints %q, error %v", out, err)
	}
	out, _, err = p.call(t.Context(), "", "lib", "verify", "a", "--json", "--library", folder)
	if err == nil || !strings.HasPrefix(out, `{"ok":false,"states":[{"name":"a","ok":false,"error":"`) {
		t.Errorf("verify prints %q, error %v", out, err)
	}
	p.ok(t, "lib", "verify", "b", "--library", folder)
	p.fails(t, []string{"lib", "add", "c", "--from", "a", "--prompt", "x", "--library", folder}, file+": ", "damaged")
	p.file(t, filepath.Join("lib", "a.state"), "text")
	if got := p.ok(t, "lib", "list", "--library", folder); !strings.Contains(got, "a     damaged: ") {
		t.Errorf("list\n%s", got)
	}
}

func TestWithoutTokenizer(t *testing.T) {
	p := newProgram(t)
	p.carry(t, func(c *enginetest.Carrier) { c.Tokenizer = nil })
	file := filepath.Join(p.folder, "f")
	p.fails(t, []string{"save", "x", "-o", file}, "without a tokenizer", "--ids")
	p.ok(t, "save", "--ids", "1,2,299", "-o", file)
	if d := p.info(t, file); d.Position != 3 {
		t.Errorf("%d tokens", d.Position)
	}
}

// TestProgress: a terminal sees a bar after a while, others a line, and who wants
// to be left alone nothing.
func TestProgress(t *testing.T) {
	p := newProgram(t)
	clock := time.Unix(0, 0)
	now = func() time.Time {
		clock = clock.Add(60 * time.Millisecond)
		return clock
	}
	file, text := filepath.Join(p.folder, "f"), strings.Repeat("x", 16*20)
	for _, c := range []struct {
		watched bool
		flags   []string
		bars    bool
		lines   int
	}{{false, nil, false, 1}, {true, nil, true, 1}, {true, []string{"-q"}, false, 0}, {false, []string{"-q"}, false, 0}} {
		p.watched = c.watched
		_, complaint, err := p.call(t.Context(), "", append([]string{"save", text, "-o", file}, c.flags...)...)
		if err != nil {
			t.Fatal(err)
		}
		bars := strings.Contains(complaint, "\r[=") && strings.Contains(complaint, "of 320 tokens, ") && strings.Contains(complaint, "\r\x1b[Kread 320 tokens")
		if bars != c.bars || strings.Count(complaint, "\n") != c.lines {
			t.Errorf("watched %v, %q: %q", c.watched, c.flags, complaint)
		}
	}
}

func TestHelp(t *testing.T) {
	text := fmt.Sprintf(Command.Help, "model")
	for line := range strings.Lines(text) {
		if utf8.RuneCountInString(strings.TrimSuffix(line, "\n")) > 80 {
			t.Errorf("wider than 80 columns: %s", line)
		}
	}
	for _, c := range append(append([]command{}, commands...), libCommands...) {
		if c.name != "lib" && !strings.Contains(text, "\n"+c.name) && !strings.Contains(text, "\nlib "+c.name) {
			t.Errorf("%s is not in the help", c.name)
		}
	}
	if strings.Contains(text, "%!") {
		t.Error("a wrong verb")
	}
	p := newProgram(t)
	for _, args := range []string{"--help", "save --help", "info -h", "lib --help", "lib add --help", "lib list -h", "lib show -h", "lib fork -h", "lib delete -h", "lib verify -h"} {
		p.fails(t, strings.Fields(args), "help wanted")
	}
}
