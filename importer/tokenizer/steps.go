package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/mambac/mambac/runtime/tokenizer"
)

func normalizers(part json.RawMessage) ([]tokenizer.Normalizer, error) {
	parts, err := flatten(part, "normalizers", 0)
	if err != nil {
		return nil, err
	}
	var steps []tokenizer.Normalizer
	for _, p := range parts {
		name, err := typeOf(p)
		if err != nil {
			return nil, err
		}
		if name != "NFC" {
			return nil, unknown(name, "NFC", "Sequence")
		}
		var nfc struct{ Type string }
		if err := decode(p, &nfc); err != nil {
			return nil, err
		}
		steps = append(steps, tokenizer.NFC{})
	}
	return steps, nil
}

// byteLevel is a step that occurs as pre-tokenizer, decoder and, only to
// correct offsets, as post-processor. TrimOffsets never changes ids.
type byteLevel struct {
	Type           string `json:"type"`
	AddPrefixSpace *bool  `json:"add_prefix_space"`
	TrimOffsets    *bool  `json:"trim_offsets"`
	UseRegex       *bool  `json:"use_regex"`
}

// parseByteLevel reads a step that must be ByteLevel.
func parseByteLevel(part json.RawMessage) (*byteLevel, error) {
	name, err := typeOf(part)
	if err != nil {
		return nil, err
	}
	if name != "ByteLevel" {
		return nil, unknown(name, "ByteLevel")
	}
	b := new(byteLevel)
	return b, decode(part, b)
}

// preTokenizers ends in exactly one ByteLevel: BPE has no other way to bytes.
func preTokenizers(part json.RawMessage) ([]tokenizer.PreTokenizer, error) {
	parts, err := flatten(part, "pretokenizers", 0)
	if err != nil {
		return nil, err
	}
	var steps []tokenizer.PreTokenizer
	for _, p := range parts {
		b, err := parseByteLevel(p)
		if err != nil {
			return nil, err
		}
		// The format's defaults, for files older than the keys.
		steps = append(steps, tokenizer.ByteLevel{
			AddPrefixSpace: b.AddPrefixSpace == nil || *b.AddPrefixSpace,
			UseRegex:       b.UseRegex == nil || *b.UseRegex,
		})
	}
	if len(steps) != 1 {
		return nil, fmt.Errorf("%d steps of type \"ByteLevel\", want one", len(steps))
	}
	return steps, nil
}

// checkDecoder wants the decoder that matches the pre-tokenizer.
func checkDecoder(part json.RawMessage) error {
	parts, err := flatten(part, "decoders", 0)
	if err != nil {
		return err
	}
	for _, p := range parts {
		if _, err := parseByteLevel(p); err != nil {
			return err
		}
	}
	if len(parts) != 1 {
		return fmt.Errorf("%d steps of type \"ByteLevel\", want one", len(parts))
	}
	return nil
}

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
			if _, err := parseByteLevel(p); err != nil {
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
