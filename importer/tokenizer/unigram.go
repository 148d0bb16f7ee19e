package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/mambac/mambac/runtime/tokenizer"
)

// unigram is a model that chooses the likeliest pieces.
type unigram struct {
	Type         string   `json:"type"`
	UnkID        *int32   `json:"unk_id"`
	ByteFallback bool     `json:"byte_fallback"`
	Vocab        []scored `json:"vocab"` // by id
}

// scored is a token with its logarithmic likelihood, in the file a list of two.
type scored struct {
	content string
	score   float64
}

func (p *scored) UnmarshalJSON(data []byte) error {
	var pair []json.RawMessage
	if err := json.Unmarshal(data, &pair); err != nil {
		return err
	}
	if len(pair) != 2 {
		return fmt.Errorf("a token of vocab has %d parts, want content and score", len(pair))
	}
	if err := json.Unmarshal(pair[0], &p.content); err != nil {
		return err
	}
	return json.Unmarshal(pair[1], &p.score)
}

func parseUnigram(part json.RawMessage) (model, error) {
	u := new(unigram)
	if err := decode(part, u); err != nil {
		return nil, err
	}
	switch {
	case len(u.Vocab) > tokenizer.MaxSize:
		return nil, fmt.Errorf("vocab: %d tokens, want at most %d", len(u.Vocab), tokenizer.MaxSize)
	case u.Vocab == nil:
		return nil, errNoVocab
	case u.UnkID == nil:
		return nil, errors.New("unk_id is missing or null: texts with unknown characters would have no ids")
	case *u.UnkID < 0 || int(*u.UnkID) >= len(u.Vocab):
		return nil, fmt.Errorf("unk_id is %d, want below %d", *u.UnkID, len(u.Vocab))
	}
	return u, nil
}

func (u *unigram) contents() map[string]int32 {
	ids := make(map[string]int32, len(u.Vocab))
	for id, p := range u.Vocab {
		ids[p.content] = int32(id)
	}
	return ids
}

// unknownPenalty is how much less likely an unknown character is than the
// least likely token.
const unknownPenalty = 10

// fill sets the pieces of the table. A token whose content another has too is
// never made, but its id still stands for it.
func (u *unigram) fill(t *tokenizer.Table, v *vocabulary) error {
	least := math.Inf(1)
	if need := len(u.Vocab) - len(t.Tokens); need > 0 {
		t.Tokens = slices.Concat(t.Tokens, make([]tokenizer.Token, need))
	}
	for id, p := range u.Vocab {
		least = min(least, p.score)
		t.Pieces = append(t.Pieces, tokenizer.Piece{Text: p.content, ID: int32(id), Score: p.score})
		if t.Tokens[id].Known {
			continue
		}
		text, err := v.text(p.content)
		if err != nil {
			return fmt.Errorf("vocab: token %q: %w", p.content, err)
		}
		t.Tokens[id] = tokenizer.Token{Known: true, Bytes: text}
	}
	t.Model = tokenizer.Model{Kind: tokenizer.Unigram, Unknown: *u.UnkID, UnknownScore: least - unknownPenalty}
	fillFallback(t, v.ids, u.ByteFallback)
	return nil
}
