package tokenizer

import (
	"errors"
	"fmt"

	"github.com/mambac/mambac/runtime/tokenizer"
)

// Vocabulary is the tokens of a tokenizer.json as the file spells them, for
// formats that have the same letters for bytes.
type Vocabulary struct {
	Tokens []Spelling  // by id
	Merges [][2]string // in the order of urgency
}

// Spelling is how a file writes a token; an id that has none is a gap.
type Spelling struct {
	Known   bool
	Content string
	Added   bool // looked for in texts as a whole
	Special bool
}

// ReadVocabulary reads what Parse reads, and refuses what Parse refuses.
func ReadVocabulary(data []byte) (*Vocabulary, error) {
	table, err := Parse(data)
	if err != nil {
		return nil, err
	}
	var f file
	if err := decode(data, &f); err != nil {
		return nil, err
	}
	m, err := parseModel(f.Model)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	model, ok := m.(*bpe)
	if !ok || table.Model.Kind != tokenizer.ByteBPE {
		return nil, errors.New("model: only byte-level BPE has letters for bytes")
	}
	v := &Vocabulary{Tokens: make([]Spelling, len(table.Tokens))}
	for content, id := range model.Vocab {
		v.Tokens[id] = Spelling{Known: true, Content: content}
	}
	for _, a := range f.AddedTokens {
		v.Tokens[a.ID] = Spelling{Known: true, Content: a.Content, Added: true, Special: a.Special}
	}
	for _, m := range model.Merges {
		if !m.comment {
			v.Merges = append(v.Merges, [2]string{m.left, m.right})
		}
	}
	return v, nil
}
