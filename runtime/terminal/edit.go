package terminal

import (
	"slices"
	"unicode"
)

// longestLine bounds what can be typed or pasted.
const longestLine = 1 << 20

// press does what a key asks for. Enter and the end are not its own.
func (e *Editor) press(k key) {
	switch k {
	case keyLeft:
		e.at = e.left()
	case keyRight:
		e.at = e.right()
	case keyWordLeft:
		e.at = e.wordLeft()
	case keyWordRight:
		e.at = e.wordRight()
	case keyFirst:
		e.at = 0
	case keyLast:
		e.at = len(e.line)
	case keyUp:
		e.recall(e.shown - 1)
	case keyDown:
		e.recall(e.shown + 1)
	case keyClear:
		e.clear()
	case keyNone, keyEnter:
	default:
		e.change(k)
	}
}

// change is press for keys that change the line.
func (e *Editor) change(k key) {
	switch k {
	case keyBackspace:
		e.remove(e.left(), e.at)
	case keyDelete, keyEnd:
		e.remove(e.at, e.right())
	case keyDeleteWord:
		e.remove(e.wordLeft(), e.at)
	case keyDeleteNextWord:
		e.remove(e.at, e.wordRight())
	case keyDeleteToFirst:
		e.remove(0, e.at)
	case keyDeleteToLast:
		e.remove(e.at, len(e.line))
	default:
		e.insert(rune(k))
	}
}

func (e *Editor) insert(r rune) {
	if len(e.line) >= longestLine {
		e.put("\a")
		return
	}
	e.line = slices.Insert(e.line, e.at, r)
	e.at++
}

func (e *Editor) remove(from, to int) {
	e.line = slices.Delete(e.line, from, to)
	e.at = from
}

// left is the place before the character that the cursor is behind, with what is
// drawn on it.
func (e *Editor) left() int {
	at := max(0, e.at-1)
	for at > 0 && joins(e.line[at]) {
		at--
	}
	return at
}

// right is the place behind the character that the cursor is before.
func (e *Editor) right() int {
	at := min(len(e.line), e.at+1)
	for at < len(e.line) && joins(e.line[at]) {
		at++
	}
	return at
}

// wordLeft is where the word before the cursor begins.
func (e *Editor) wordLeft() int {
	at := e.at
	for at > 0 && unicode.IsSpace(e.line[at-1]) {
		at--
	}
	for at > 0 && !unicode.IsSpace(e.line[at-1]) {
		at--
	}
	return at
}

// wordRight is where the word behind the cursor ends.
func (e *Editor) wordRight() int {
	at := e.at
	for at < len(e.line) && unicode.IsSpace(e.line[at]) {
		at++
	}
	for at < len(e.line) && !unicode.IsSpace(e.line[at]) {
		at++
	}
	return at
}

// recall shows a line of the history; behind the last is the one that is being
// written.
func (e *Editor) recall(n int) {
	if n < 0 || n > len(e.history) {
		return
	}
	if e.shown == len(e.history) {
		e.written = string(e.line)
	}
	e.shown = n
	text := e.written
	if n < len(e.history) {
		text = e.history[n]
	}
	e.line = []rune(text)
	e.at = len(e.line)
}
