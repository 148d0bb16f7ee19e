package regex

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// class translates a set of characters. Sets within sets and intersections
// mean something else to the engine, or nothing.
func (t *translator) class() error {
	c := class{t: t}
	text := "["
	if t.take("^") {
		text += "^"
	}
	for {
		switch {
		case t.rest == "":
			return errors.New("a [ is not closed")
		case strings.HasPrefix(t.rest, "]") && c.items > 0:
			t.take("]")
			t.begin(text + c.text + "]")
			return nil
		case strings.HasPrefix(t.rest, "]"), strings.HasPrefix(t.rest, "["), strings.HasPrefix(t.rest, "&&"):
			return fmt.Errorf("%.2q in [] is not supported; write \\%c for the character", t.rest, t.rest[0])
		}
		if err := c.item(); err != nil {
			return err
		}
	}
}

// class is what a set holds so far.
type class struct {
	t     *translator
	text  string
	items int
}

// item takes a character, a range or a set that has a name.
func (c *class) item() error {
	c.items++
	low, text, err := c.one()
	if err != nil {
		return err
	}
	c.text += text
	high := low
	rest := c.t.rest
	if strings.HasPrefix(rest, "-") && !strings.HasPrefix(rest, "-]") {
		if low == 0 {
			return errors.New("a - behind a set that has a name is not supported")
		}
		c.t.take("-")
		if strings.HasPrefix(c.t.rest, "[") || strings.HasPrefix(c.t.rest, "&&") {
			return errors.New("a - before a set is not supported")
		}
		if high, text, err = c.one(); err != nil {
			return err
		}
		if high < low {
			return fmt.Errorf("a range from %q to %q is empty", low, high)
		}
		c.text += "-" + text
	}
	return c.fold(low, high)
}

// one takes a character, which it returns, or a set that has a name, for which
// it returns 0.
func (c *class) one() (r rune, text string, err error) {
	if c.t.take(`\`) {
		text, r, err = c.t.escaped()
		switch text {
		case `\w`:
			text = wordClass
		case `\W`:
			err = errors.New(`\W in [] is not supported`)
		}
		return r, text, err
	}
	if c.t.rest == "" {
		return 0, "", errors.New("a [ is not closed")
	}
	r = c.t.character()
	return r, quoted(r), nil
}

// fold adds the other cases of a range where cases do not count.
func (c *class) fold(low, high rune) error {
	if !c.t.folds || low == 0 {
		return nil
	}
	if high >= utf8.RuneSelf {
		return fmt.Errorf("%q where cases do not count is not supported", high)
	}
	for r := low; r <= high; r++ {
		c.text += otherCases(r)
	}
	return nil
}
