package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestRunContinues(t *testing.T) {
	cases := []struct {
		args []string
		want string
	}{
		{[]string{"ab", "-n", "4"}, "cdef"},
		{[]string{"ab", "-n", "4", "--echo"}, "abcdef"},
		{[]string{"ab", "-n", "4", "--mmap"}, "cdef"},
		{[]string{"a"}, "bcdefghijklmno"},
		{[]string{"n", "-n", "4", "--ignore-eos"}, "opqr"},
		{[]string{"a", "--stop", "fg", "--stop", "zz"}, "bcde"},
		{[]string{"a", "-n", "3", "--stop", "de"}, "bcd"},
		{[]string{"a", "-n", "0"}, ""},
		{[]string{"--ids", "97,98", "-n", "2"}, "cd"},
		{[]string{"--ids", "97,98", "-n", "2", "--echo"}, "abcd"},
		{[]string{"--ids", "97,98", "-n", "3", "--print", "ids"}, "99 100 101\n"},
		{[]string{"ab", "-n", "1", "--print", "ids", "--echo"}, "97 98 99\n"},
		{[]string{"--ids", "298", "-n", "3", "--print", "ids"}, "299 0 1\n"},
	}
	for _, c := range cases {
		if got := requireOK(t, call{}.run(t, append([]string{"run"}, c.args...)...)); got != c.want {
			t.Errorf("run %q: %q, want %q", c.args, got, c.want)
		}
	}
}

