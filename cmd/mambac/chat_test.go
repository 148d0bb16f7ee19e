package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tagged is a template that writes every message, and none otherwise when others
// follow.
const tagged = "{% for m in messages %}// {{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}// assistant: {% endif %}"

// chat answers lines, one answer to a line.
func (a artifact) chat(t *testing.T, lines string, args ...string) (answers []string) {
	t.Helper()
	cmd := a.command("", append([]string{"chat", "-n", "12", "--stop", "\n"}, args...)...)
	cmd.Stdin = strings.NewReader(lines)
	out := succeed(t, cmd)
	return strings.Split(strings.TrimSuffix(out, "\n"), "\n")
}

// TestChat has a program converse: every answer is what the program's command run
// gives for the whole conversation so far, also behind a state; and without a
// template, for the text.
func TestChat(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a program")
	}
	folder := talkative(t)
	if err := os.WriteFile(filepath.Join(folder, "chat_template.jinja"), []byte(tagged), 0o666); err != nil {
		t.Fatal(err)
	}
	a := build(t, folder, "--with", "chat")
	messages := []string{"func main() {", "What is a slice?", "And über 日本?"}
	answers := a.chat(t, strings.Join(messages, "\n"))
	if len(answers) != len(messages) {
		t.Fatalf("the answers are %q", answers)
	}
	prompt := ""
	for i, m := range messages {
		prompt += "// user: " + m + "\n// assistant: "
		want := a.run(t, "", "run", prompt, "-n", "12", "--stop", "\n")
		if answers[i] != want {
			t.Errorf("message %d is answered by %q, want %q", i, answers[i], want)
		}
		prompt += want + "\n"
	}
	path := filepath.Join(t.TempDir(), "saved.state")
	first := a.chat(t, messages[0]+"\n/save "+path)
	rest := a.chat(t, strings.Join(messages[1:], "\n"), "--state", path)
	if got := strings.Join(append(first, rest...), "\n"); got != strings.Join(answers, "\n") {
		t.Errorf("behind a state the answers are %q, want %q", got, answers)
	}
	got, want := a.chat(t, messages[0], "--plain"), a.run(t, "", "run", messages[0], "-n", "12", "--stop", "\n")
	if len(got) != 1 || got[0] != want {
		t.Errorf("without a template it goes on with %q, want %q", got, want)
	}
}
