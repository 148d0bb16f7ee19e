package template

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nikolalohinski/gonja/v2/config"
	"github.com/nikolalohinski/gonja/v2/tokens"
)

// source is the text of a template: what errors point into, and where tokens
// take their content from.
type source struct {
	text  string
	lines []int // where they begin
}

// newSource reads line ends as Jinja does, and drops one at the end.
func newSource(text string) *source {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	s := &source{text: strings.TrimSuffix(text, "\n"), lines: []int{0}}
	for i := range len(s.text) {
		if s.text[i] == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	return s
}

// line is the number of the line that a place is in.
func (s *source) line(pos int) int {
	i, found := slices.BinarySearch(s.lines, pos)
	if found {
		i++
	}
	return i
}

// errorf is an error at a place of the template.
func (s *source) errorf(pos int, format string, args ...any) error {
	return fmt.Errorf("line %d: %s", s.line(pos), fmt.Sprintf(format, args...))
}

// lexTries bounds how often a template is given to the lexer; every try after
// the first mends one literal.
const lexTries = 100

// tokens gives the tokens of the template. gonja's lexer finds them; what they
// contain is read here, from the places that it found, because it takes some
// texts with backslashes for longer than they are, and keeps characters that it
// does not know within the token behind. For the first, the lexer is shown the
// template with such texts blanked out.
func (s *source) tokens() ([]*tokens.Token, error) {
	shown := []byte(s.text)
	blankBeforeNames(shown)
	mended := map[int]bool{}
	for range lexTries {
		list, missed, err := s.read(lex(string(shown)))
		if err != nil {
			return nil, err
		}
		if missed == "" {
			trim(list)
			return list, nil
		}
		start := len(s.text) - len(missed)
		if mended[start] {
			return nil, s.errorf(start, "syntax: a text without an end")
		}
		mended[start] = true
		_, n, _ := unquote(missed)
		for i := start + 1; i < start+n-1; i++ {
			shown[i] = 'x'
		}
	}
	return nil, s.errorf(0, "more than %d texts with backslashes before a quote", lexTries)
}

// blankBeforeNames makes spaces of other white space between the beginning of a
// block and its name, where gonja's lexer knows nothing else.
func blankBeforeNames(text []byte) {
	for i := 0; i+2 < len(text); i++ {
		if text[i] != '{' || text[i+1] != '%' {
			continue
		}
		if i += 2; text[i] == '-' || text[i] == '+' {
			i++
		}
		for ; i < len(text) && (text[i] == '\n' || text[i] == '\t'); i++ {
			text[i] = ' '
		}
	}
}

// lex lists gonja's tokens, white space among them: each ends where the next
// begins.
func lex(text string) []*tokens.Token {
	c := config.New()
	c.KeepTrailingNewline = true // one was dropped before
	lexer := tokens.NewLexer(text, c)
	go lexer.Run()
	var list []*tokens.Token
	for t := range lexer.Tokens {
		list = append(list, t)
	}
	return list
}

// read checks what the tokens contain, and leaves white space within blocks out.
// If the lexer has missed the end of a text literal, missed is the template from
// that literal on.
func (s *source) read(all []*tokens.Token) (list []*tokens.Token, missed string, err error) {
	end := 0 // of the token before
	for i, t := range all {
		if t.Type == tokens.Error { // perhaps that of a literal whose end was missed
			if _, _, ok := unquote(s.text[end:]); ok {
				return nil, s.text[end:], nil
			}
			return nil, "", s.errorf(end, "syntax: %s", t.Val)
		}
		end = s.end(all, i)
		raw := s.text[t.Pos:end]
		if t.Type != tokens.Data {
			raw = strings.TrimLeftFunc(raw, unicode.IsSpace)
			t.Pos = end - len(raw)
		}
		switch t.Type {
		case tokens.String:
			text, n, ok := unquote(raw)
			if !ok {
				return nil, "", s.errorf(t.Pos, "syntax: a text without an end, or with an escape that is not known")
			}
			if n < len(raw) {
				return nil, s.text[t.Pos:], nil
			}
			t.Val = text
		case tokens.Whitespace:
			if raw != "" {
				return nil, "", s.unexpected(t.Pos, raw)
			}
			continue
		default:
			if t.Val = raw; !known(t) {
				return nil, "", s.unexpected(t.Pos, raw)
			}
		}
		list = append(list, t)
	}
	return list, "", nil
}

// end is where a token ends: the next one begins there, but for errors, which lie
// anywhere.
func (s *source) end(all []*tokens.Token, i int) int {
	t := all[i]
	switch {
	case i+1 == len(all):
		return len(s.text)
	case all[i+1].Type == tokens.Error && t.Type != tokens.String:
		return min(t.Pos+len(t.Val), len(s.text))
	}
	return max(all[i+1].Pos, t.Pos)
}

func (s *source) unexpected(pos int, text string) error {
	_, size := utf8.DecodeRuneInString(text)
	return s.errorf(pos, "syntax: %q is not expected", text[:size])
}

// operators are all that are known.
var operators = strings.Fields("+ = : , / . == // > >= { [ ( < <= % * != | ** } ] ) - ~")

// known reports whether a token is what its type says, with nothing swallowed.
func known(t *tokens.Token) bool {
	switch t.Type {
	case tokens.Data, tokens.EOF, tokens.BlockBegin, tokens.BlockEnd, tokens.VariableBegin, tokens.VariableEnd, tokens.CommentBegin, tokens.CommentEnd:
		return true
	case tokens.Integer, tokens.Float:
		return true
	case tokens.Name, tokens.In, tokens.Is, tokens.And, tokens.Or, tokens.Not:
		return !strings.ContainsFunc(t.Val, func(c rune) bool { return c != '_' && !unicode.IsLetter(c) && !unicode.IsDigit(c) })
	}
	return slices.Contains(operators, t.Val)
}

// unquote reads the text literal that s begins with, and gives its length in s.
// Escapes are Python's.
func unquote(s string) (text string, length int, ok bool) {
	if s == "" || s[0] != '"' && s[0] != '\'' {
		return "", 0, false
	}
	var b strings.Builder
	for i := 1; i < len(s); {
		switch c := s[i]; {
		case c == s[0]:
			return b.String(), i + 1, true
		case c == '\\':
			n, ok := unescape(&b, s[i+1:])
			if !ok {
				return "", 0, false
			}
			i += 1 + n
		default:
			b.WriteByte(c)
			i++
		}
	}
	return "", 0, false
}

// simpleEscapes are those of one character.
var simpleEscapes = map[byte]string{
	'\n': "", '\\': `\`, '\'': `'`, '"': `"`,
	'a': "\a", 'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v",
}

// unescape writes what the escape stands for whose part behind the backslash s
// begins with, and gives the length of that part.
func unescape(b *strings.Builder, s string) (length int, ok bool) {
	if s == "" {
		return 0, false
	}
	if text, ok := simpleEscapes[s[0]]; ok {
		b.WriteString(text)
		return 1, true
	}
	digits, base, from := map[byte]int{'x': 2, 'u': 4, 'U': 8}[s[0]], 16, 1
	if s[0] >= '0' && s[0] <= '7' {
		from, base = 0, 8
		for digits = 1; digits < 3 && digits < len(s) && s[digits] >= '0' && s[digits] <= '7'; {
			digits++
		}
	}
	switch {
	case digits == 0 && s[0] != 'N':
		b.WriteByte('\\') // stays, as in Python
		return 0, true
	case digits == 0 || len(s) < from+digits:
		return 0, false
	}
	c, err := strconv.ParseUint(s[from:from+digits], base, 32)
	if err != nil || c > unicode.MaxRune || !utf8.ValidRune(rune(c)) {
		return 0, false
	}
	b.WriteRune(rune(c))
	return from + digits, true
}
