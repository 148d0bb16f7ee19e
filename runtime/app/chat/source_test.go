package chat

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/mambac/mambac/runtime/terminal"
)

// typed is a conversation with somebody who types keys.
func typed(t *testing.T, keys string, args ...string) *talk {
	t.Helper()
	k := newTest(t, turns, args...)
	k.people = true
	in := make(chan []byte, 1)
	in <- []byte(keys)
	close(in)
	e := terminal.New(io.Discard, func() (columns, rows int) { return 80, 24 })
	e.In = in
	k.in = k.newEdited(e)
	if err := k.run(); err != nil {
		t.Fatal(err)
	}
	return k
}

// TestHistory keeps what was typed across runs, for its user alone.
func TestHistory(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("XDG_STATE_HOME", folder)
	const up, enter = "\x1b[A", "\r"
	typed(t, "\x1b[200~two\nlines\x1b[201~"+enter+"/stats"+enter+enter)
	k := typed(t, up+up+enter)
	if len(k.messages) != 2 || k.messages[0].text != "two\nlines" {
		t.Errorf("the messages are %v", k.messages)
	}
	typed(t, "not kept"+enter, "--no-history")
	path := filepath.Join(folder, "mambac", "chat-history")
	text, err := os.ReadFile(path)
	if want := `"two\nlines"` + "\n" + `"/stats"` + "\n" + `"two\nlines"` + "\n"; err != nil || string(text) != want {
		t.Errorf("%v, the file has %s", err, text)
	}
	for name, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		if st, err := os.Stat(name); err != nil || st.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", name, st.Mode(), err)
		}
	}
}

// TestHistoryNarrowed: a file that others could read is closed to them; a device's
// mode stays.
func TestHistoryNarrowed(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no such modes")
	}
	before, err := os.Stat(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	if err := (&history{path: os.DevNull}).add("a"); err != nil {
		t.Error(err)
	}
	if after, err := os.Stat(os.DevNull); err != nil || after.Mode() != before.Mode() {
		t.Errorf("a device of mode %v has %v, %v", before.Mode(), after.Mode(), err)
	}
	path := filepath.Join(t.TempDir(), "history")
	for before, want := range map[os.FileMode]os.FileMode{0o644: 0o600, 0o660: 0o600, 0o604: 0o600, 0o600: 0o600, 0o200: 0o200} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, before); err != nil {
			t.Fatal(err)
		}
		if err := (&history{path: path}).add("a"); err != nil {
			t.Fatal(err)
		}
		if st, err := os.Stat(path); err != nil || st.Mode().Perm() != want || st.Size() == 0 {
			t.Errorf("mode %v has become %v, want %v (%v)", before, st.Mode(), want, err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// TestHistoryBounded forgets the oldest.
func TestHistoryBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history")
	h := &history{path: path}
	for n := range mostLines + 10 {
		if err := h.add(fmt.Sprint("line ", n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.add(strings.Repeat("x", mostLine+1)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		h, err := openHistory(path)
		if err != nil || len(h.lines) != mostLines || h.lines[0] != "line 10" || h.lines[mostLines-1] != fmt.Sprint("line ", mostLines+9) {
			t.Fatalf("%v, %d lines", err, len(h.lines))
		}
	}
	for range 20 {
		if err := h.add(strings.Repeat("long", mostLine/4)); err != nil {
			t.Fatal(err)
		}
	}
	h, err := openHistory(path)
	if err != nil || len(h.lines) != 8 {
		t.Errorf("%v, %d long lines", err, len(h.lines))
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 || st.Size() > mostBytes {
		t.Errorf("%v, %v", st, err)
	}
}

// TestHistoryFails is told once, and ends nothing.
func TestHistoryFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_STATE_HOME", file)
	k := typed(t, "a\rb\r")
	if got := strings.Count(k.noted(), "will not be kept"); got != 1 || len(k.messages) != 4 {
		t.Errorf("it says %q, there are %d messages", k.noted(), len(k.messages))
	}
}

// TestLines asks where somebody types and the system edits.
func TestLines(t *testing.T) {
	var out strings.Builder
	signals := make(chan os.Signal, 1)
	r, w := io.Pipe()
	l := newLines(t.Context(), r)
	l.out, l.interrupts = &out, signals
	take := func(want string, wantErr error) {
		t.Helper()
		if text, err := l.message("> "); text != want || err != wantErr {
			t.Errorf("%q, %v, want %q, %v", text, err, want, wantErr)
		}
	}
	signals <- os.Interrupt
	take("", terminal.ErrInterrupt)
	signals <- syscall.SIGTERM
	take("", io.EOF)
	go func() {
		_, _ = io.WriteString(w, "one\r\ntwo\xff\n\nthree")
		w.Close()
	}()
	for _, want := range []string{"one", "two\ufffd", "", "three"} {
		take(want, nil)
	}
	take("", io.EOF)
	if want := strings.Repeat("> ", 7); out.String() != want {
		t.Errorf("it writes %q", out.String())
	}
}

// TestEnter takes lines from what is no terminal.
func TestEnter(t *testing.T) {
	device, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	for _, in := range []io.Reader{strings.NewReader(""), device} {
		s := session(t, in, turns)
		s.Terminal = true
		k := newTest(t, turns)
		leave := k.enter(s)
		if _, ok := k.in.(*lines); !ok || k.people {
			t.Errorf("%T is taken for a terminal", in)
		}
		if err := leave(); err != nil {
			t.Error(err)
		}
	}
}

// TestHelp lists every command, within 80 columns.
func TestHelp(t *testing.T) {
	k := newTest(t, turns)
	if err := k.take("/help"); err != nil {
		t.Fatal(err)
	}
	for _, c := range commands() {
		if !strings.Contains(k.noted(), "/"+c.name) {
			t.Errorf("/%s is not in the help", c.name)
		}
	}
	for line := range strings.Lines(k.noted() + Command.Help) {
		if len([]rune(line)) > 81 {
			t.Errorf("more than 80 columns: %s", line)
		}
	}
	names := map[string]bool{}
	for _, c := range commands() {
		names[c.name] = true
	}
	if len(names) != len(commands()) || !slices.ContainsFunc(commands(), func(c command) bool { return c.name == "help" }) {
		t.Error("two commands of one name")
	}
}
