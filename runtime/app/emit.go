package app

import (
	"strconv"

	"github.com/mambac/mambac/runtime/model"
)

// newEmitter chooses between text and ids.
func (s *Session) newEmitter(a *Artifact, m *model.Model, o *runOptions) (emitter, error) {
	if o.print == "ids" {
		return &idEmitter{printer: printer{w: s.Out}}, nil
	}
	if m.Tokenizer() == nil {
		return nil, a.noTokenizer()
	}
	return &textEmitter{tokenizer: m.Tokenizer(), printer: printer{w: s.Out, escape: s.Terminal}}, nil
}

// textEmitter prints whole characters, without special tokens.
type textEmitter struct {
	tokenizer *model.Tokenizer
	printer
	text []byte
}

func (e *textEmitter) echo(ids []int, text string) error {
	if text == "" {
		var err error
		if text, err = e.tokenizer.Decode(ids); err != nil {
			return err
		}
	}
	return e.print([]byte(text))
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

// idBlock is how many bytes of ids are held back at most.
const idBlock = 1 << 16

func (e *idEmitter) echo(ids []int, _ string) error {
	for _, id := range ids {
		if err := e.add(id); err != nil {
			return err
		}
	}
	return e.flush()
}

func (e *idEmitter) token(t model.Token) error {
	if err := e.add(t.ID); err != nil {
		return err
	}
	return e.flush()
}

// add holds an id back until flush, or until there is a block of them: of a
// long text a write for each id takes longer than making the ids.
func (e *idEmitter) add(id int) error {
	if e.some {
		e.text = append(e.text, ' ')
	}
	e.some = true
	if e.text = strconv.AppendInt(e.text, int64(id), 10); len(e.text) < idBlock {
		return nil
	}
	return e.flush()
}

func (e *idEmitter) flush() error {
	err := e.print(e.text)
	e.text = e.text[:0]
	return err
}

func (*idEmitter) endToken(model.Token) error { return nil }

func (e *idEmitter) end() error {
	e.text = append(e.text, '\n')
	return e.flush()
}
