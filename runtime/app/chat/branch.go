package chat

import (
	"fmt"
	"slices"
	"strings"
)

// branch is one course that a conversation has taken.
type branch struct {
	name     string
	messages []message
	reading
}

// find is a branch by its name, or nil.
func (t *talk) find(name string) *branch {
	at := slices.IndexFunc(t.branches, func(b *branch) bool { return b.name == name })
	if at < 0 {
		return nil
	}
	return t.branches[at]
}

// fork makes a branch of the conversation so far, and goes on in it.
func fork(t *talk, name string) error {
	if name == "" {
		for n := len(t.branches) + 1; name == "" || t.find(name) != nil; n++ {
			name = fmt.Sprintf("branch%d", n)
		}
	}
	if strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' }) {
		return fmt.Errorf("/fork %s: want a name without spaces", name)
	}
	if t.find(name) != nil {
		return fmt.Errorf("/fork %s: there is a branch of that name; /branches %s goes on in it", name, name)
	}
	t.branch = &branch{name: name, messages: slices.Clone(t.messages), reading: t.reading.fork()}
	t.branches = append(t.branches, t.branch)
	t.note("(in branch %s of %d)", name, len(t.branches))
	return nil
}

// switchBranch lists branches, or goes on in one.
func switchBranch(t *talk, name string) error {
	if name != "" {
		b := t.find(name)
		if b == nil {
			return fmt.Errorf("/branches %s: there is no such branch; /branches lists them", name)
		}
		t.branch = b
		t.note("(in branch %s)", name)
		return nil
	}
	for _, b := range t.branches {
		at := " "
		if b == t.branch {
			at = "*"
		}
		t.note("%s %-12s %3d messages, %6d tokens  %s", at, b.name, len(b.messages), b.state.Pos(), b.last())
	}
	return nil
}

// last is the beginning of the last message that the user wrote.
func (b *branch) last() string {
	for _, m := range slices.Backward(b.messages) {
		if m.role == user {
			return shortened(m.text)
		}
	}
	return ""
}

// shortened is the beginning of a text, in one line.
func shortened(text string) string {
	const most = 32
	text = strings.Join(strings.Fields(text), " ")
	if list := []rune(text); len(list) > most {
		return string(list[:most-1]) + "…"
	}
	return text
}
