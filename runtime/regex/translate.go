package regex

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// translate turns an expression of Oniguruma, as the reference runs it, into
// one that means the same to regexp2. What would mean something else there, or
// is not certain to mean the same, is an error.
func translate(expression string) (string, error) {
	if !utf8.ValidString(expression) {
		return "", errors.New("is not UTF-8")
	}
	t := translator{rest: expression, atom: -1}
	for t.rest != "" {
		if err := t.next(); err != nil {
			return "", err
		}
	}
	if len(t.groups) > 0 {
		return "", errors.New("a group is not closed")
	}
	return t.out.String(), nil
}

type translator struct {
	rest   string
	out    output
	groups []group
	folds  bool // cases do not count
	atom   int  // where in out what a quantifier repeats begins, -1 for nothing
	letter rune // the letter before, where cases do not count
}

// group is what is to be restored behind a group.
type group struct {
	start int
	folds bool
}

// output is a text that can be wrapped from a place on.
type output struct{ text []byte }

func (o *output) add(text string) { o.text = append(o.text, text...) }
func (o *output) len() int        { return len(o.text) }
func (o *output) String() string  { return string(o.text) }
func (o *output) wrap(at int, before, after string) {
	tail := string(o.text[at:])
	o.text = append(append(append(o.text[:at], before...), tail...), after...)
}

const (
	maxGroups = 64
	// wordClass is \w: alphabetic characters, marks, decimal numbers and
	// connectors.
	wordClass = `\p{L}\p{M}\p{Nl}\p{Nd}\p{Pc}ⓐ-ⓩⒶ-Ⓩ🄰-🅉🅐-🅩🅰-🆉`
)

// take removes a text from the front, if it is there.
func (t *translator) take(text string) bool {
	rest, ok := strings.CutPrefix(t.rest, text)
	t.rest = rest
	return ok
}

func (t *translator) character() rune {
	r, n := utf8.DecodeRuneInString(t.rest)
	t.rest = t.rest[n:]
	return r
}

// next translates the next part.
func (t *translator) next() error {
	before := t.letter
	t.letter = 0
	switch r := t.character(); r {
	case '\\':
		return t.escape()
	case '[':
		return t.class()
	case '(':
		return t.open()
	case ')':
		return t.close()
	case '|':
		t.out.add("|")
		t.atom = -1
	case '*', '+', '?':
		return t.quantify(string(r))
	case '{':
		return t.count()
	case '^':
		t.anchor(`(?:\A|(?<=\n)(?!\z))`)
	case '$':
		t.anchor(`(?=\n|\z)`)
	case '.':
		t.begin(".")
	default:
		return t.literal(before, r)
	}
	return nil
}

// begin writes what a quantifier may repeat.
func (t *translator) begin(text string) {
	t.atom = t.out.len()
	t.out.add(text)
}

// anchor writes what no quantifier may repeat.
func (t *translator) anchor(text string) {
	t.atom = -1
	t.out.add(text)
}

// literal writes a character. Where cases do not count, the reference also
// takes one letter for two, such as ß for ss, so letters that could be meant
// are refused.
func (t *translator) literal(before, r rune) error {
	if !t.folds {
		t.begin(quoted(r))
		return nil
	}
	if r >= utf8.RuneSelf {
		return fmt.Errorf("%q where cases do not count is not supported", r)
	}
	t.letter = unicode.ToLower(r)
	switch pair := string([]rune{before, t.letter}); pair {
	case "ss", "st", "ff", "fi", "fl":
		return fmt.Errorf("%q where cases do not count is not supported", pair)
	}
	if more := otherCases(r); more != "" {
		t.begin("[" + string(r) + more + "]")
	} else {
		t.begin(quoted(r))
	}
	return nil
}

// otherCases returns what is the same as a character of ASCII where cases do
// not count.
func otherCases(r rune) string {
	switch small := unicode.ToLower(r); {
	case small < 'a' || small > 'z':
		return ""
	case small == 's':
		return "sSſ"
	case small == 'k':
		return "kK\u212a"
	default:
		return string([]rune{small, unicode.ToUpper(r)})
	}
}

