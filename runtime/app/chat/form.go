package chat

import (
	"errors"
	"slices"

	"github.com/mambac/mambac/runtime/template"
	"github.com/mambac/mambac/runtime/tokenizer"
)

// Roles of messages.
const (
	system    = "system"
	user      = "user"
	assistant = "assistant"
)

// message is a part of a conversation.
type message struct {
	role, text string
	// ids are those that the model has written, where the text goes on behind them;
	// nil for what the text is encoded as.
	ids []int32
}

// form is how a conversation is written for the model.
type form interface {
	// ids is the messages of a conversation; asking, with the words that an answer
	// begins behind; behind a state, as those that follow an answer.
	ids(list []message, asking, behind bool) ([]int32, error)
	// goesOn reports whether a message without text says something: go on.
	goesOn() bool
}

// templated is conversations as the checkpoint's template writes them.
type templated struct {
	tokenizer *tokenizer.Tokenizer
	template  *template.Template
}

func (*templated) goesOn() bool { return false }

// opening stands for a conversation that has been read and that nobody knows.
var opening = []message{{role: user, text: "a"}, {role: assistant, text: "b"}}

func (f *templated) ids(list []message, asking, behind bool) ([]int32, error) {
	if !behind {
		return f.write(list, asking)
	}
	head, err := f.write(opening, false)
	if err != nil {
		return nil, err
	}
	all, err := f.write(slices.Concat(opening, list), asking)
	if err != nil {
		return nil, err
	}
	if len(all) < len(head) || !slices.Equal(all[:len(head)], head) {
		return nil, errors.New("the chat template writes earlier messages otherwise when others follow, so that it cannot go on behind a state; --plain can")
	}
	return all[len(head):], nil
}

// write has the template write messages. It writes special tokens itself.
func (f *templated) write(list []message, asking bool) ([]int32, error) {
	var values []template.Value
	for _, m := range list {
		values = append(values, template.Message(m.role, m.text))
	}
	text, err := f.template.Render(template.Input{Messages: template.List(values...), AddGenerationPrompt: asking})
	if err != nil {
		return nil, err
	}
	return f.tokenizer.AppendEncode(nil, text, false)
}

// plain is one text that goes on.
type plain struct {
	tokenizer *tokenizer.Tokenizer
	first     []int32 // stands for an empty text
}

func (*plain) goesOn() bool { return true }

func (f *plain) ids(list []message, _, behind bool) ([]int32, error) {
	var ids []int32
	for i, m := range list {
		if m.ids != nil {
			ids = append(ids, m.ids...)
			continue
		}
		var err error
		if ids, err = f.tokenizer.AppendEncode(ids, m.text, i == 0 && !behind); err != nil {
			return nil, err
		}
		if len(ids) == 0 && !behind {
			ids = append(ids, f.first...)
		}
	}
	return ids, nil
}
