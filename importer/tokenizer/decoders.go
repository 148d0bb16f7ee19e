package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/mambac/mambac/runtime/tokenizer"
)

// decoders is what becomes of the part decoder: steps that look at one token
// alone are applied to all tokens here, so that programs have none of them.
type decoders struct {
	each  []func(token []byte) ([]byte, error)
	steps []tokenizer.Decoding
	fused bool // all tokens are one from here on
}

// decoderTypes are the types that the part decoder may have.
var decoderTypes = map[string]func(d *decoders, part json.RawMessage) error{
	"ByteLevel":    (*decoders).byteLevel,
	"Metaspace":    (*decoders).metaspace,
	"ByteFallback": (*decoders).byteFallback,
	"Fuse":         (*decoders).fuse,
	"Strip":        (*decoders).strip,
	"Replace":      (*decoders).replace,
}

func parseDecoders(part json.RawMessage) (*decoders, error) {
	d := new(decoders)
	if absent(part) {
		d.steps = []tokenizer.Decoding{tokenizer.Spaces{}}
		return d, nil
	}
	parts, err := flatten(part, "decoders", 0)
	if err != nil {
		return nil, err
	}
	for _, p := range parts {
		name, err := typeOf(p)
		if err != nil {
			return nil, err
		}
		apply := decoderTypes[name]
		if apply == nil {
			return nil, unknown(name, append(slices.Collect(maps.Keys(decoderTypes)), "Sequence")...)
		}
		if err := apply(d, p); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return d, nil
}

// text returns what the steps that remain see of a token.
func (d *decoders) text(content string) ([]byte, error) {
	text := []byte(content)
	var err error
	for _, step := range d.each {
		if text, err = step(text); err != nil {
			return nil, err
		}
	}
	return text, nil
}

// alone tells whether nothing before made tokens depend on each other.
func (d *decoders) alone() bool { return len(d.steps) == 0 && !d.fused }

func (d *decoders) byteLevel(part json.RawMessage) error {
	if !d.alone() {
		return errors.New("is not supported behind other steps than Strip and Replace")
	}
	d.each = append(d.each, func(token []byte) ([]byte, error) { return decoded(string(token)), nil })
	d.fused = true
	return decode(part, new(byteLevel))
}

func (d *decoders) metaspace(part json.RawMessage) error {
	if d.fused {
		return errors.New("is not supported behind ByteLevel or Fuse")
	}
	_, r, scheme, err := parseMarks(part)
	d.steps = append(d.steps, tokenizer.MetaspaceMarks{Replacement: r, Prepended: scheme != tokenizer.PrependNever})
	return err
}

func (d *decoders) byteFallback(part json.RawMessage) error {
	if d.fused {
		return errors.New("is not supported behind ByteLevel or Fuse")
	}
	step, err := plain[tokenizer.Decoding](tokenizer.ByteFallback{})(part)
	d.steps = append(d.steps, step)
	return err
}

func (d *decoders) fuse(part json.RawMessage) error {
	d.fused = true
	_, err := plain(struct{}{})(part)
	return err
}

func (d *decoders) strip(part json.RawMessage) error {
	var s struct {
		Type    string `json:"type"`
		Content string `json:"content"`
		Start   int    `json:"start"`
		Stop    int    `json:"stop"`
	}
	if err := decode(part, &s); err != nil {
		return err
	}
	r, err := oneRune("content", s.Content)
	if err != nil {
		return err
	}
	if most := tokenizer.MaxStripped; s.Start < 0 || s.Start > most || s.Stop < 0 || s.Stop > most {
		return fmt.Errorf("start is %d and stop %d, want 0 to %d", s.Start, s.Stop, most)
	}
	step := tokenizer.StripEnds{Content: r, Start: s.Start, Stop: s.Stop, Fused: d.fused}
	if d.alone() {
		d.each = append(d.each, func(token []byte) ([]byte, error) { return step.Apply(token), nil })
	} else {
		d.steps = append(d.steps, step)
	}
	return nil
}

func (d *decoders) replace(part json.RawMessage) error {
	var r replaceStep
	if err := decode(part, &r); err != nil {
		return err
	}
	step, err := r.step()
	switch {
	case err != nil:
		return err
	case d.alone():
		d.each = append(d.each, func(token []byte) ([]byte, error) {
			text, err := step.Apply(string(token))
			return []byte(text), err
		})
	case r.Pattern.String == nil:
		return errors.New("of a Regex is not supported behind other steps than Strip and Replace")
	case len(*r.Pattern.String) > tokenizer.MaxReplaced:
		return fmt.Errorf("pattern has %d bytes, want at most %d", len(*r.Pattern.String), tokenizer.MaxReplaced)
	default:
		d.steps = append(d.steps, tokenizer.ReplaceText{Text: *r.Pattern.String, By: r.Content, Fused: d.fused})
	}
	return nil
}
