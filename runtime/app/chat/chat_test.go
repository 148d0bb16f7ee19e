package chat

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/mambac/mambac/runtime/app"
	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/enginetest"
	"github.com/mambac/mambac/runtime/payload"
	"github.com/mambac/mambac/runtime/template"
	"github.com/mambac/mambac/runtime/terminal"
)

const vocab = 300

// turns is a chat template: every message in a line behind a special token and who
// has written it.
var turns = template.Template{Name: "default", Write: func(r *template.Run) {
	for m := range r.Each(r.Variable("messages")) {
		r.Text("<mark>")
		r.Print(r.Attribute(m, "role"))
		r.Text(":")
		r.Print(r.Attribute(m, "content"))
		r.Text("\n")
	}
	if r.Variable("add_generation_prompt").True() {
		r.Text("<mark>assistant:")
	}
}}

// answered is what the fake model, which counts, writes behind turns.
const answered = ";<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmno"

// session is a call of a program that carries the fake model.
func session(t *testing.T, in io.Reader, templates ...template.Template) *app.Session {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := enginetest.NewRemembering(vocab).Write(f, 0); err != nil {
		t.Fatal(err)
	}
	compiled := enginetest.Remembering(vocab, false)
	compiled.Chat = templates
	return &app.Session{
		Context: t.Context(), Compiled: compiled, Name: "model", In: in, Out: new(bytes.Buffer), Err: new(bytes.Buffer),
		Open: func() (*payload.Payload, error) { return payload.Open(path) },
	}
}

// script runs the command with lines as its input.
func script(t *testing.T, s *app.Session, args ...string) (out, notes string, err error) {
	t.Helper()
	err = Command.Run(s, args)
	return fmt.Sprint(s.Out), fmt.Sprint(s.Err), err
}

// TestScript answers every line.
func TestScript(t *testing.T) {
	for _, c := range []struct {
		name, in, args, out, notes string
	}{
		{"nothing", "", "", "", ""},
		{"messages", "hi\nyou\n", "", answered + "\n" + answered + "\n", ""},
		{"no line end, and empty ones", "\nhi\n\n \nyou", "", answered + "\n" + answered + "\n", ""},
		{"so many tokens", "hi\n", "-n 3", ";<=\n", "(the answer has the 3 tokens that -n lets it have)\n"},
		{"a stop text", "hi\n", "--stop BC --stop Z", ";<=>?@A\n", ""},
		{"behind end tokens", "hi\n", "--ignore-eos -n 55", answered + "pq\n", "(the answer has the 55 tokens that -n lets it have)\n"},
		{"the text goes on", "AB\n\nx\n", "--plain -n 2", "CD\nEF\nyz\n", strings.Repeat("(the answer has the 2 tokens that -n lets it have)\n", 3)},
		{"from nothing", "\n", "--plain --stop t", "qrs\n", ""},
		{"a message that begins with a slash", "//help\n", "--plain --stop t", "qrs\n", ""},
		{"the end", "hi\n/quit\nyou\n", "", answered + "\n", ""},
		{"system", "/system\n/system be brief\n/system\n", "--system old", "", "old\nbe brief\n"},
		{"no system", "/system\n", "", "", "(none)\n"},
		{"back", "a b\n/undo\n/reset\n", "--stop A", ";<=>?@\n", "(taken back: a b)\n(at the beginning)\n"},
		{"again", "hi\n/retry\n", "--stop A", ";<=>?@\n;<=>?@\n", ""},
		{"branches", "hi\n/fork\n/fork other\nyou\n/branches\n/branches main\n", "--stop A", ";<=>?@\n;<=>?@\n", `(in branch branch2 of 2)
(in branch other of 3)
  main           2 messages,     26 tokens  hi
  branch2        2 messages,     26 tokens  hi
* other          4 messages,     54 tokens  you
(in branch main)
`},
	} {
		out, notes, err := script(t, session(t, strings.NewReader(c.in), turns), strings.Fields(c.args)...)
		if out != c.out || notes != c.notes || err != nil {
			t.Errorf("%s: %q, %q, %v, want %q, %q", c.name, out, notes, err, c.out, c.notes)
		}
	}
}

// TestScriptErrors ends at the first.
func TestScriptErrors(t *testing.T) {
	for in, want := range map[string]string{
		"/dance\n":              "/dance is no command; /help lists them",
		"/\n":                   "/ is no command",
		"/save\n":               "/save: FILE is missing",
		"/undo now\n":           "/undo takes no argument",
		"/undo\n":               "nothing has been said yet",
		"/retry\n":              "nothing has been said yet",
		"/save x\n":             "nothing has been said yet",
		"/load " + "absent\n":   "absent",
		"/fork main\n":          "there is a branch of that name",
		"/fork a b\n":           "want a name without spaces",
		"/branches other\n":     "there is no such branch",
		"hi\n/fork a\n/dance\n": "/dance",
	} {
		_, _, err := script(t, session(t, strings.NewReader(in), turns))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", in, err, want)
		}
	}
}

