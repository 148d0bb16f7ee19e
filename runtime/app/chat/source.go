package chat

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/mambac/mambac/runtime/app"
	"github.com/mambac/mambac/runtime/terminal"
)

// enter begins to take messages from the terminal, or from whatever else the program
// reads; leave gives the terminal back.
func (t *talk) enter(s *app.Session) (leave func() error) {
	interrupts := make(chan os.Signal, 8)
	if sits(s) { // before the terminal is altered, so that no signal leaves it so
		signal.Notify(interrupts, append([]os.Signal{os.Interrupt}, terminal.Ends...)...)
	}
	f, restore := keyboard(s)
	if f == nil {
		signal.Stop(interrupts)
		t.in = newLines(s.Context, s.In)
		return func() error { return nil }
	}
	t.people, t.interrupts, t.ctx = true, interrupts, context.WithoutCancel(s.Context)
	t.note("%s: /help lists commands, Ctrl-D ends", t.meta.Name)
	if restore == nil {
		l := newLines(t.ctx, s.In)
		l.out, l.interrupts = s.Out, interrupts
		t.in = l
		return func() error { signal.Stop(interrupts); return nil }
	}
	e := terminal.New(s.Out, func() (columns, rows int) { return terminal.Size(f) })
	e.In, e.Interrupts = terminal.Chunks(f), interrupts
	t.in = t.newEdited(e)
	_, err := io.WriteString(s.Out, terminal.PasteOn)
	return func() error {
		defer signal.Stop(interrupts)
		_, off := io.WriteString(s.Out, terminal.PasteOff)
		return errors.Join(err, off, restore())
	}
}

// sits reports whether somebody may sit at a terminal.
func sits(s *app.Session) bool {
	f, ok := s.In.(*os.File)
	return ok && s.Terminal && characters(f)
}

// keyboard is the terminal that somebody sits at, if there is one, and what makes
// it as it was; restore is nil where the system edits lines.
func keyboard(s *app.Session) (f *os.File, restore func() error) {
	if !sits(s) {
		return nil, nil
	}
	f = s.In.(*os.File)
	restore, err := terminal.Raw(f)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return f, nil
	case err != nil: // a device, but no terminal
		return nil, nil
	case os.Getenv("TERM") == "dumb" && restore() == nil:
		return f, nil
	}
	return f, restore
}

// characters reports whether a file may be a terminal.
func characters(f *os.File) bool {
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}

// edited is messages that are edited in a terminal.
type edited struct {
	editor  *terminal.Editor
	history *history // nil for none
	failed  func(error)
}

func (t *talk) newEdited(e *terminal.Editor) *edited {
	s := &edited{editor: e}
	s.failed = func(err error) {
		s.history = nil
		t.note("(what is typed will not be kept: %v)", err)
	}
	if t.options.noHistory {
		return s
	}
	path, err := historyPath()
	if err == nil {
		s.history, err = openHistory(path)
	}
	if err != nil {
		s.failed(err)
		return s
	}
	for _, line := range s.history.lines {
		e.Remember(line)
	}
	return s
}

func (s *edited) message(prompt string) (string, error) {
	text, err := s.editor.Line(prompt)
	if err != nil || strings.TrimSpace(text) == "" {
		return text, err
	}
	s.editor.Remember(text)
	if s.history != nil {
		if err := s.history.add(text); err != nil {
			s.failed(err)
		}
	}
	return text, nil
}

// lines is messages of a line each.
type lines struct {
	ctx        context.Context
	next       <-chan line
	out        io.Writer        // of prompts; nil for none
	interrupts <-chan os.Signal // nil: they end ctx
}

// line is what was read, or why there is nothing more.
type line struct {
	text string
	err  error
}

// newLines reads ahead by a line: a read cannot be interrupted.
func newLines(ctx context.Context, r io.Reader) *lines {
	next := make(chan line)
	go func() {
		in := bufio.NewReader(r)
		for {
			text, err := in.ReadString('\n')
			if text != "" {
				next <- line{text: strings.ToValidUTF8(strings.TrimRight(text, "\r\n"), "\ufffd")}
			}
			if err != nil {
				next <- line{err: err}
				return
			}
		}
	}()
	return &lines{ctx: ctx, next: next}
}

func (l *lines) message(prompt string) (string, error) {
	if l.out != nil {
		if _, err := io.WriteString(l.out, prompt); err != nil {
			return "", err
		}
	}
	select {
	case <-l.ctx.Done():
		return "", l.ctx.Err()
	case s := <-l.interrupts:
		if s != os.Interrupt {
			return "", io.EOF
		}
		return "", terminal.ErrInterrupt
	case n := <-l.next:
		return n.text, n.err
	}
}
