package app

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mambac/mambac/runtime/model"
)

func TestEscape(t *testing.T) {
	for r := rune(0x2020); r <= 0x2070; r++ {
		turns := r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
		if r == 0x2028 || r == 0x2029 {
			continue
		}
		want := string(r)
		if turns {
			want = fmt.Sprintf(`\u%04x`, r)
		}
		if got := Escaped(string(r)); got != want {
			t.Errorf("%U is %q, want %q", r, got, want)
		}
	}
	got := string(appendEscaped(nil, []byte("a\tb\n\x1b[31m\r\u009bé\x7f\xff")))
	if want := "a\tb\n\\x1b[31m\\x0d\\u009bé\\x7f\xff"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestComplaints: an error is one line, which drives no terminal.
func TestComplaints(t *testing.T) {
	err := errors.New(" the template says:\n\x1b]0;title\a ")
	for watched, want := range map[bool]string{true: `the template says: \x1b]0;title\x07`, false: "the template says: \x1b]0;title\a"} {
		if got := (&Session{Watched: watched}).complaint(err); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestParseTakesFlagsAnywhere(t *testing.T) {
	for _, args := range [][]string{
		{"-n", "3", "text", "--echo"}, {"text", "-n=3", "-echo"}, {"--n", "3", "--echo", "--", "text"},
	} {
		f := NewFlags("run")
		n, echo := f.Int("n", 0, ""), f.Bool("echo", false, "")
		rest, err := Parse(f, args, 1)
		if err != nil || *n != 3 || !*echo || !slices.Equal(rest, []string{"text"}) {
			t.Errorf("%q: n %d, echo %v, rest %q, error %v", args, *n, *echo, rest, err)
		}
	}
	f := NewFlags("run")
	if rest, err := Parse(f, []string{"--", "-n", "--"}, 2); err != nil || !slices.Equal(rest, []string{"-n", "--"}) {
		t.Errorf("rest %q, error %v", rest, err)
	}
	if _, err := Parse(f, []string{"a", "b"}, 1); err == nil || !strings.Contains(err.Error(), `"b"`) {
		t.Errorf("error %v", err)
	}
}

func TestParseIDs(t *testing.T) {
	ids, err := ParseIDs("1,2 3,\n4")
	if err != nil || !slices.Equal(ids, []int32{1, 2, 3, 4}) {
		t.Errorf("ids %v, error %v", ids, err)
	}
	for _, text := range []string{"x", "1,-", "99999999999"} {
		if _, err := ParseIDs(text); err == nil {
			t.Errorf("%q is taken for ids", text)
		}
	}
}

// counter counts writes and bytes.
type counter struct{ writes, bytes int }

func (c *counter) Write(p []byte) (int, error) {
	c.writes++
	c.bytes += len(p)
	return len(p), nil
}

// TestIDsOfATextArePrintedInBlocks: single ids come at once, those of a text
// in few writes.
func TestIDsOfATextArePrintedInBlocks(t *testing.T) {
	var c counter
	e := idEmitter{printer: printer{w: &c}}
	if err := e.token(model.Token{ID: 12}); err != nil || c.bytes != 2 {
		t.Errorf("%d bytes of the first id, %v", c.bytes, err)
	}
	if err := e.echo(make([]int, 100_000), ""); err != nil || c.bytes != 2+200_000 || c.writes > 6 {
		t.Errorf("%d bytes in %d writes, %v", c.bytes, c.writes, err)
	}
}
