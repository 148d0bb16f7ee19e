// Package terminal has lines edited on a terminal: keys in, drawings out; it sees
// nothing of ours.
package terminal

import (
	"errors"
	"io"
	"os"
)

// ErrInterrupt is an interrupt while a line is empty.
var ErrInterrupt = errors.New("interrupted")

// Editor has lines edited, one after the other. Between two of them the terminal
// is the caller's.
type Editor struct {
	// In brings what is typed; closed, there is no more.
	In <-chan []byte
	// Interrupts brings signals: an interrupt drops the line, others are the end.
	Interrupts <-chan os.Signal

	out     io.Writer
	size    func() (columns, rows int)
	keys    keys
	prompt  []rune
	line    []rune
	at      int // the cursor is before this character
	below   int // rows from where the drawing begins to the cursor
	top     int // the row of the line that is drawn first
	drawing []byte

	history []string
	shown   int    // the line of the history, or behind it the one that is written
	written string // while another is shown
}

// New is an editor on a terminal of a size, which may change.
func New(out io.Writer, size func() (columns, rows int)) *Editor {
	return &Editor{out: out, size: size}
}

// Remember adds a line to those that arrow up brings back.
func (e *Editor) Remember(line string) {
	if n := len(e.history); n == 0 || e.history[n-1] != line {
		e.history = append(e.history, line)
	}
}

// Line has a line edited behind a prompt: one row, unless line ends were
// pasted or typed with Alt-Enter. The error is io.EOF at the end of all
// input, ErrInterrupt, or one of the terminal.
func (e *Editor) Line(prompt string) (string, error) {
	e.prompt = []rune(prompt)
	e.begin()
	for {
		line, over, err := e.edit()
		if over || err != nil {
			return line, err
		}
		if err := e.draw(); err != nil {
			return "", err
		}
		select {
		case bytes, more := <-e.In:
			if !more {
				return "", errors.Join(e.leave(), io.EOF)
			}
			e.keys.add(bytes)
		case s := <-e.Interrupts:
			empty := len(e.line) == 0
			if err := e.leave(); err != nil {
				return "", err
			}
			switch {
			case s != os.Interrupt:
				return "", io.EOF
			case empty:
				return "", ErrInterrupt
			}
			e.begin()
		}
	}
}

// begin is an empty line.
func (e *Editor) begin() {
	e.line, e.at, e.shown, e.written = nil, 0, len(e.history), ""
}

// edit does what the keys ask for that are there, and reports whether the line is
// over.
func (e *Editor) edit() (line string, over bool, err error) {
	for {
		k, ok := e.keys.next()
		switch {
		case !ok:
			return "", false, nil
		case k == keyEnter:
			return string(e.line), true, e.leave()
		case k == keyEnd && len(e.line) == 0:
			if err := e.leave(); err != nil {
				return "", true, err
			}
			return "", true, io.EOF
		}
		e.press(k)
	}
}

// Chunks reads ahead: a read of a terminal cannot be interrupted. It waits with
// what it has until that is taken.
func Chunks(r io.Reader) <-chan []byte {
	c := make(chan []byte)
	go func() {
		defer close(c)
		for {
			b := make([]byte, 4096)
			n, err := r.Read(b)
			if n > 0 {
				c <- b[:n]
			}
			if err != nil {
				return
			}
		}
	}()
	return c
}

// What has a terminal mark text that is pasted, or no more.
const (
	PasteOn  = "\x1b[?2004h"
	PasteOff = "\x1b[?2004l"
)
