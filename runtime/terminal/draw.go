package terminal

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// sheet is a text on the rows of a terminal.
type sheet struct {
	rows        [][]rune
	row, column int // of the cursor
}

// lay puts a text on rows of a width, with the cursor before character at. A row
// ends where the next character does not fit, so a wide one may leave a column.
func lay(text []rune, at, width int) sheet {
	var s sheet
	var row []rune
	used := 0
	next := func() {
		s.rows = append(s.rows, row)
		row, used = nil, 0
	}
	for i, r := range text {
		n := columns(r)
		if r != '\n' && used > 0 && used+n > width {
			next()
		}
		if i == at {
			s.row, s.column = len(s.rows), used
		}
		switch r {
		case '\n':
			next()
		case '\t':
			row, used = append(row, []rune(strings.Repeat(" ", tab))...), used+n
		default:
			row, used = append(row, shown(r)), used+n
		}
	}
	if at == len(text) {
		if used >= width {
			next()
		}
		s.row, s.column = len(s.rows), used
	}
	next()
	return s
}

// shown is a character as it may go to a terminal.
func shown(r rune) rune {
	if unicode.IsControl(r) {
		return unicode.ReplacementChar
	}
	return r
}

// draw shows the line anew, in place of what was shown last. Of one with more rows
// than the terminal has it shows those around the cursor.
func (e *Editor) draw() error {
	width, height := e.size()
	s := lay(slices.Concat(e.prompt, e.line), len(e.prompt)+e.at, width)
	e.top = min(max(e.top, s.row-height+1), s.row)
	bottom := min(e.top+height, len(s.rows))
	e.top = max(0, min(e.top, bottom-height))
	e.up()
	for i, row := range s.rows[e.top:bottom] {
		if i > 0 {
			e.put("\r\n")
		}
		e.put("%s", string(row))
	}
	e.below = s.row - e.top
	if n := bottom - 1 - s.row; n > 0 {
		e.put("\x1b[%dA", n)
	}
	e.put("\r")
	if s.column > 0 {
		e.put("\x1b[%dC", s.column)
	}
	return e.flush()
}

// up goes to where the drawing begins, and clears all from there.
func (e *Editor) up() {
	if e.below > 0 {
		e.put("\x1b[%dA", e.below)
	}
	e.put("\r\x1b[J")
}

func (e *Editor) put(format string, args ...any) { e.drawing = fmt.Appendf(e.drawing, format, args...) }

// flush writes a drawing in one piece, so that nobody sees half of it.
func (e *Editor) flush() error {
	_, err := e.out.Write(e.drawing)
	e.drawing = e.drawing[:0]
	return err
}

// leave puts the cursor on a row of its own below the line.
func (e *Editor) leave() error {
	e.at = len(e.line)
	err := e.draw()
	if err == nil {
		e.put("\r\n")
		err = e.flush()
	}
	e.below, e.top = 0, 0
	return err
}

// clear empties the terminal and shows the line at its top.
func (e *Editor) clear() {
	e.put("\x1b[H\x1b[2J")
	e.below = 0
}
