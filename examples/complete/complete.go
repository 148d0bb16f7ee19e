package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/mambac/mambac/examples/complete/gomamba"
)

// settings is what the flags say.
type settings struct {
	tokens      int
	temperature float64
	seed        uint64
	until       until
}

// complete prints what may follow the first offset bytes of a source.
func complete(ctx context.Context, source []byte, offset int, s settings, w io.Writer) error {
	prompt, err := before(source, offset)
	if err != nil {
		return err
	}
	model, err := gomamba.Open()
	if err != nil {
		return err
	}
	defer model.Close()
	session := model.NewSession()
	end := ending{until: s.until}
	for token, err := range session.Generate(ctx, prompt, s.options()...) {
		if err != nil {
			return err
		}
		text, over := end.take(token.Text)
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
		if over {
			break
		}
	}
	_, err = io.WriteString(w, "\n")
	return err
}

func (s *settings) options() []gomamba.GenerateOption {
	opts := []gomamba.GenerateOption{gomamba.MaxTokens(s.tokens), gomamba.Temperature(s.temperature), gomamba.Seed(s.seed)}
	if stop := s.until.stop(); stop != "" {
		opts = append(opts, gomamba.Stop(stop))
	}
	return opts
}

// contextBytes is how much of the source is read: some more than the windows
// that the model was trained on.
const contextBytes = 4096

// before is the source up to the offset, or as many whole lines of it as the
// model makes use of.
func before(source []byte, offset int) (string, error) {
	if offset < 0 || offset > len(source) {
		return "", fmt.Errorf("offset %d: want 0 to %d, the length of the source", offset, len(source))
	}
	if offset < len(source) && !utf8.RuneStart(source[offset]) {
		return "", fmt.Errorf("offset %d: lies within a character", offset)
	}
	text := source[:offset]
	if len(text) > contextBytes {
		text = text[len(text)-contextBytes:]
		text = text[bytes.IndexByte(text, '\n')+1:]
	}
	return string(text), nil
}
