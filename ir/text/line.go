package text

import (
	"fmt"
	"strconv"
	"strings"
)

type tokenKind uint8

const (
	endToken    tokenKind = iota // after the last of a line
	wordToken                    // a name, keyword or number
	quotedToken                  // a Go string, unquoted
	punctToken                   // one of punctuation
)

const punctuation = "%@$()[]{}<>,:="

// token is a word of the text form.
type token struct {
	kind tokenKind
	text string
}

// split cuts a line into tokens; a comment ends it.
func split(line string) ([]token, error) {
	var tokens []token
	for {
		line = strings.TrimLeft(line, " \t\r")
		if line == "" || line[0] == '#' {
			return tokens, nil
		}
		t, n, err := scan(line)
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, t)
		line = line[n:]
	}
}

// scan reads the token that a line begins with, and its length.
func scan(line string) (token, int, error) {
	if line[0] == '"' {
		q, err := strconv.QuotedPrefix(line)
		if err != nil {
			return token{}, 0, fmt.Errorf("a string does not end, or holds a bad escape")
		}
		s, err := strconv.Unquote(q)
		return token{quotedToken, s}, len(q), err
	}
	if strings.IndexByte(punctuation, line[0]) >= 0 {
		return token{punctToken, line[:1]}, 1, nil
	}
	n := strings.IndexFunc(line, func(r rune) bool { return !plain(r) && r != '+' })
	switch {
	case n < 0:
		n = len(line)
	case n == 0:
		return token{}, 0, fmt.Errorf("unexpected character %q", []rune(line)[0])
	}
	return token{wordToken, line[:n]}, n, nil
}

// line reads the tokens of one statement; the first error sticks, and after it
// every token is the end.
type line struct {
	tokens []token
	err    error
}

func (l *line) fail(format string, args ...any) {
	if l.err == nil {
		l.err = fmt.Errorf(format, args...)
	}
	l.tokens = nil
}

func (l *line) peek() token {
	if len(l.tokens) == 0 {
		return token{}
	}
	return l.tokens[0]
}

func (l *line) next() token {
	t := l.peek()
	if len(l.tokens) > 0 {
		l.tokens = l.tokens[1:]
	}
	return t
}

// take consumes the punctuation or word if it comes next.
func (l *line) take(text string) bool {
	t := l.peek()
	if t.kind == endToken || t.kind == quotedToken || t.text != text {
		return false
	}
	l.next()
	return true
}

// want consumes the punctuation or word, or fails.
func (l *line) want(text string) {
	if !l.take(text) {
		l.fail("have %s, want %q", describe(l.peek()), text)
	}
}

func describe(t token) string {
	if t.kind == endToken {
		return "the end of the line"
	}
	return abbreviate(strconv.Quote(t.text))
}

// abbreviate keeps an error to one line of bearable length.
func abbreviate(s string) string {
	const most = 60
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

// name reads a bare or quoted name.
func (l *line) name() string {
	t := l.next()
	if t.kind != wordToken && t.kind != quotedToken {
		l.fail("have %s, want a name", describe(t))
	}
	return t.text
}

// size reads a number of elements.
func (l *line) size() int {
	t := l.next()
	n, err := strconv.ParseInt(t.text, 10, 32)
	if t.kind != wordToken || err != nil || n < 0 {
		l.fail("have %s, want a size below 2³¹", describe(t))
	}
	return int(n)
}

// end fails unless the line is used up.
func (l *line) end() error {
	if t := l.peek(); t.kind != endToken {
		l.fail("%s stands after the end of the statement", describe(t))
	}
	return l.err
}