func TestFlags(t *testing.T) {
	for args, want := range map[string]string{
		"":                          "",
		"-n -1 --state f":           "",
		"-n 0":                      "-n 0: want a number of tokens",
		"-n -2":                     "-n -2: want",
		"--plain --system s":        "--system needs the chat template",
		"--state f --system s":      "give one of them",
		"--temperature -1":          "temperature is -1",
		"--top-p 2":                 "top-p is 2",
		"--stop=":                   "is empty",
		"--threads -1":              "--threads -1",
		"--context -1":              "--context -1",
		"hello":                     `unexpected argument "hello"`,
		"--seed 7 --top-k 3 --mmap": "",
	} {
		_, err := parse(strings.Fields(args))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", args, err, want)
		}
	}
}

// TestNoTemplate says what there is instead.
func TestNoTemplate(t *testing.T) {
	_, _, err := script(t, session(t, strings.NewReader("hi\n")))
	if err == nil || !strings.Contains(err.Error(), "has no chat template") || !strings.Contains(err.Error(), "--plain") {
		t.Error(err)
	}
}

// TestTemplateFails: what a template says against a conversation takes the message
// back.
func TestTemplateFails(t *testing.T) {
	strict := template.Template{Write: func(r *template.Run) { r.Raise(template.String("no such role")) }}
	if _, _, err := script(t, session(t, strings.NewReader("hi\n"), strict)); err == nil || err.Error() != "no such role" {
		t.Error(err)
	}
}

