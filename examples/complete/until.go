package main

import (
	"fmt"
	"strings"
)

// until says where a completion ends, if not with its last token.
type until string

const (
	untilLine  until = "line"
	untilBlank until = "blank"
	untilBrace until = "brace"
	untilNever until = "never"
)

// MarshalText makes until the value of a flag, with UnmarshalText.
func (u until) MarshalText() ([]byte, error) { return []byte(u), nil }

// UnmarshalText accepts the four words.
func (u *until) UnmarshalText(text []byte) error {
	switch word := until(text); word {
	case untilLine, untilBlank, untilBrace, untilNever:
		*u = word
		return nil
	}
	return fmt.Errorf("want line, blank, brace or never")
}

// stop is the text before which the generation ends.
func (u until) stop() string {
	switch u {
	case untilLine:
		return "\n"
	case untilBlank:
		return "\n\n"
	}
	return ""
}

// ending finds the closing brace at the beginning of a line, which is part of
// the completion, unlike a text to stop before.
type ending struct {
	until
	lineEnded bool
}

// take returns as much of a text as belongs to the completion, and whether
// that is over.
func (e *ending) take(text string) (string, bool) {
	if e.until != untilBrace || text == "" {
		return text, false
	}
	if e.lineEnded && text[0] == '}' {
		return text[:1], true
	}
	if before, _, ok := strings.Cut(text, "\n}"); ok {
		return before + "\n}", true
	}
	e.lineEnded = strings.HasSuffix(text, "\n")
	return text, false
}
