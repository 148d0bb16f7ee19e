package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/mambac/mambac/runtime/tokenizer"
)

// preTokenizers are the types that the part pre_tokenizer may have.
var preTokenizers = parsers[tokenizer.PreTokenizer]{
	"ByteLevel":       parseByteLevel,
	"Split":           parseSplit,
	"Digits":          parseDigits,
	"Punctuation":     parsePunctuation,
	"Whitespace":      plain[tokenizer.PreTokenizer](tokenizer.Whitespace{}),
	"WhitespaceSplit": plain[tokenizer.PreTokenizer](tokenizer.WhitespaceSplit{}),
	"Metaspace":       parseMetaspace,
}

// preTokenizerSteps reads the steps. Bytes have letters behind a ByteLevel, so
// there is at most one, and nothing behind it may make others.
func preTokenizerSteps(part json.RawMessage) ([]tokenizer.PreTokenizer, error) {
	steps, err := preTokenizers.steps(part, "pretokenizers")
	if err != nil {
		return nil, err
	}
	letters := false
	for _, s := range steps {
		_, marks := s.(tokenizer.Metaspace)
		switch {
		case letters && isByteLevel(s):
			return nil, errors.New("two steps of type \"ByteLevel\", want one")
		case letters && marks:
			return nil, errors.New("a step of type \"Metaspace\" behind \"ByteLevel\" is not supported")
		}
		letters = letters || isByteLevel(s)
	}
	return steps, nil
}

func isByteLevel(s tokenizer.PreTokenizer) bool {
	_, ok := s.(tokenizer.ByteLevel)
	return ok
}

func parseByteLevel(part json.RawMessage) (tokenizer.PreTokenizer, error) {
	var b byteLevel
	if err := decode(part, &b); err != nil {
		return nil, err
	}
	// The format's defaults, for files older than the keys.
	return tokenizer.ByteLevel{
		AddPrefixSpace: b.AddPrefixSpace == nil || *b.AddPrefixSpace,
		UseRegex:       b.UseRegex == nil || *b.UseRegex,
	}, nil
}

func parseSplit(part json.RawMessage) (tokenizer.PreTokenizer, error) {
	var s struct {
		Type     string  `json:"type"`
		Pattern  pattern `json:"pattern"`
		Behavior string  `json:"behavior"`
		Invert   bool    `json:"invert"`
	}
	if err := decode(part, &s); err != nil {
		return nil, err
	}
	behavior, err := behaviorOf(s.Behavior)
	if err != nil {
		return nil, err
	}
	x, err := s.Pattern.expression()
	return tokenizer.Split{Pattern: x, Behavior: behavior, Invert: s.Invert}, err
}

// behaviorOf returns a behaviour by the name that the file has for it.
func behaviorOf(name string) (tokenizer.Behavior, error) {
	names := [tokenizer.Behaviors]string{"Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous"}
	for b, n := range names {
		if n == name {
			return tokenizer.Behavior(b), nil
		}
	}
	return 0, fmt.Errorf("behavior is %q, want one of %q", name, names)
}

func parseDigits(part json.RawMessage) (tokenizer.PreTokenizer, error) {
	var d struct {
		Type       string `json:"type"`
		Individual bool   `json:"individual_digits"`
	}
	if err := decode(part, &d); err != nil {
		return nil, err
	}
	return tokenizer.Digits{Individual: d.Individual}, nil
}

func parsePunctuation(part json.RawMessage) (tokenizer.PreTokenizer, error) {
	p := struct {
		Type     string `json:"type"`
		Behavior string `json:"behavior"`
	}{Behavior: "Isolated"}
	if err := decode(part, &p); err != nil {
		return nil, err
	}
	behavior, err := behaviorOf(p.Behavior)
	return tokenizer.Punctuation{Behavior: behavior}, err
}

// metaspace is a step that occurs as pre-tokenizer and as decoder.
type metaspace struct {
	Type           string  `json:"type"`
	Replacement    string  `json:"replacement"`
	Mark           string  `json:"str_rep"` // the same, in older files
	AddPrefixSpace *bool   `json:"add_prefix_space"`
	PrependScheme  *string `json:"prepend_scheme"`
	Split          *bool   `json:"split"`
}

// parseMarks reads a Metaspace and returns its character and its scheme, whose
// default is that of the format.
func parseMarks(part json.RawMessage) (m *metaspace, r rune, scheme tokenizer.PrependScheme, err error) {
	m = new(metaspace)
	if err := decode(part, m); err != nil {
		return nil, 0, 0, err
	}
	if r, err = oneRune("replacement", m.Replacement); err != nil {
		return nil, 0, 0, err
	}
	never := m.AddPrefixSpace != nil && !*m.AddPrefixSpace // in older files
	switch {
	case m.PrependScheme == nil && never:
		return m, r, tokenizer.PrependNever, nil
	case m.PrependScheme == nil:
		return m, r, tokenizer.PrependAlways, nil
	case *m.PrependScheme == "never":
		return m, r, tokenizer.PrependNever, nil
	case never:
		return nil, 0, 0, fmt.Errorf("add_prefix_space is false and prepend_scheme %q, want never", *m.PrependScheme)
	case *m.PrependScheme == "always":
		return m, r, tokenizer.PrependAlways, nil
	case *m.PrependScheme == "first":
		return m, r, tokenizer.PrependFirst, nil
	}
	return nil, 0, 0, fmt.Errorf("prepend_scheme is %q, want always, first or never", *m.PrependScheme)
}

func parseMetaspace(part json.RawMessage) (tokenizer.PreTokenizer, error) {
	m, r, scheme, err := parseMarks(part)
	if err != nil {
		return nil, err
	}
	return tokenizer.Metaspace{Replacement: r, Prepend: scheme, Split: m.Split == nil || *m.Split}, nil
}