// quoted is a character that means itself.
func quoted(r rune) string {
	if strings.ContainsRune(`\*+?|{}[]()^$.#-&`, r) {
		return `\` + string(r)
	}
	return string(r)
}

// escape translates what follows a backslash outside of classes.
func (t *translator) escape() error {
	if t.rest == "" {
		return errors.New(`ends in a \`)
	}
	if strings.IndexByte("AzZ", t.rest[0]) >= 0 {
		t.anchor(`\` + string(t.character()))
		return nil
	}
	text, _, err := t.escaped()
	if err != nil {
		return err
	}
	switch text {
	case `\w`:
		text = "[" + wordClass + "]"
	case `\W`:
		text = "[^" + wordClass + "]"
	}
	t.begin(text)
	return nil
}

// escaped takes what follows a backslash and means the same in a class and
// outside; r is the character if it is one.
func (t *translator) escaped() (text string, r rune, err error) {
	if t.rest == "" {
		return "", 0, errors.New(`ends in a \`)
	}
	c := t.character()
	switch {
	case strings.ContainsRune("dDsSwW", c):
		return `\` + string(c), 0, nil
	case controls[c] != 0:
		return `\` + string(c), controls[c], nil
	case c == 'p' || c == 'P':
		name, err := t.property()
		return `\` + string(c) + name, 0, err
	case c == 'u' || c == 'x':
		return t.code(c)
	case c < utf8.RuneSelf && !unicode.IsLetter(c) && !unicode.IsDigit(c):
		return quoted(c), c, nil
	}
	return "", 0, fmt.Errorf(`\%c is not supported`, c)
}

// controls are the control characters that have escapes.
var controls = map[rune]rune{'a': '\a', 'e': 0x1b, 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v'}

// property takes the name of a property in braces.
func (t *translator) property() (string, error) {
	end := strings.IndexByte(t.rest, '}')
	if end < 2 || t.rest[0] != '{' || t.rest[1] == '^' {
		return "", errors.New(`\p is not followed by the name of a property, as in \p{L}`)
	}
	name := t.rest[:end+1]
	if unicode.Categories[name[1:end]] == nil && unicode.Scripts[name[1:end]] == nil {
		return "", fmt.Errorf(`\p%s is not supported`, name)
	}
	if t.folds && strings.Contains("{Lu}{Ll}{Lt}", name) {
		return "", fmt.Errorf(`\p%s where cases do not count is not supported`, name)
	}
	t.rest = t.rest[end+1:]
	return name, nil
}

// code takes the number of a character, two digits behind x and four behind u.
func (t *translator) code(c rune) (text string, r rune, err error) {
	digits := 2
	if c == 'u' {
		digits = 4
	}
	if len(t.rest) < digits || strings.Trim(t.rest[:digits], "0123456789abcdefABCDEF") != "" {
		return "", 0, fmt.Errorf(`\%c is not followed by %d hexadecimal digits`, c, digits)
	}
	if _, err := fmt.Sscanf(t.rest[:digits], "%x", &r); err != nil || r >= 0x80 && c == 'x' {
		return "", 0, fmt.Errorf(`\%c%s is not supported`, c, t.rest[:digits])
	}
	text = `\u` + fmt.Sprintf("%04x", r)
	t.rest = t.rest[digits:]
	if r == 0 {
		r = 1
	}
	return text, r, nil
}

// open translates the beginning of a group.
func (t *translator) open() error {
	if len(t.groups) == maxGroups {
		return fmt.Errorf("groups more than %d deep", maxGroups)
	}
	g := group{t.out.len(), t.folds}
	switch {
	case !strings.HasPrefix(t.rest, "?"):
		t.out.add("(?:")
	case t.take("?i)"):
		if g.start != 0 {
			return errors.New("(?i) is supported only in front, or as in (?i:a)")
		}
		t.folds = true
		return nil
	case t.take("?i:"):
		t.folds = true
		t.out.add("(?:")
	case t.take("?-i:"):
		t.folds = false
		t.out.add("(?:")
	default:
		found := false
		for _, kind := range []string{"?:", "?=", "?!", "?<=", "?<!", "?>"} {
			if !found && t.take(kind) {
				found = true
				t.out.add("(" + kind)
			}
		}
		if !found {
			return fmt.Errorf("a group that begins with (%.3s is not supported", t.rest)
		}
	}
	t.groups = append(t.groups, g)
	t.atom = -1
	return nil
}

func (t *translator) close() error {
	if len(t.groups) == 0 {
		return errors.New("a group is closed that was not opened")
	}
	g := t.groups[len(t.groups)-1]
	t.groups = t.groups[:len(t.groups)-1]
	t.out.add(")")
	t.atom, t.folds = g.start, g.folds
	return nil
}

// count translates {n}, {n,}, {,m} and {n,m}.
func (t *translator) count() error {
	end := strings.IndexByte(t.rest, '}')
	if end < 1 || end > 12 || strings.Trim(t.rest[:end], "0123456789,") != "" || strings.Count(t.rest[:end], ",") > 1 || t.rest[:end] == "," {
		return errors.New("{ is not supported but as in {1,3}; write \\{ for the character")
	}
	text := t.rest[:end]
	t.rest = t.rest[end+1:]
	if strings.HasPrefix(text, ",") {
		text = "0" + text
	}
	if t.take("+") || !strings.Contains(text, ",") && t.take("?") {
		return fmt.Errorf("{%s} with + or ? behind it is not supported", text)
	}
	return t.quantify("{" + text + "}")
}

// quantify writes a quantifier. With + behind it, it gives nothing back.
func (t *translator) quantify(quantifier string) error {
	if t.atom < 0 {
		return fmt.Errorf("%s repeats nothing", quantifier)
	}
	t.out.add(quantifier)
	switch {
	case t.take("?"):
		t.out.add("?")
	case t.take("+"):
		t.out.wrap(t.atom, "(?>", ")")
	}
	if t.rest != "" && strings.IndexByte("*+?{", t.rest[0]) >= 0 {
		return fmt.Errorf("%s with another quantifier behind it is not supported", quantifier)
	}
	t.atom = -1
	return nil
}
