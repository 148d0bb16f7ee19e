package chat

import (
	"errors"
	"fmt"
	"strings"
)

// command is what a line that begins with / asks for.
type command struct {
	name, argument, help string
	run                  func(t *talk, argument string) error
}

// commands is in the order of the help. An argument in brackets may be left out.
func commands() []command {
	return []command{
		{"save", "FILE", "write what has been read to a state file", save},
		{"load", "FILE", "go on behind a state file, in place of this conversation", load},
		{"fork", "[NAME]", "go on in a branch, a copy of the conversation", fork},
		{"branches", "[NAME]", "list branches, or go on in one", switchBranch},
		{"retry", "", "have the last message answered again", retry},
		{"undo", "", "take the last message and its answer back", undo},
		{"reset", "", "go back to where the conversation began", reset},
		{"system", "[TEXT]", "say what the conversation begins with, or change it", setSystem},
		{"stats", "", "what was read and written, and how fast", tellStats},
		{"help", "", "list commands", help},
		{"quit", "", "end; so does Ctrl-D", func(*talk, string) error { return errQuit }},
	}
}

// command runs a command by its line.
func (t *talk) command(line string) error {
	name, argument, _ := strings.Cut(strings.TrimSpace(line), " ")
	argument = strings.TrimSpace(argument)
	for _, c := range commands() {
		if c.name != name {
			continue
		}
		switch {
		case argument == "" && c.argument != "" && c.argument[0] != '[':
			return fmt.Errorf("/%s: %s is missing", name, c.argument)
		case argument != "" && c.argument == "":
			return fmt.Errorf("/%s takes no argument, have %q", name, argument)
		}
		return c.run(t, argument)
	}
	return fmt.Errorf("/%s is no command; /help lists them, and // begins a message with /", name)
}

func help(t *talk, _ string) error {
	for _, c := range commands() {
		t.note("/%-16s %s", strings.TrimSpace(c.name+" "+c.argument), c.help)
	}
	t.note("A message that begins with / is written with another before it. Alt-Enter\nbegins a new line; pasted lines are one message.")
	return nil
}

// errNothingSaid is for commands that need a message before.
var errNothingSaid = errors.New("nothing has been said yet")

// exchange is where the last message of the user and its answer begin.
func (t *talk) exchange() (at int, err error) {
	n := len(t.messages)
	if n < 2 || t.messages[n-1].role != assistant {
		return 0, errNothingSaid
	}
	return n - 2, nil
}

func undo(t *talk, _ string) error {
	at, err := t.exchange()
	if err != nil {
		return err
	}
	t.note("(taken back: %s)", shortened(t.messages[at].text))
	t.messages = t.messages[:at]
	return nil
}

// retry keeps the old answer if there is no new one.
func retry(t *talk, _ string) error {
	at, err := t.exchange()
	if err != nil {
		return err
	}
	before := t.messages
	t.messages = before[: at+1 : at+1]
	answered, err := t.answer()
	if !answered {
		t.messages = before
		if err == nil {
			t.note("(nothing was answered: the answer before stays)")
		}
	}
	return err
}

// reset keeps what the conversation began with.
func reset(t *talk, _ string) error {
	n := 0
	if len(t.messages) > 0 && t.messages[0].role == system {
		n = 1
	}
	t.messages = t.messages[:n:n]
	t.note("(at the beginning)")
	return nil
}

func setSystem(t *talk, text string) error {
	has := len(t.messages) > 0 && t.messages[0].role == system
	switch {
	case text == "" && has:
		t.note("%s", t.messages[0].text)
		return nil
	case text == "":
		t.note("(none)")
		return nil
	case t.form.goesOn():
		return errors.New("/system needs the chat template that --plain does without")
	case t.behind():
		return errors.New("/system belongs to the beginning of a conversation, and this one begins with a state; start the program without it")
	}
	rest := t.messages
	if has {
		rest = rest[1:]
	}
	t.messages = append([]message{{role: system, text: text}}, rest...)
	if len(rest) > 0 {
		t.note("(the conversation will be read again behind it)")
	}
	return nil
}