// newTest is the conversations of a test.
func newTest(t *testing.T, f template.Template, args ...string) *talk {
	t.Helper()
	s := session(t, nil, f)
	o, err := parse(append([]string{"--threads", "1"}, args...))
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.Start(o.Workers)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	k, err := newTalk(s, o, m)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func (t *talk) written() string { return fmt.Sprint(t.out) }
func (t *talk) noted() string   { return fmt.Sprint(t.notes) }

// requireScratch holds what has been read against the conversation as it is, read
// from its beginning.
func requireScratch(tt *testing.T, t *talk) {
	tt.Helper()
	if _, err := t.read(true); err != nil {
		tt.Fatal(err)
	}
	ids, err := t.form.ids(t.messages, true, t.behind())
	if err != nil {
		tt.Fatal(err)
	}
	if !slices.Equal(t.ids, ids) {
		tt.Fatalf("the ids are %v, want %v", t.ids, ids)
	}
	s, logits := t.base.State.Clone(), t.base.Logits
	if err := t.engine.Prefill(tt.Context(), s, ids, engine.LastLogits, func(_ int, l []float32) error {
		logits = slices.Clone(l)
		return nil
	}); err != nil {
		tt.Fatal(err)
	}
	if t.state.Pos() != s.Pos() || !slices.Equal(t.state.Block(), s.Block()) || !slices.Equal(t.logits, logits) {
		tt.Fatalf("behind %d ids the state is another than when they are read from the beginning", len(ids))
	}
}

// forgetful is a template that writes the last message otherwise than those before.
var forgetful = template.Template{Write: func(r *template.Run) {
	for m := range r.Loop(r.Variable("messages")) {
		text := r.Attribute(m.Item, "content")
		if !m.Last() {
			text = r.Lower(text)
		}
		r.Text("<mark>")
		r.Print(text)
		r.Text("\n")
	}
	if r.Variable("add_generation_prompt").True() {
		r.Text("<mark>:")
	}
}}

// TestGoesOn has random courses of conversations end with the ids and the state of
// the same, read from the beginning.
func TestGoesOn(t *testing.T) {
	lines := []string{
		"hi", "a longer message that takes more than one chunk", "über 日本", "go on", "you",
		"/undo", "/retry", "/fork", "/reset", "/branches main", "/system be brief", "/system be long",
	}
	for _, f := range []template.Template{turns, forgetful} {
		for seed := range uint64(20) {
			random := rand.New(rand.NewPCG(seed, 2))
			k := newTest(t, f, "--temperature", "0.5", "--seed", fmt.Sprint(seed), "--repetition-penalty", "1.1", "-n", fmt.Sprint(1+random.IntN(40)))
			k.people = true
			for range 12 {
				if err := k.take(lines[random.IntN(len(lines))]); k.ends(err) {
					t.Fatal(err)
				}
				if random.IntN(3) == 0 {
					requireScratch(t, k)
				}
			}
			requireScratch(t, k)
		}
	}
}

// TestReadsOnce: of a conversation that goes on only the new part is read, and what
// was taken back costs nothing either.
func TestReadsOnce(t *testing.T) {
	k := newTest(t, turns)
	say := func(text string) (read int) {
		t.Helper()
		before := k.stats.tokens
		if err := k.take(text); err != nil {
			t.Fatal(err)
		}
		return k.stats.tokens - before
	}
	const message = len("_user:hi\n_assistant:") // special tokens are one
	for _, c := range []struct {
		text string
		want int
	}{
		{"hi", message}, {"hi", message + 1}, {"/retry", 0}, {"/undo", 0}, {"he", message + 1}, {"/fork", 0}, {"hi", message + 1}, {"/branches main", 0}, {"hi", message + 1},
	} {
		if got := say(c.text); got != c.want {
			t.Errorf("%s: %d ids are read, want %d", c.text, got, c.want)
		}
	}
	requireScratch(t, k)
}

// signalling sends a signal when so much has been written.
type signalling struct {
	text    bytes.Buffer
	left    int
	signals chan os.Signal
	what    os.Signal
}

func (s *signalling) Write(b []byte) (int, error) {
	if s.left--; s.left == 0 {
		s.signals <- s.what
	}
	return s.text.Write(b)
}

// interruptible has a signal come after so many tokens.
func (t *talk) interruptible(after int, what os.Signal) {
	signals := make(chan os.Signal, 1)
	t.people, t.interrupts, t.out = true, signals, &signalling{left: after, signals: signals, what: what}
}

// TestInterrupt keeps what was written, and goes on.
func TestInterrupt(t *testing.T) {
	k := newTest(t, turns)
	k.interruptible(4, os.Interrupt)
	if err := k.take("hi"); err != nil || k.over {
		t.Fatal(err)
	}
	if got := k.out.(*signalling).text.String(); got != ";<=>\n" {
		t.Errorf("before the interrupt it writes %q", got)
	}
	requireScratch(t, k)
	if err := k.take("go on"); err != nil {
		t.Fatal(err)
	}
	want := []message{{role: user, text: "hi"}, {role: assistant, text: ";<=>"}, {role: user, text: "go on"}, {role: assistant, text: answered}}
	for i, m := range k.messages {
		if m.role != want[i].role || m.text != want[i].text {
			t.Errorf("message %d is %v", i, m)
		}
	}
	requireScratch(t, k)
}

// TestInterruptAtOnce takes a message back that has no answer.
func TestInterruptAtOnce(t *testing.T) {
	k := newTest(t, turns)
	k.interruptible(0, os.Interrupt)
	if err := k.take("hi"); err != nil {
		t.Fatal(err)
	}
	signals := make(chan os.Signal, 1)
	k.interrupts = signals
	for _, text := range []string{"you", "/retry"} {
		signals <- os.Interrupt
		if err := k.take(text); err != nil || len(k.messages) != 2 || k.messages[1].text != answered {
			t.Errorf("%s: %v, the messages are %v", text, err, k.messages)
		}
	}
	if want := "(nothing was answered: the message is taken back)\n(nothing was answered: the answer before stays)\n"; k.noted() != want {
		t.Errorf("it says %q", k.noted())
	}
	signals <- os.Interrupt
	if err := k.take("/save " + filepath.Join(t.TempDir(), "f")); err != nil || !strings.HasSuffix(k.noted(), "(stopped: nothing is saved)\n") {
		t.Errorf("%v, it says %q", err, k.noted())
	}
	requireScratch(t, k)
}

// TestSignal ends the program in an orderly way.
func TestSignal(t *testing.T) {
	k := newTest(t, turns)
	k.interruptible(4, syscall.SIGTERM)
	k.in = &fixed{lines: []string{"hi", "you"}}
	if err := k.run(); err != nil || len(k.messages) != 2 {
		t.Errorf("%v, %d messages", err, len(k.messages))
	}
}

// fixed is messages that are there.
type fixed struct {
	lines []string
	errs  []error // before them
}

func (f *fixed) message(string) (string, error) {
	if len(f.errs) > 0 {
		err := f.errs[0]
		f.errs = f.errs[1:]
		return "", err
	}
	if len(f.lines) == 0 {
		return "", io.EOF
	}
	line := f.lines[0]
	f.lines = f.lines[1:]
	return line, nil
}

// TestErrorsGoOn: with somebody at the terminal an error is told.
func TestErrorsGoOn(t *testing.T) {
	k := newTest(t, turns, "--stop", "A")
	k.people = true
	k.in = &fixed{lines: []string{"/dance", "hi"}}
	if err := k.run(); err != nil || k.written() != ";<=>?@\n" || !strings.HasPrefix(k.noted(), "error: /dance is no command") {
		t.Errorf("%v, %q, %q", err, k.written(), k.noted())
	}
}

// TestTwoInterrupts end the program, if nothing is between them.
func TestTwoInterrupts(t *testing.T) {
	k := newTest(t, turns, "--stop", "A")
	k.people = true
	k.in = &fixed{errs: []error{terminal.ErrInterrupt}, lines: []string{"hi"}}
	if err := k.run(); err != nil || k.written() != ";<=>?@\n" {
		t.Errorf("%v, %q", err, k.written())
	}
	k.in = &fixed{errs: []error{terminal.ErrInterrupt, terminal.ErrInterrupt}, lines: []string{"hi"}}
	if err := k.run(); err != nil || k.written() != ";<=>?@\n" {
		t.Errorf("after two interrupts: %v, %q", err, k.written())
	}
}

// TestCancelled ends a script as it ends any command.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	in, w := io.Pipe()
	defer w.Close()
	s := session(t, in, turns)
	s.Context = ctx
	if err := Command.Run(s, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestCharacters never writes half of one: it is left out when the answer is cut
// there, and what was printed is what goes on.
func TestCharacters(t *testing.T) {
	k := newTest(t, turns, "--plain", "-n", "1")
	k.people = true
	if err := k.take("a\xc2"); err != nil || k.written() != "" || len(k.messages) != 0 {
		t.Errorf("%v, %q, %v", err, k.written(), k.messages)
	}
	requireScratch(t, k)
	k = newTest(t, turns, "--plain", "-n", "2")
	if err := k.take("\xc1"); err != nil || k.written() != "\ufffd\n" {
		t.Errorf("%v, %q", err, k.written())
	}
	requireScratch(t, k)
	if want := []int32{0xc1, 0xef, 0xbf, 0xbd}; !slices.Equal(k.ids, want) {
		t.Errorf("goes on behind %x, want %x", k.ids, want)
	}
}

// TestContext ends an answer where there is no room, and refuses a message for
// which there is none.
func TestContext(t *testing.T) {
	k := newTest(t, turns, "--context", "40")
	k.people = true
	if err := k.take("hi"); err != nil || k.written() != answered[:21]+"\n" || !strings.Contains(k.noted(), "--context") {
		t.Errorf("%v, %q, %q", err, k.written(), k.noted())
	}
	if err := k.take("you"); err == nil || len(k.messages) != 2 {
		t.Errorf("%v, %d messages", err, len(k.messages))
	}
}

// TestTerminalOutput: the model does not drive the terminal.
func TestTerminalOutput(t *testing.T) {
	k := newTest(t, turns, "--plain", "-n", "3")
	k.escape = true
	if err := k.take("\x19"); err != nil || k.written() != `\x1a\x1b\x1c`+"\n" {
		t.Errorf("%v, %q", err, k.written())
	}
	k.note("%s", "a\x1b")
	if got := k.noted(); !strings.HasSuffix(got, `a\x1b`+"\n") {
		t.Errorf("it says %q", got)
	}
}

// TestWriteFails ends the program.
func TestWriteFails(t *testing.T) {
	k := newTest(t, turns)
	k.people, k.out = true, closed{}
	k.in = &fixed{lines: []string{"hi", "you"}}
	if err := k.run(); err == nil || !strings.Contains(err.Error(), io.ErrClosedPipe.Error()) {
		t.Error(err)
	}
}

type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// TestStats counts.
func TestStats(t *testing.T) {
	k := newTest(t, turns, "--seed", "5")
	for _, line := range []string{"hi", "/retry", "/stats"} {
		if err := k.take(line); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"2 messages", "read           20 tokens at ", "; 20 more were not read again", "written        106 tokens at", "2 kept to go back to", "at level generic", "seed 5"} {
		if !strings.Contains(k.noted(), want) {
			t.Errorf("want %q in\n%s", want, k.noted())
		}
	}
}

// TestKept bounds what is kept to go back to.
func TestKept(t *testing.T) {
	k := newTest(t, turns, "-n", "1")
	for range 5 {
		if err := k.take("hi"); err != nil {
			t.Fatal(err)
		}
	}
	big := k.points[0].bytes()
	if k.kept() < 10*big {
		t.Errorf("%d bytes are kept in %d points of %d", k.kept(), len(k.points), big)
	}
	k.trim(3 * big)
	if len(k.points) >= 3 {
		t.Errorf("%d points are left", len(k.points))
	}
	for _, line := range []string{"/undo", "/undo", "/undo", "hi"} {
		if err := k.take(line); err != nil {
			t.Fatal(err)
		}
	}
	requireScratch(t, k)
}
