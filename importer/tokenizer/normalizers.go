package tokenizer

import (
	"encoding/json"

	"github.com/mambac/mambac/runtime/tokenizer"
)

// normalizers are the types that the part normalizer may have.
var normalizers = parsers[tokenizer.Normalizer]{
	"NFC":          plain[tokenizer.Normalizer](tokenizer.NFC{}),
	"NFD":          plain[tokenizer.Normalizer](tokenizer.NFD{}),
	"NFKC":         plain[tokenizer.Normalizer](tokenizer.NFKC{}),
	"NFKD":         plain[tokenizer.Normalizer](tokenizer.NFKD{}),
	"Lowercase":    plain[tokenizer.Normalizer](tokenizer.Lowercase{}),
	"StripAccents": plain[tokenizer.Normalizer](tokenizer.StripAccents{}),
	"Replace":      parseReplace,
	"Prepend":      parsePrepend,
	"Strip":        parseStrip,
}

// replaceStep is a step that occurs as normalizer and as decoder.
type replaceStep struct {
	Type    string  `json:"type"`
	Pattern pattern `json:"pattern"`
	Content string  `json:"content"`
}

func (r *replaceStep) step() (tokenizer.Replace, error) {
	if err := checkText("content", r.Content); err != nil {
		return tokenizer.Replace{}, err
	}
	x, err := r.Pattern.expression()
	return tokenizer.Replace{Pattern: x, By: r.Content}, err
}

func parseReplace(part json.RawMessage) (tokenizer.Normalizer, error) {
	var r replaceStep
	if err := decode(part, &r); err != nil {
		return nil, err
	}
	return r.step()
}

func parsePrepend(part json.RawMessage) (tokenizer.Normalizer, error) {
	var p struct {
		Type    string `json:"type"`
		Prepend string `json:"prepend"`
	}
	if err := decode(part, &p); err != nil {
		return nil, err
	}
	return tokenizer.Prepend{Text: p.Prepend}, checkText("prepend", p.Prepend)
}

func parseStrip(part json.RawMessage) (tokenizer.Normalizer, error) {
	var s struct {
		Type  string `json:"type"`
		Left  bool   `json:"strip_left"`
		Right bool   `json:"strip_right"`
	}
	if err := decode(part, &s); err != nil {
		return nil, err
	}
	return tokenizer.Strip{Left: s.Left, Right: s.Right}, nil
}
