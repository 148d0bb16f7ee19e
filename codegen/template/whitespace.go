package template

import (
	"strings"
	"unicode"

	"github.com/nikolalohinski/gonja/v2/tokens"
)

// trim removes the white space that Jinja removes with trim_blocks and
// lstrip_blocks on, as Hugging Face has them, or where a hyphen asks for it.
// gonja's lexer would remove blanks before every block, not only at the beginning
// of a line, so that is not left to it.
func trim(list []*tokens.Token) {
	for i, t := range list {
		if t.Type != tokens.Data || within(list, i, tokens.CommentBegin) {
			continue
		}
		newLine := i == 0 // whether the text begins a line
		if i > 0 {
			t.Val, newLine = trimStart(t.Val, list[i-1], isRaw(list, i))
		}
		if i+1 < len(list) {
			t.Val = trimEnd(t.Val, list[i+1], newLine)
		}
	}
}

// within reports whether a token lies directly behind one of a type.
func within(list []*tokens.Token, i int, kind tokens.Type) bool {
	return i > 0 && list[i-1].Type == kind
}

// isRaw reports whether the text at i is that of a raw block, whose beginning
// removes no line end.
func isRaw(list []*tokens.Token, i int) bool {
	return i >= 3 && list[i-2].Type == tokens.Name && list[i-2].Val == "raw" && list[i-3].Type == tokens.BlockBegin
}

// trimStart removes what the token before asks for, and reports whether the text
// that is left begins a line.
func trimStart(text string, before *tokens.Token, raw bool) (left string, newLine bool) {
	if strings.HasPrefix(before.Val, "-") {
		left = strings.TrimLeftFunc(text, isSpace)
		return left, len(left) < len(text) && text[len(text)-len(left)-1] == '\n'
	}
	isBlock := before.Type == tokens.BlockEnd && !raw || before.Type == tokens.CommentEnd
	if isBlock && !strings.HasPrefix(before.Val, "+") && strings.HasPrefix(text, "\n") {
		return text[1:], true
	}
	return text, false
}

// trimEnd removes what the token behind asks for.
func trimEnd(text string, behind *tokens.Token, newLine bool) string {
	if strings.HasSuffix(behind.Val, "-") {
		return strings.TrimRightFunc(text, isSpace)
	}
	if behind.Type != tokens.BlockBegin && behind.Type != tokens.CommentBegin || strings.HasSuffix(behind.Val, "+") {
		return text
	}
	start := strings.LastIndexByte(text, '\n') + 1
	if (start > 0 || newLine) && strings.TrimFunc(text[start:], isSpace) == "" {
		return text[:start]
	}
	return text
}

// isSpace is Python's white space.
func isSpace(c rune) bool { return unicode.IsSpace(c) || c >= 0x1c && c <= 0x1f }
