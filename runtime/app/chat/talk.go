package chat

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mambac/mambac/runtime/app"
	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/payload"
	"github.com/mambac/mambac/runtime/snapshot"
	"github.com/mambac/mambac/runtime/terminal"
	"github.com/mambac/mambac/runtime/tokenizer"
)

// talk is the conversations of one run of the command.
type talk struct {
	options   *options
	form      form
	engine    *engine.Engine
	codec     *snapshot.Codec
	meta      *payload.Metadata
	tokenizer *tokenizer.Tokenizer

	ctx        context.Context
	in         source
	out, notes io.Writer
	escape     bool             // out is a terminal
	people     bool             // somebody sits there: errors are told, and it goes on
	interrupts <-chan os.Signal // nil: they end ctx
	over       bool             // a signal asks for the end

	*branch  // the one at hand
	branches []*branch
	stats    stats
}

// source is where messages come from.
type source interface {
	// message waits for one, behind a prompt; io.EOF when there are no more, and
	// terminal.ErrInterrupt for an interrupt instead.
	message(prompt string) (string, error)
}

// errQuit is the end that somebody asks for.
var errQuit = errors.New("quit")

// errOutput is a failure to print, which ends the program.
type errOutput struct{ error }

func (e errOutput) Unwrap() error { return e.error }

func newTalk(s *app.Session, o *options, m *app.Running) (*talk, error) {
	f, err := o.form(s.Compiled.Chat, m.Artifact)
	if err != nil {
		return nil, err
	}
	t := &talk{
		options: o, form: f, engine: m.Engine, codec: snapshot.New(m.Meta, m.Engine.Shape(), m.Engine), meta: m.Meta, tokenizer: m.Tokenizer,
		ctx: s.Context, out: s.Out, notes: s.Err, escape: s.Terminal,
	}
	base := t.codec.Fresh()
	if o.state != "" {
		if base, err = t.codec.Load(o.state); err != nil {
			return nil, err
		}
	}
	t.branch = &branch{name: "main", reading: newReading(t.engine, base)}
	t.branches = []*branch{t.branch}
	if o.system != "" {
		t.messages = []message{{role: system, text: o.system}}
	}
	return t, t.continuable()
}

// continuable tells of a state that the template cannot go on behind.
func (t *talk) continuable() error {
	if !t.behind() {
		return nil
	}
	_, err := t.form.ids([]message{{role: user}}, true, true)
	return err
}

// run takes messages until there are no more.
func (t *talk) run() error {
	interrupted := false
	for {
		text, err := t.in.message(t.prompt())
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, terminal.ErrInterrupt):
			if interrupted {
				return nil
			}
			interrupted = true
			t.note("(Ctrl-C again, or Ctrl-D, ends the program)")
			continue
		case err != nil:
			return err
		}
		interrupted = false
		if err := t.take(text); errors.Is(err, errQuit) {
			return nil
		} else if t.ends(err) {
			return err
		} else if err != nil {
			t.note("error: %v", err)
		}
		if t.over {
			return nil
		}
	}
}

// ends reports whether an error is not one to go on behind.
func (t *talk) ends(err error) bool {
	return err != nil && (!t.people || errors.As(err, new(errOutput)) || t.ctx.Err() != nil)
}

// prompt asks for a message.
func (t *talk) prompt() string {
	if len(t.branches) == 1 {
		return "> "
	}
	return t.branch.name + "> "
}

// take does what a line asks for.
func (t *talk) take(text string) error {
	rest, command := strings.CutPrefix(text, "/")
	switch {
	case command && !strings.HasPrefix(rest, "/"):
		return t.command(rest)
	case command: // a message that begins with one
		text = rest
	case strings.TrimSpace(text) == "" && !t.form.goesOn():
		return nil
	}
	return t.say(text)
}

// say adds a message to the conversation and has it answered. One that has no
// answer, because that was stopped before its first word, is taken back.
func (t *talk) say(text string) error {
	before := t.messages
	t.messages = append(before[:len(before):len(before)], message{role: user, text: text})
	answered, err := t.answer()
	if !answered {
		t.messages = before
		if err == nil {
			t.note("(nothing was answered: the message is taken back)")
		}
	}
	return err
}

// note tells the user something that is not the model's.
func (t *talk) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if t.escape {
		text = app.Escaped(text)
	}
	fmt.Fprintln(t.notes, text)
}
