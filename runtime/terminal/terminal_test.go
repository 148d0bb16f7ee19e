package terminal

import (
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// typist is an editor at work, whose keys and signals a test sends one after the
// other.
type typist struct {
	*Editor
	screen     *screen
	in         chan []byte
	interrupts chan os.Signal
	lines      chan string
	errs       chan error
}

func newTypist(t *testing.T, width, height int) *typist {
	s := newScreen(t, width, height)
	y := &typist{
		Editor: New(s, func() (int, int) { return width, height }), screen: s,
		in: make(chan []byte), interrupts: make(chan os.Signal), lines: make(chan string, 1), errs: make(chan error, 1),
	}
	y.In, y.Interrupts = y.in, y.interrupts
	return y
}

// begin has a line edited.
func (y *typist) begin() {
	go func() {
		line, err := y.Line("> ")
		y.lines <- line
		y.errs <- err
	}()
}

// send sends keys. The second of the empty messages behind them is taken when they
// have been drawn.
func (y *typist) send(keys ...string) {
	for _, k := range keys {
		y.in <- []byte(k)
	}
	y.in <- nil
	y.in <- nil
}

const (
	left, right, up, down = "\x1b[D", "\x1b[C", "\x1b[A", "\x1b[B"
	enter                 = "\r"
)

func TestEditing(t *testing.T) {
	for _, c := range []struct {
		name, keys, want string
	}{
		{"text", "hello", "> hello_"},
		{"insert", "held" + left + "lo wor", "> hello wor_d"},
		{"ends", "bc\x01a\x05d", "> abcd_"},
		{"home and end", "bc\x1b[Ha\x1b[Fd\x1bOHx\x1b[1~y\x1b[4~z", "> yxabcdz_"},
		{"backspace", "abc\x7f\x08", "> a_"},
		{"delete", "abc" + left + left + "\x1b[3~\x04", "> a_"},
		{"words", "one two  three\x17", "> one two  _"},
		{"word left", "one two\x1bb\x1bb-", "> -_one two"},
		{"word right", "one two\x01\x1bf-\x1b[1;5C-", "> one- two-_"},
		{"delete word ahead", "one two\x01\x1bd", "> _ two"},
		{"to the end", "one two\x1b[1;3D\x0b", "> one _"},
		{"to the beginning", "one two\x1bb\x15", "> _two"},
		{"wide", "日本" + left + "x", "> 日x_本"},
		{"joined", "e\u0301a" + left + left + "-", "> -_e\u0301a"},
		{"joined removed", "ae\u0301\x7f", "> a_"},
		{"emoji", "👍a\x02\x02b", "> b_👍a"},
		{"what means nothing", "a\x1b[99~\x1b[15;2~\x00\x1bz\x1bOPb", "> azb_"},
		{"characters in halves", "\xe6\x97", "> _"},
		{"paste", "\x1b[200~one\r\ntwo\n\tthree\r\x1b[201~!", "> one\ntwo\n    three\n!_"},
		{"sequences in a paste", "\x1b[200~a\x1b[Ab\x03c\x1b[201~", "> a[Abc_"},
		{"alt-enter", "one\x1b\rtwo", "> one\ntwo_"},
		{"to the edge", strings.Repeat("a", 18), "> " + strings.Repeat("a", 18) + "\n_"},
		{"beyond the edge", strings.Repeat("a", 19) + "\x01", "> _" + strings.Repeat("a", 18) + "\na"},
		{"wide at the edge", strings.Repeat("a", 17) + "日" + left, "> " + strings.Repeat("a", 17) + "\n_日"},
		{"clear", "abc\x0c", "> abc_"},
	} {
		y := newTypist(t, 20, 8)
		y.begin()
		y.send(c.keys)
		if got := y.screen.String(); got != c.want {
			t.Errorf("%s: shows %q, want %q", c.name, got, c.want)
		}
		// The same, byte by byte.
		y = newTypist(t, 20, 8)
		y.begin()
		for _, b := range []byte(c.keys) {
			y.in <- []byte{b}
		}
		y.send()
		if got := y.screen.String(); got != c.want {
			t.Errorf("%s: key by key it shows %q, want %q", c.name, got, c.want)
		}
	}
}

// TestLines takes one line after the other, also of keys that came together.
func TestLines(t *testing.T) {
	y := newTypist(t, 20, 8)
	y.begin()
	y.in <- []byte("one" + enter + "two" + enter + "thr")
	for _, want := range []string{"one", "two"} {
		if line, err := <-y.lines, <-y.errs; line != want || err != nil {
			t.Errorf("%q, %v, want %q", line, err, want)
		}
		y.begin()
	}
	y.in <- []byte("ee" + left + enter)
	if line, err := <-y.lines, <-y.errs; line != "three" || err != nil {
		t.Errorf("%q, %v", line, err)
	}
	if got := y.screen.String(); got != "> one\n> two\n> three\n_" {
		t.Errorf("shows %q", got)
	}
}

func TestEnds(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(y *typist)
		want error
	}{
		{"Ctrl-D", func(y *typist) { y.in <- []byte("a\x7f\x04") }, io.EOF},
		{"the end of all", func(y *typist) { close(y.in) }, io.EOF},
		{"an interrupt", func(y *typist) { y.interrupts <- os.Interrupt }, ErrInterrupt},
		{"another signal", func(y *typist) { y.in <- []byte("a"); y.interrupts <- syscall.SIGTERM }, io.EOF},
		{"an interrupt drops a line", func(y *typist) {
			y.in <- []byte("abc")
			y.interrupts <- os.Interrupt
			y.send("x")
			if got := y.screen.String(); got != "> abc\n> x_" {
				t.Errorf("after an interrupt it shows %q", got)
			}
			y.in <- []byte("\x7f\x04")
		}, io.EOF},
	} {
		y := newTypist(t, 20, 8)
		y.begin()
		c.do(y)
		if line, err := <-y.lines, <-y.errs; line != "" || !errors.Is(err, c.want) {
			t.Errorf("%s: %q, %v, want %v", c.name, line, err, c.want)
		}
	}
}

