package main

import (
	_ "embed"
	"fmt"
	"path/filepath"
	"slices"
	"unicode/utf8"

	"github.com/mambac/mambac/runtime/tokenizer"
)

// bundledText is what a report is about if no other text is given.
//
//go:embed sample.txt
var bundledText string

// seededTokens is the length of what stands in for a text where there is no
// tokenizer.
const seededTokens = 256

// sample is the ids that programs read for a report.
type sample struct {
	source  string
	ids     []int
	isText  bool // and its likelihood means something
	longest int  // tokens that the model may read at once; 0 for any number
}

// sample turns the text of a file, or the bundled one, into ids of the model.
// Without a tokenizer they are seeded.
func (m *model) sample(file string, vocabulary int) (*sample, error) {
	text, source := bundledText, "bundled"
	if file != "" {
		var err error
		if text, err = readText("--report-text", file); err != nil {
			return nil, err
		}
		source = filepath.Base(file)
	}
	switch {
	case m.Tokenizer == nil && file != "":
		return nil, fmt.Errorf("--report-text %s: %s %s; leave the flag out for seeded ids", file, m.checkpoint.Path, m.LacksTokenizer())
	case m.Tokenizer == nil:
		return &sample{source: "seeded ids", ids: seededIDs(checkSeed, seededTokens, vocabulary), longest: m.Longest.Tokens}, nil
	}
	ids, err := m.textIDs("--report-text "+file, text, vocabulary)
	if err != nil {
		return nil, err
	}
	return &sample{source: source, ids: ids, isText: true, longest: m.Longest.Tokens}, nil
}

// maxText bounds, in bytes, a text that is read to measure by: much more than is
// made use of.
const maxText = 64 << 20

// readText reads the file of text that a flag names.
func readText(flag, file string) (string, error) {
	data, err := readBounded(file, maxText)
	switch {
	case err != nil:
		return "", err
	case len(data) > maxText:
		return "", fmt.Errorf("%s %s: has more than %d MiB, want a text of at most that; choose a part of it", flag, file, maxText>>20)
	case !utf8.Valid(data):
		return "", fmt.Errorf("%s %s: is not text in UTF-8; convert it or choose another file", flag, file)
	}
	return string(data), nil
}

// textIDs turns a text, for errors called name, into two or more ids of the
// model, which has a tokenizer.
func (m *model) textIDs(name, text string, vocabulary int) ([]int, error) {
	ids, err := m.encode(text)
	if err != nil {
		return nil, err
	}
	if len(ids) < 2 {
		return nil, fmt.Errorf("%s: have %d tokens, want a text of at least 2", name, len(ids))
	}
	if most := slices.Max(ids); most >= vocabulary {
		return nil, fmt.Errorf("%s: tokenizer.json: has id %d, want less than %d (rows of the embedding); is it from this checkpoint?", m.checkpoint.Path, most, vocabulary)
	}
	return ids, nil
}

// encode turns text into ids as the program will.
func (m *model) encode(text string) ([]int, error) {
	table, err := m.Tokenizer.Append(nil)
	if err != nil {
		return nil, fmt.Errorf("%s: tokenizer.json: %w", m.checkpoint.Path, err)
	}
	t, err := tokenizer.Open(table)
	if err != nil {
		return nil, fmt.Errorf("%s: tokenizer.json: %w", m.checkpoint.Path, err)
	}
	list, err := t.AppendEncode(nil, text, true)
	if err != nil {
		return nil, fmt.Errorf("%s: tokenizer.json: %w", m.checkpoint.Path, err)
	}
	ids := make([]int, len(list))
	for i, id := range list {
		ids[i] = int(id)
	}
	return ids, nil
}

// following is the id behind a position, −1 if there is none.
func (s *sample) following(at int) int {
	if at+1 == len(s.ids) {
		return -1
	}
	return s.ids[at+1]
}

// prompts are pieces of the text to be continued, evenly spaced.
func (s *sample) prompts() [][]int {
	length := min(greedyPrompt, len(s.ids))
	if s.longest > 0 {
		length = min(length, s.longest-greedyTokens+1)
	}
	if length < 1 { // there is no room for what is to follow
		return nil
	}
	last := len(s.ids) - length
	var list [][]int
	for i := range greedyPieces {
		at := last * i / (greedyPieces - 1)
		list = append(list, s.ids[at:at+length])
	}
	if last < greedyPrompt { // all are about the same
		return list[:1]
	}
	return list
}
