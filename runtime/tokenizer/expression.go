package tokenizer

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Expression is what steps look for in texts: a text, or a regular expression
// in the syntax of Oniguruma.
type Expression struct {
	text    string
	literal bool
	find    Finder
}

// Finder is what Expression.Find does.
type Finder func(text string, match func(start, end int)) error

// known holds, for the regular expressions that tokenizers have, the length of
// the match that text begins with, 0 for none. None of them looks back.
var known = map[string]func(text string) int{}

// engine compiles all other expressions; programs carry it only if needed.
var engine func(expression string) (Finder, error)

// RegisterEngine makes the program able to open tables for which Engine is
// true.
func RegisterEngine(compile func(expression string) (Finder, error)) { engine = compile }

// Literal is an expression that is a text.
func Literal(text string) (Expression, error) {
	switch {
	case text == "":
		return Expression{}, errors.New("an expression is empty")
	case len(text) > MaxText:
		return Expression{}, fmt.Errorf("an expression has %d bytes, want at most %d", len(text), MaxText)
	}
	return Expression{text, true, findLiteral(text)}, nil
}

// Regular is a regular expression.
func Regular(text string) (Expression, error) {
	if text == "" || len(text) > MaxText {
		return Expression{}, fmt.Errorf("an expression has %d bytes, want 1 to %d", len(text), MaxText)
	}
	if length := known[text]; length != nil {
		return Expression{text, false, findKnown(length)}, nil
	}
	if engine == nil {
		return Expression{}, fmt.Errorf("this program has no engine for the expression %q; build it again", text)
	}
	find, err := engine(text)
	if err != nil {
		return Expression{}, fmt.Errorf("expression %q: %w", text, err)
	}
	return Expression{text, false, find}, nil
}

// Find calls match with the bounds of every match in text, in order, as the
// reference finds them.
func (x Expression) Find(text string, match func(start, end int)) error { return x.find(text, match) }

// needsEngine tells of an expression that only the engine knows.
func (x Expression) needsEngine() bool { return !x.literal && known[x.text] == nil }

// Engine tells whether the table has an expression that needs the engine.
func (t *Table) Engine() bool {
	for _, s := range t.Normalizers {
		if r, ok := s.(Replace); ok && r.Pattern.needsEngine() {
			return true
		}
	}
	for _, s := range t.PreTokenizers {
		if p, ok := s.(Split); ok && p.Pattern.needsEngine() {
			return true
		}
	}
	return false
}

func (x Expression) append(dst []byte) []byte {
	flag := byte(0)
	if x.literal {
		flag = 1
	}
	return appendText(append(dst, flag), x.text)
}

// expression takes an expression.
func (f *fields) expression() (Expression, error) {
	literal, text := f.flags(2) == 1, f.text()
	switch {
	case f.damaged:
		return Expression{}, errors.New("an expression is damaged")
	case literal:
		return Literal(text)
	}
	return Regular(text)
}

// replaceAll returns text with all matches replaced.
func (x Expression) replaceAll(text, by string) (string, error) {
	if x.literal {
		return strings.ReplaceAll(text, x.text, by), nil
	}
	var b strings.Builder
	done := 0
	err := x.Find(text, func(start, end int) {
		b.WriteString(text[done:start])
		b.WriteString(by)
		done = end
	})
	if err != nil || b.Len() == 0 && done == 0 {
		return text, err
	}
	b.WriteString(text[done:])
	return b.String(), nil
}

func findLiteral(literal string) Finder {
	return func(text string, match func(start, end int)) error {
		for at := 0; ; {
			i := strings.Index(text[at:], literal)
			if i < 0 {
				return nil
			}
			match(at+i, at+i+len(literal))
			at += i + len(literal)
		}
	}
}

func findKnown(length func(string) int) Finder {
	return func(text string, match func(start, end int)) error {
		for at := 0; at < len(text); {
			if n := length(text[at:]); n > 0 {
				match(at, at+n)
				at += n
			} else {
				_, n := utf8.DecodeRuneInString(text[at:])
				at += n
			}
		}
		return nil
	}
}

// runeAt returns the character at the place and its length.
func runeAt(text string, at int) (rune, int) {
	if c := text[at]; c < utf8.RuneSelf {
		return rune(c), 1
	}
	return utf8.DecodeRuneInString(text[at:])
}
