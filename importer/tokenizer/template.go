package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
)

// templateProcessing puts tokens around a text. The template for pairs of
// texts is of no use to a language model.
type templateProcessing struct {
	Type          string          `json:"type"`
	Single        []piece         `json:"single"`
	Pair          json.RawMessage `json:"pair"`
	SpecialTokens map[string]struct {
		ID     string   `json:"id"`
		IDs    []int32  `json:"ids"`
		Tokens []string `json:"tokens"`
	} `json:"special_tokens"`
}

// piece is a special token or the text; exactly one of them is set.
type piece struct {
	SpecialToken *pieceID
	Sequence     *pieceID
}

type pieceID struct {
	ID     string `json:"id"`
	TypeID int    `json:"type_id"`
}

// template returns the ids that go before and after a text.
func template(part json.RawMessage) (prefix, suffix []int32, err error) {
	parts, err := flatten(part, "processors", 0)
	if err != nil {
		return nil, nil, err
	}
	found := false
	for _, p := range parts {
		switch name, _ := typeOf(p); name {
		case "ByteLevel": // moves offsets only
			if err := decode(p, new(byteLevel)); err != nil {
				return nil, nil, err
			}
		case "TemplateProcessing":
			if found {
				return nil, nil, errors.New("more than one TemplateProcessing")
			}
			found = true
			if prefix, suffix, err = parseTemplate(p); err != nil {
				return nil, nil, fmt.Errorf("TemplateProcessing: %w", err)
			}
		default:
			return nil, nil, unknown(name, "ByteLevel", "TemplateProcessing", "Sequence")
		}
	}
	return prefix, suffix, nil
}

func parseTemplate(part json.RawMessage) (prefix, suffix []int32, err error) {
	var t templateProcessing
	if err := decode(part, &t); err != nil {
		return nil, nil, err
	}
	seen := false
	for _, p := range t.Single {
		switch {
		case p.Sequence != nil && p.SpecialToken == nil:
			if seen || p.Sequence.ID != "A" {
				return nil, nil, fmt.Errorf("single has the sequence %q, want A, once", p.Sequence.ID)
			}
			seen = true
		case p.SpecialToken != nil && p.Sequence == nil:
			token, ok := t.SpecialTokens[p.SpecialToken.ID]
			if !ok {
				return nil, nil, fmt.Errorf("special_tokens lacks %q", p.SpecialToken.ID)
			}
			if seen {
				suffix = append(suffix, token.IDs...)
			} else {
				prefix = append(prefix, token.IDs...)
			}
		default:
			return nil, nil, errors.New("a piece of single is neither SpecialToken nor Sequence")
		}
	}
	if !seen {
		return nil, nil, errors.New("single lacks the sequence A")
	}
	return prefix, suffix, nil
}
