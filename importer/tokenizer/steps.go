package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/mambac/mambac/runtime/tokenizer"
)

// byteLevel is a step that occurs as pre-tokenizer, decoder and, only to
// correct offsets, as post-processor. TrimOffsets never changes ids.
type byteLevel struct {
	Type           string `json:"type"`
	AddPrefixSpace *bool  `json:"add_prefix_space"`
	TrimOffsets    *bool  `json:"trim_offsets"`
	UseRegex       *bool  `json:"use_regex"`
}

// parsers holds, for each type of step that a part of the file may have, what
// reads it.
type parsers[S any] map[string]func(part json.RawMessage) (S, error)

// steps reads the steps of a part of the file, whose Sequence keeps them under
// a key.
func (p parsers[S]) steps(part json.RawMessage, key string) ([]S, error) {
	parts, err := flatten(part, key, 0)
	if err != nil {
		return nil, err
	}
	var steps []S
	for _, part := range parts {
		name, err := typeOf(part)
		if err != nil {
			return nil, err
		}
		parse := p[name]
		if parse == nil {
			return nil, unknown(name, append(slices.Collect(maps.Keys(p)), "Sequence")...)
		}
		step, err := parse(part)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		steps = append(steps, step)
	}
	return steps, nil
}

// Steps lists what a tokenizer.json may be made of, each type behind its part.
func Steps() []string {
	var list []string
	for part, names := range map[string][]string{
		"normalizer": slices.Collect(maps.Keys(normalizers)), "pre_tokenizer": slices.Collect(maps.Keys(preTokenizers)),
		"model": slices.Collect(maps.Keys(models)), "decoder": slices.Collect(maps.Keys(decoderTypes)),
		"post_processor": {"ByteLevel", "TemplateProcessing"},
	} {
		for _, name := range names {
			list = append(list, part+" "+name)
		}
	}
	slices.Sort(list)
	return list
}

// plain reads a step that has nothing but its type.
func plain[S any](step S) func(json.RawMessage) (S, error) {
	return func(part json.RawMessage) (S, error) {
		var fields struct {
			Type string `json:"type"`
		}
		return step, decode(part, &fields)
	}
}

// pattern is what Split and Replace look for: exactly one of the two.
type pattern struct {
	String *string
	Regex  *string
}

func (p *pattern) expression() (tokenizer.Expression, error) {
	switch {
	case p.String != nil && p.Regex == nil:
		return tokenizer.Literal(*p.String)
	case p.Regex != nil && p.String == nil:
		return tokenizer.Regular(*p.Regex)
	}
	return tokenizer.Expression{}, errors.New("pattern has neither String nor Regex, or both")
}

// oneRune returns the only character of a text.
func oneRune(name, text string) (rune, error) {
	r, n := utf8.DecodeRuneInString(text)
	if n == 0 || n < len(text) || r == utf8.RuneError {
		return 0, fmt.Errorf("%s is %q, want one character", name, text)
	}
	return r, nil
}

// checkText bounds a text of a step.
func checkText(name, text string) error {
	if len(text) > tokenizer.MaxText {
		return fmt.Errorf("%s has %d bytes, want at most %d", name, len(text), tokenizer.MaxText)
	}
	return nil
}