func TestHistory(t *testing.T) {
	y := newTypist(t, 20, 8)
	for _, line := range []string{"first", "second", "second", "two\nrows"} {
		y.Remember(line)
	}
	y.begin()
	for _, c := range []struct{ keys, want string }{
		{"draft" + up, "> two\nrows_"},
		{up, "> second_"},
		{up + up + up, "> first_"},
		{"!" + down, "> second_"},
		{down + down, "> draft_"},
		{down + "s", "> drafts_"},
		{"\x10\x0e", "> drafts_"},
	} {
		y.send(c.keys)
		if got := y.screen.String(); got != c.want {
			t.Errorf("%q: shows %q, want %q", c.keys, got, c.want)
		}
	}
}

// TestTall shows what is around the cursor of a text that has more rows than the
// terminal.
func TestTall(t *testing.T) {
	y := newTypist(t, 10, 3)
	y.begin()
	y.send("\x1b[200~1\n2\n3\n4\n5\x1b[201~")
	if got := y.screen.String(); got != "3\n4\n5_" {
		t.Errorf("shows %q", got)
	}
	y.send("\x01")
	if got := y.screen.String(); got != "> _1\n2\n3" {
		t.Errorf("at its beginning it shows %q", got)
	}
	y.send(strings.Repeat(right, 6) + "x")
	if got := y.screen.String(); got != "2\n3\nx_4" {
		t.Errorf("further down it shows %q", got)
	}
	y.in <- []byte(enter)
	if line := <-y.lines; line != "1\n2\n3\nx4\n5" {
		t.Errorf("gives %q", line)
	}
}

// TestRandomKeys has whatever is typed leave a screen that is that of the line
// alone, drawn once.
func TestRandomKeys(t *testing.T) {
	keys := []string{
		"a", "b ", "日", "e\u0301", "👍", "\t", "\x1b\r", left, left, right, up, down, "\x01", "\x05", "\x7f", "\x7f", "\x1b[3~", "\x17", "\x1bb", "\x1bf",
		strings.Repeat("z", 9), "\x1b[200~p\r\nq\x1b[201~",
	}
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 1))
		width := 4 + random.IntN(20)
		y := newTypist(t, width, 40)
		y.Remember("old " + strings.Repeat("x", width))
		y.begin()
		for range 1 + random.IntN(30) {
			y.in <- []byte(keys[random.IntN(len(keys))])
		}
		y.send()
		once := newTypist(t, width, 40)
		once.prompt, once.line, once.at = y.prompt, slices.Clone(y.line), y.at
		if err := once.draw(); err != nil {
			t.Fatal(err)
		}
		if got, want := y.screen.String(), once.screen.String(); got != want {
			t.Fatalf("seed %d: shows\n%s\nwant\n%s", seed, got, want)
		}
	}
}

// TestChunks passes on what a reader gives, and its end.
func TestChunks(t *testing.T) {
	var got []byte
	for b := range Chunks(strings.NewReader(strings.Repeat("chunk", 2000))) {
		got = append(got, b...)
	}
	if string(got) != strings.Repeat("chunk", 2000) {
		t.Errorf("%d bytes", len(got))
	}
}

// TestRawNoTerminal fails for a file.
func TestRawNoTerminal(t *testing.T) {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := Raw(f); err == nil {
		t.Error("a device is taken for a terminal")
	}
	if columns, rows := Size(f); columns != 80 || rows != 24 {
		t.Errorf("its size is %d × %d", columns, rows)
	}
}
