package chat

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mambac/mambac/runtime/template"
)

// TestSaveLoad goes on behind a file as the conversation itself does.
func TestSaveLoad(t *testing.T) {
	for name, args := range map[string][]string{"turns": {"-n", "20"}, "plain": {"-n", "20", "--plain"}} {
		path := filepath.Join(t.TempDir(), "saved")
		k := newTest(t, turns, args...)
		for _, line := range []string{"hi", "you", "/save " + path, "and?"} {
			if err := k.take(line); err != nil {
				t.Fatal(err)
			}
		}
		requireScratch(t, k)
		for _, how := range []string{"--state", "/load"} {
			l := newTest(t, turns, args...)
			if how == "--state" {
				l = newTest(t, turns, append(args, "--state", path)...)
			} else if err := l.take("/load " + path); err != nil {
				t.Fatal(err)
			}
			if err := l.take("and?"); err != nil {
				t.Fatal(err)
			}
			if got, want := l.messages[1].text, k.messages[len(k.messages)-1].text; got != want {
				t.Errorf("%s: behind %s it answers %q, want %q", name, how, got, want)
			}
			requireScratch(t, l)
			if !slices.Equal(l.state.Block(), k.state.Block()) || l.state.Pos() != k.state.Pos() || l.snapshot().Text != k.snapshot().Text {
				t.Errorf("%s: behind %s the state is another", name, how)
			}
			if err := l.take("/reset"); err != nil {
				t.Fatal(err)
			}
			if err := l.take("/system new"); err == nil {
				t.Errorf("%s: behind %s there can be a new beginning", name, how)
			}
		}
	}
}

// TestLoadFails leaves the conversation as it is.
func TestLoadFails(t *testing.T) {
	counting := template.Template{Write: func(r *template.Run) {
		r.Print(r.Length(r.Variable("messages")))
		turns.Write(r)
	}}
	folder := t.TempDir()
	path := filepath.Join(folder, "saved")
	k := newTest(t, counting)
	for _, line := range []string{"hi", "/save " + path} {
		if err := k.take(line); err != nil {
			t.Fatal(err)
		}
	}
	other := filepath.Join(folder, "other")
	if err := os.WriteFile(other, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		"/load " + path:  "cannot go on behind a state",
		"/load " + other: "is cut off",
		"/load " + filepath.Join(folder, "absent"):    "absent",
		"/save " + filepath.Join(folder, "no", "way"): "way",
	} {
		if err := k.take(line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", line, err, want)
		}
		requireScratch(t, k)
	}
}
