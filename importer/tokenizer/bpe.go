package tokenizer

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mambac/mambac/runtime/tokenizer"
)

// bpe is a model of byte-pair encoding.
type bpe struct {
	Type                    string           `json:"type"`
	Dropout                 *float64         `json:"dropout"`
	UnkToken                *string          `json:"unk_token"`
	ContinuingSubwordPrefix *string          `json:"continuing_subword_prefix"`
	EndOfWordSuffix         *string          `json:"end_of_word_suffix"`
	FuseUnk                 bool             `json:"fuse_unk"`
	ByteFallback            bool             `json:"byte_fallback"`
	IgnoreMerges            bool             `json:"ignore_merges"`
	Vocab                   map[string]int32 `json:"vocab"`
	Merges                  []merge          `json:"merges"`
}

// merge is a pair of tokens, in the file a list of two or, in older files, a
// string with a space between them. Lines that state a version are comments.
type merge struct {
	left, right string
	comment     bool
}

func (m *merge) UnmarshalJSON(data []byte) error {
	var pair []string
	if data[0] == '"' {
		var line string
		if err := json.Unmarshal(data, &line); err != nil {
			return err
		}
		if m.comment = strings.HasPrefix(line, "#version"); m.comment {
			return nil
		}
		pair = strings.Split(line, " ")
	} else if err := json.Unmarshal(data, &pair); err != nil {
		return err
	}
	if len(pair) != 2 {
		return fmt.Errorf("merge %q has %d tokens, want 2", pair, len(pair))
	}
	m.left, m.right = pair[0], pair[1]
	return nil
}

func parseBPE(part json.RawMessage) (model, error) {
	b := new(bpe)
	if err := decode(part, b); err != nil {
		return nil, err
	}
	if b.Vocab == nil {
		return nil, errNoVocab
	}
	return b, b.checkFlags()
}

// errNoVocab is the error of a model without tokens.
var errNoVocab = errors.New("vocab is missing")

// checkFlags refuses what the table cannot express.
func (b *bpe) checkFlags() error {
	switch {
	case b.Dropout != nil && *b.Dropout != 0:
		return fmt.Errorf("dropout is %g, want none: it makes encoding random", *b.Dropout)
	case b.ContinuingSubwordPrefix != nil && *b.ContinuingSubwordPrefix != "":
		return fmt.Errorf("continuing_subword_prefix is %q, want none", *b.ContinuingSubwordPrefix)
	case b.EndOfWordSuffix != nil && *b.EndOfWordSuffix != "":
		return fmt.Errorf("end_of_word_suffix is %q, want none", *b.EndOfWordSuffix)
	}
	return nil
}

func (b *bpe) contents() map[string]int32 { return b.Vocab }

// fill sets the alphabet, the pieces and the merges of the table.
func (b *bpe) fill(t *tokenizer.Table, _ *vocabulary) error {
	t.Model = tokenizer.Model{Kind: tokenizer.CharacterBPE, Unknown: tokenizer.None, FuseUnknown: b.FuseUnk, IgnoreMerges: b.IgnoreMerges}
	if b.UnkToken != nil {
		if id, ok := b.Vocab[*b.UnkToken]; ok {
			t.Model.Unknown = id
		}
	}
	var missing error
	if slices.ContainsFunc(t.PreTokenizers, isByteLevel) {
		missing = b.fillBytes(t)
	} else {
		missing = b.fillCharacters(t)
	}
	if missing != nil && b.UnkToken != nil && t.Model.Unknown == tokenizer.None {
		return fmt.Errorf("unk_token is %q, which the vocabulary lacks, and %w", *b.UnkToken, missing)
	}
	return b.fillMerges(t)
}

// fillBytes finds the token of each byte; of one that has none it tells.
// Pieces are words, by the bytes that their letters stand for.
func (b *bpe) fillBytes(t *tokenizer.Table) (missing error) {
	t.Model.Kind = tokenizer.ByteBPE
	for c, letter := range tokenizer.ByteLetters {
		id, ok := b.Vocab[string(letter)]
		if !ok {
			id = tokenizer.None
			missing = fmt.Errorf("it lacks %q for byte %d", letter, c)
		}
		t.Alphabet[c] = id
	}
	if b.IgnoreMerges {
		for content, id := range b.Vocab {
			if text, ok := fromLetters(content); ok {
				t.Pieces = append(t.Pieces, tokenizer.Piece{Text: string(text), ID: id})
			}
		}
		sortPieces(t.Pieces)
	}
	return missing
}

// fillCharacters finds the tokens that are characters, or are words if these
// are looked up, and those that stand for bytes; it tells if bytes cannot be
// fallen back to.
func (b *bpe) fillCharacters(t *tokenizer.Table) (missing error) {
	for content, id := range b.Vocab {
		if b.IgnoreMerges || utf8.RuneCountInString(content) == 1 {
			t.Pieces = append(t.Pieces, tokenizer.Piece{Text: content, ID: id})
		}
	}
	sortPieces(t.Pieces)
	return fillFallback(t, b.Vocab, b.ByteFallback)
}

// fillFallback finds the tokens that stand for bytes, as <0x0A> does.
func fillFallback(t *tokenizer.Table, ids map[string]int32, use bool) (missing error) {
	for c := range t.Alphabet {
		content := fmt.Sprintf("<0x%02X>", c)
		id, ok := ids[content]
		if !ok || !use {
			id = tokenizer.None
			missing = fmt.Errorf("there is no byte_fallback to %s", content)
		}
		t.Alphabet[c] = id
	}
	return missing
}

// sortPieces gives pieces an order that does not change.
func sortPieces(list []tokenizer.Piece) {
	slices.SortFunc(list, func(a, b tokenizer.Piece) int { return cmp.Compare(a.ID, b.ID) })
}

func (b *bpe) fillMerges(t *tokenizer.Table) error {
	if len(b.Merges) > tokenizer.MaxMerges {
		return fmt.Errorf("%d merges, want at most %d", len(b.Merges), tokenizer.MaxMerges)
	}
	for i, m := range b.Merges {
		if m.comment {
			continue
		}
		var ids [3]int32
		for j, content := range [...]string{m.left, m.right, m.left + m.right} {
			id, ok := b.Vocab[content]
			if !ok {
				return fmt.Errorf("merge %d of %q and %q: the vocabulary lacks %q", i, m.left, m.right, content)
			}
			ids[j] = id
		}
		t.Merges = append(t.Merges, tokenizer.Merge{Left: ids[0], Right: ids[1], Result: ids[2]})
	}
	return nil
}

// fromLetters returns the bytes that a token's letters stand for, if all do.
func fromLetters(content string) ([]byte, bool) {
	out := make([]byte, 0, utf8.RuneCountInString(content))
	for _, r := range content {
		c, ok := tokenizer.LetterByte(r)
		if !ok {
			return nil, false
		}
		out = append(out, c)
	}
	return out, true
}

// decoded returns what the byte-level decoder makes of a token: the bytes of
// its letters, or the token as it is if one of them stands for no byte.
func decoded(content string) []byte {
	if text, ok := fromLetters(content); ok {
		return text
	}
	return []byte(content)
}
