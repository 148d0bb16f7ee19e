package app

import (
	"strconv"

	"github.com/mambac/mambac/runtime/model"
	"github.com/mambac/mambac/runtime/tokenizer"
)

// newEmitter chooses between text and ids.
func (s *session) newEmitter(m *artifact, o *runOptions) (emitter, error) {
	if o.print == "ids" {
		return &idEmitter{printer: printer{w: s.out}}, nil
	}
	t, err := m.text()
	if err != nil {
		return nil, err
	}
	return &textEmitter{tokenizer: t, printer: printer{w: s.out, escape: s.terminal}}, nil
}

// textEmitter prints whole characters, without special tokens.
type textEmitter struct {
	tokenizer *tokenizer.Tokenizer
	printer
	text []byte
}

func (e *textEmitter) echo(ids []int, text string) error {
	if text != "" {
		return e.print([]byte(text))
	}
	var list []int32
	for _, id := range ids {
		list = append(list, int32(id))
	}
	return e.print(e.tokenizer.AppendDecode(nil, list, true))
}

func (e *textEmitter) token(t model.Token) error {
	e.text = append(e.text[:0], t.Text...)
	return e.print(e.text)
}

func (e *textEmitter) endToken(t model.Token) error { return e.token(t) }

func (e *textEmitter) end() error { return e.endLine() }

// idEmitter prints decimal ids with single spaces between them.
type idEmitter struct {
	printer
	text []byte
	some bool
}

func (e *idEmitter) echo(ids []int, _ string) error {
	for _, id := range ids {
		if err := e.id(id); err != nil {
			return err
		}
	}
	return nil
}

func (e *idEmitter) token(t model.Token) error { return e.id(t.ID) }

func (e *idEmitter) id(id int) error {
	e.text = e.text[:0]
	if e.some {
		e.text = append(e.text, ' ')
	}
	e.some = true
	e.text = strconv.AppendInt(e.text, int64(id), 10)
	return e.print(e.text)
}

func (*idEmitter) endToken(model.Token) error { return nil }

func (e *idEmitter) end() error { return e.print([]byte{'\n'}) }
