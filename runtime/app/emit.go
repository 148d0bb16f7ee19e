package app

import (
	"strconv"

	"github.com/mambac/mambac/runtime/tokenizer"
)

// newEmitter chooses between text and ids.
func (s *session) newEmitter(m *model, o *runOptions) (emitter, error) {
	if o.print == "ids" {
		return &idEmitter{printer: printer{w: s.out}}, nil
	}
	t, err := m.text()
	if err != nil {
		return nil, err
	}
	e := &textEmitter{
		tokenizer: t,
		decoder:   tokenizer.NewDecoder(t, true),
		printer:   printer{w: s.out, escape: s.terminal},
	}
	for _, stop := range o.stops {
		e.stops = append(e.stops, []byte(stop))
	}
	return e, nil
}

// textEmitter prints whole characters, without special tokens.
type textEmitter struct {
	tokenizer *tokenizer.Tokenizer
	decoder   *tokenizer.Decoder
	stopper
	printer
	text    []byte
	stopped bool
}

func (e *textEmitter) echo(ids []int32, text string) error {
	if text == "" {
		text = string(e.tokenizer.AppendDecode(nil, ids, true))
	}
	return e.print([]byte(text))
}

func (e *textEmitter) token(id int32) (bool, error) {
	e.text = e.decoder.Append(e.text[:0], id)
	var out []byte
	out, e.stopped = e.take(e.text)
	return e.stopped, e.print(out)
}

// end prints what was held back for a stop text or a character that never
// came.
func (e *textEmitter) end() error {
	if !e.stopped {
		e.text = e.decoder.Flush(e.text[:0])
		out, stopped := e.take(e.text)
		if err := e.print(out); err != nil {
			return err
		}
		if !stopped {
			if err := e.print(e.rest()); err != nil {
				return err
			}
		}
	}
	return e.endLine()
}

// idEmitter prints decimal ids with single spaces between them.
type idEmitter struct {
	printer
	text []byte
	some bool
}

func (e *idEmitter) echo(ids []int32, _ string) error {
	for _, id := range ids {
		if _, err := e.token(id); err != nil {
			return err
		}
	}
	return nil
}

func (e *idEmitter) token(id int32) (bool, error) {
	e.text = e.text[:0]
	if e.some {
		e.text = append(e.text, ' ')
	}
	e.some = true
	e.text = strconv.AppendInt(e.text, int64(id), 10)
	return false, e.print(e.text)
}

func (e *idEmitter) end() error { return e.print([]byte{'\n'}) }
