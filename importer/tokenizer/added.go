package tokenizer

import (
	"fmt"

	"github.com/mambac/mambac/runtime/tokenizer"
)

// addedToken is an entry of added_tokens.
type addedToken struct {
	ID         int32  `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"`
	LStrip     bool   `json:"lstrip"`
	RStrip     bool   `json:"rstrip"`
	Normalized bool   `json:"normalized"`
	Special    bool   `json:"special"`
}

// addTokens puts the added tokens into the table: special ones first, which
// decides between equal contents.
func (f *file) addTokens(t *tokenizer.Table, v *vocabulary) error {
	if len(f.AddedTokens) > tokenizer.MaxAdded {
		return fmt.Errorf("%d added_tokens, want at most %d", len(f.AddedTokens), tokenizer.MaxAdded)
	}
	contents := make(map[string]int32, len(f.AddedTokens))
	for _, a := range f.AddedTokens {
		if err := a.place(t, v, contents); err != nil {
			return fmt.Errorf("added_tokens: %w", err)
		}
	}
	for _, special := range [...]bool{true, false} {
		for _, a := range f.AddedTokens {
			if a.Special == special {
				t.Added = append(t.Added, tokenizer.Added{
					ID: a.ID, Content: a.Content, SingleWord: a.SingleWord,
					LStrip: a.LStrip, RStrip: a.RStrip, Normalized: a.Normalized,
				})
			}
		}
	}
	return nil
}

// place gives the token its id in the table. A token that the vocabulary has
// too must have the same id there.
func (a *addedToken) place(t *tokenizer.Table, v *vocabulary, contents map[string]int32) error {
	if a.ID < 0 || a.ID >= v.limit {
		return fmt.Errorf("token %q has id %d, want below %d", a.Content, a.ID, v.limit)
	}
	if other, twice := contents[a.Content]; twice {
		return fmt.Errorf("token %q has the ids %d and %d", a.Content, other, a.ID)
	}
	contents[a.Content] = a.ID
	id, inVocabulary := v.ids[a.Content]
	if inVocabulary && id != a.ID {
		return fmt.Errorf("token %q has id %d, in the vocabulary %d", a.Content, a.ID, id)
	}
	if need := int(a.ID) + 1 - len(t.Tokens); need > 0 {
		t.Tokens = append(t.Tokens, make([]tokenizer.Token, need)...)
	}
	token := &t.Tokens[a.ID]
	if token.Known && !inVocabulary {
		return fmt.Errorf("token %q has the id %d of another token", a.Content, a.ID)
	}
	text, err := v.text(a.Content)
	if err != nil {
		return fmt.Errorf("token %q: %w", a.Content, err)
	}
	*token = tokenizer.Token{Known: true, Special: a.Special, Bytes: text}
	return nil
}