func TestRunPromptSources(t *testing.T) {
	if got := requireOK(t, call{in: "ab"}.run(t, "run", "-", "-n", "1")); got != "c" {
		t.Errorf("from stdin: %q", got)
	}
	file := filepath.Join(t.TempDir(), "prompt")
	if err := os.WriteFile(file, []byte("xy"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := requireOK(t, call{}.run(t, "run", "--prompt-file", file, "-n", "1")); got != "z" {
		t.Errorf("from a file: %q", got)
	}
	requireError(t, call{}.run(t, "run", "a", "--prompt-file", file), exitUsage, "more than one prompt")
	requireError(t, call{}.run(t, "run", "--prompt-file", file+"x"), exitFailure, file+"x")
	requireError(t, call{}.run(t, "run", "--ids", ""), exitUsage, "--ids")
}

func TestRunEmptyPrompt(t *testing.T) {
	if got := requireOK(t, call{}.run(t, "run", "-n", "1")); got != "q" { // after the end token
		t.Errorf("after the end token: %q", got)
	}
	c, begin := newCarrier(t), int32('A')
	c.Meta.BOS = &begin
	if got := requireOK(t, call{carrier: c}.run(t, "run", "", "-n", "1")); got != "B" {
		t.Errorf("after the begin token: %q", got)
	}
	c = newCarrier(t)
	c.Meta.EOS = nil
	requireError(t, call{carrier: c}.run(t, "run"), exitFailure, "prompt is empty")
}

func TestRunRefuses(t *testing.T) {
	for _, args := range []string{
		"--print words", "-n -5", "--logprobs -1", "--threads -1", "--temperature -1", "--top-p 2",
		"--top-k -1", "--min-p 7", "--stop x --print ids", "--repetition-penalty 0", "--temperature NaN",
	} {
		requireError(t, call{}.run(t, append([]string{"run", "a"}, strings.Fields(args)...)...), exitUsage)
	}
	requireError(t, call{}.run(t, "run", "--ids", "300"), exitFailure, "300", "vocabulary")
	if r := (call{}).run(t, "run", "--ids", "300", "--print", "ids"); r.status != exitFailure || r.out != "" {
		t.Errorf("a refused run prints %q", r.out)
	}
}

func TestRunWithoutTokenizer(t *testing.T) {
	c := newCarrier(t)
	c.Tokenizer = nil
	requireError(t, call{carrier: c}.run(t, "run", "a"), exitFailure, "tokenizer", "--ids")
	requireError(t, call{carrier: c}.run(t, "run", "--ids", "1"), exitFailure, "--print ids")
	if got := requireOK(t, call{carrier: c}.run(t, "run", "--ids", "1", "-n", "2", "--print", "ids")); got != "2 3\n" {
		t.Errorf("ids %q", got)
	}
}

// TestRunNeverSplitsCharacters prints bytes above 127, which are characters
// only in the right company.
func TestRunNeverSplitsCharacters(t *testing.T) {
	for _, id := range []string{"120", "193"} { // ASCII, and beginnings of characters that never come
		r := call{}.run(t, "run", "--ids", id, "-n", "12", "--ignore-eos")
		if got := requireOK(t, r); !utf8.ValidString(got) || got == "" {
			t.Errorf("after id %s: printed %q", id, got)
		}
	}
}

// TestRunSamplesKnownIDs: rows that the tokenizer lacks come from ids only.
func TestRunSamplesKnownIDs(t *testing.T) {
	got := requireOK(t, call{}.run(t, "run", "<mark>", "-n", "1", "--print", "ids"))
	if id, err := strconv.Atoi(strings.TrimSpace(got)); err != nil || id > mark {
		t.Errorf("a text prompt sampled %q, want an id of the tokenizer", got)
	}
	if got := requireOK(t, call{}.run(t, "run", "--ids", "256", "-n", "1", "--print", "ids")); got != "257\n" {
		t.Errorf("ids %q, want 257", got)
	}
}

func TestRunSeed(t *testing.T) {
	args := []string{"run", "a", "-n", "40", "--temperature", "20", "--ignore-eos", "--print", "ids", "--seed"}
	once := requireOK(t, call{}.run(t, append(args, "7")...))
	if again := requireOK(t, call{}.run(t, append(args, "7")...)); again != once {
		t.Errorf("one seed, two texts: %q and %q", once, again)
	}
	if other := requireOK(t, call{}.run(t, append(args, "8")...)); other == once {
		t.Error("two seeds, one text")
	}
}

func TestRunOnTerminal(t *testing.T) {
	c := call{terminal: true}
	if got := requireOK(t, c.run(t, "run", "\x19", "-n", "3")); got != `\x1a\x1b\x1c`+"\n" {
		t.Errorf("printed %q", got)
	}
}

func TestRunStats(t *testing.T) {
	r := call{}.run(t, "run", "abc", "-n", "5", "--stats", "--seed", "3")
	requireOK(t, r)
	for _, word := range []string{"prefill 3 tokens", "decode 4 tokens", "first token after", "level generic", "seed 3"} {
		if !strings.Contains(r.err, word) {
			t.Errorf("stats %q without %q", r.err, word)
		}
	}
}

func TestRunLogprobs(t *testing.T) {
	r := call{}.run(t, "run", "abc", "-n", "2", "--logprobs", "3")
	requireOK(t, r)
	lines := strings.Split(strings.TrimSpace(r.err), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "100:") || strings.Count(lines[0], ":") != 8 || !strings.Contains(lines[1], `"e"`) {
		t.Errorf("logprobs %q", r.err)
	}
}

// TestRunInterrupted keeps what was printed and ends the line.
func TestRunInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	c := call{ctx: ctx, terminal: true}
	cancel()
	r := c.run(t, "run", "abc")
	if r.status != exitInterrupt || r.err != "" {
		t.Errorf("exit status %d, error %q", r.status, r.err)
	}
}

func TestRunBrokenOutput(t *testing.T) {
	s := stopped{after: 3}
	p := printer{w: &s}
	for range 3 {
		if err := p.print([]byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.print([]byte("x")); !errors.Is(err, errStopped) {
		t.Errorf("error %v", err)
	}
}

var errStopped = errors.New("reader has gone")

// stopped is a writer that fails after some writes.
type stopped struct{ after int }

func (s *stopped) Write(b []byte) (int, error) {
	if s.after == 0 {
		return 0, errStopped
	}
	s.after--
	return len(b), nil
}

// TestRunCollectsLater: the command leaves garbage collection as it was,
// whether there was a first token or not.
func TestRunCollectsLater(t *testing.T) {
	const percent = 123
	defer debug.SetGCPercent(debug.SetGCPercent(percent))
	requireOK(t, call{}.run(t, "run", "--ids", "5", "-n", "3", "--print", "ids"))
	requireError(t, call{}.run(t, "run", "--ids", "1000"), exitFailure, "1000")
	if got := debug.SetGCPercent(percent); got != percent {
		t.Errorf("garbage is collected at %d %%, was %d %%", got, percent)
	}
	collect := lateCollection()
	if got := debug.SetGCPercent(startPercent); got != startPercent {
		t.Errorf("before the first token garbage is collected at %d %%, want %d %%", got, startPercent)
	}
	collect()
	if got := debug.SetGCPercent(percent); got != percent {
		t.Errorf("after it at %d %%, was %d %%", got, percent)
	}
}
