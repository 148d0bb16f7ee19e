package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// TestRun starts the program, asks, and tells it to end during an answer, which
// comes whole.
func TestRun(t *testing.T) {
	ctx, end := context.WithCancel(context.Background())
	defer end()
	progress, stderr := io.Pipe()
	status := make(chan int)
	go func() {
		status <- run(ctx, []string{"-listen", "127.0.0.1:0", "-source", source(t, sourceText), "-states", t.TempDir()}, stderr)
		stderr.Close()
	}()
	line, err := bufio.NewReader(progress).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	_, url, _ := strings.Cut(strings.TrimSpace(line), "listening at ")
	r, err := http.Post(url+"?n=300", "text/plain", strings.NewReader("func "))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	end()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if want := alone(t, open(t), "func ", 300); string(text) != want {
		t.Errorf("the last answer is %q, want %q", text, want)
	}
	if got := <-status; got != 0 {
		t.Errorf("exit status %d", got)
	}
}

func TestWrongUse(t *testing.T) {
	for _, c := range []struct {
		status int
		args   []string
		want   string
	}{
		{2, nil, "-source"},
		{2, []string{"-source", "a", "b"}, "no arguments"},
		{2, []string{"-nonsense"}, "nonsense"},
		{1, []string{"-source", filepath.Join(t.TempDir(), "absent.go")}, "absent.go"},
		{1, []string{"-source", source(t, sourceText), "-states", t.TempDir(), "-listen", "nowhere"}, "nowhere"},
	} {
		var stderr strings.Builder
		if got := run(context.Background(), c.args, &stderr); got != c.status || !strings.Contains(stderr.String(), c.want) {
			t.Errorf("%q: exit status %d, %q, want %d and %q", c.args, got, stderr.String(), c.status, c.want)
		}
	}
}
