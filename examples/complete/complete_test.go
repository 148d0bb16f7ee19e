package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// call runs the program, which must end with the status.
func call(t *testing.T, status int, stdin string, args ...string) (out, complaint string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if got := run(context.Background(), args, strings.NewReader(stdin), &stdout, &stderr); got != status {
		t.Fatalf("%q: exit status %d, want %d: %s", args, got, status, &stderr)
	}
	return stdout.String(), stderr.String()
}

// TestReference continues as another implementation of the model does.
func TestReference(t *testing.T) {
	text, err := os.ReadFile("../../cmd/mambac/demo/go-mamba-5m/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var reference struct {
		Generations []struct{ Prompt, Text string }
	}
	if err := json.Unmarshal(text, &reference); err != nil {
		t.Fatal(err)
	}
	for _, g := range reference.Generations {
		path := filepath.Join(t.TempDir(), "source.go")
		if err := os.WriteFile(path, []byte(g.Prompt+"\nfunc more() {}\n"), 0o666); err != nil {
			t.Fatal(err)
		}
		out, _ := call(t, 0, "", "-until", "never", path, strconv.Itoa(len(g.Prompt)))
		if strings.TrimRight(out, "\n") != strings.TrimRight(g.Text, "\n") {
			t.Errorf("%q: continues %q, want %q", g.Prompt, out, g.Text)
		}
	}
}

const source = "package main\n\nimport (\n\t\"fmt\"\n"

func TestUntil(t *testing.T) {
	at := strconv.Itoa(len(source))
	whole, _ := call(t, 0, source, "-until", "never", "-", at)
	line, _ := call(t, 0, source, "-until", "line", "-", at)
	if first, _, _ := strings.Cut(whole, "\n"); line != first+"\n" {
		t.Errorf("a line is %q, want %q", line, first)
	}
	blank, _ := call(t, 0, source, "-", at)
	if first, _, _ := strings.Cut(whole, "\n\n"); blank != first+"\n" {
		t.Errorf("until a blank line it is %q, want %q", blank, first)
	}
	short, _ := call(t, 0, source, "-until", "never", "-n", "3", "-", at)
	if len(short) >= len(whole) || !strings.HasPrefix(whole, strings.TrimSuffix(short, "\n")) {
		t.Errorf("three tokens are %q of %q", short, whole)
	}
}

func TestTemperature(t *testing.T) {
	sample := func(seed string) string {
		out, _ := call(t, 0, source, "-until", "never", "-temperature", "1", "-seed", seed, "-", "12")
		return out
	}
	one := sample("1")
	if sample("1") != one {
		t.Error("the same seed gives two texts")
	}
	if sample("2") == one {
		t.Error("two seeds give the same text")
	}
}

func TestWrongUse(t *testing.T) {
	for _, c := range []struct {
		status int
		args   []string
		want   string
	}{
		{2, []string{}, "Usage: complete"},
		{2, []string{"-"}, "Usage: complete"},
		{2, []string{"-", "here"}, "Usage: complete"},
		{2, []string{"-until", "noon", "-", "1"}, "line, blank, brace or never"},
		{1, []string{"-", "999"}, "offset 999"},
		{1, []string{"-", "-1"}, "offset -1"},
		{1, []string{filepath.Join(t.TempDir(), "absent.go"), "1"}, "absent.go"},
		{1, []string{"-temperature", "-1", "-", "3"}, "temperature"},
	} {
		if _, complaint := call(t, c.status, source, c.args...); !strings.Contains(complaint, c.want) {
			t.Errorf("%q: %q, want %q in it", c.args, complaint, c.want)
		}
	}
}

func TestBefore(t *testing.T) {
	if _, err := before([]byte("aé"), 2); err == nil {
		t.Error("an offset within a character is accepted")
	}
	long := []byte(strings.Repeat("0123456789\n", 1000))
	text, err := before(long, len(long)-1)
	if err != nil || len(text) > contextBytes || !strings.HasPrefix(text, "0123") || !strings.HasSuffix(text, "789") {
		t.Errorf("of a long source %q … is read, error %v", text[:20], err)
	}
}

func TestEnding(t *testing.T) {
	for _, c := range []struct {
		pieces []string
		want   string
	}{
		{[]string{"a {\n\t}\n", "}", "\n"}, "a {\n\t}\n}"},
		{[]string{"a\n}", "b"}, "a\n}"},
		{[]string{"a\n", "", "}\nb"}, "a\n}"},
		{[]string{"a }\n", " }"}, "a }\n }"},
	} {
		e, got := ending{until: untilBrace}, ""
		for _, piece := range c.pieces {
			text, over := e.take(piece)
			if got += text; over {
				break
			}
		}
		if got != c.want {
			t.Errorf("%q is %q, want %q", c.pieces, got, c.want)
		}
	}
}
