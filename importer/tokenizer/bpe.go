package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
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

func parseModel(part json.RawMessage) (*bpe, error) {
	if absent(part) {
		return nil, errors.New("missing")
	}
	name, err := typeOf(part)
	if err != nil {
		return nil, err
	}
	if name == "" { // files older than the key
		name = "BPE"
	}
	if name != "BPE" {
		return nil, unknown(name, "BPE")
	}
	b := new(bpe)
	if err := decode(part, b); err != nil {
		return nil, err
	}
	return b, b.checkFlags()
}

// checkFlags refuses what the table cannot express.
func (b *bpe) checkFlags() error {
	switch {
	case b.Dropout != nil && *b.Dropout != 0:
		return fmt.Errorf("dropout is %g, want none: it makes encoding random", *b.Dropout)
	case b.ContinuingSubwordPrefix != nil && *b.ContinuingSubwordPrefix != "":
		return fmt.Errorf("continuing_subword_prefix is %q, want none", *b.ContinuingSubwordPrefix)
	case b.EndOfWordSuffix != nil && *b.EndOfWordSuffix != "":
		return fmt.Errorf("end_of_word_suffix is %q, want none", *b.EndOfWordSuffix)
	case b.ByteFallback:
		return errors.New("byte_fallback is true, which is not supported")
	case b.IgnoreMerges:
		return errors.New("ignore_merges is true, which is not supported")
	}
	return nil
}

// fill sets the tokens, the alphabet and the merges of the table. All ids must
// be below the limit.
func (b *bpe) fill(t *tokenizer.Table, limit int32) error {
	size := 0
	for content, id := range b.Vocab {
		if id < 0 || id >= limit {
			return fmt.Errorf("vocab: token %q has id %d, want below %d", content, id, limit)
		}
		size = max(size, int(id)+1)
	}
	t.Tokens = make([]tokenizer.Token, size)
	for content, id := range b.Vocab {
		if t.Tokens[id].Known {
			return fmt.Errorf("vocab: two tokens have the id %d", id)
		}
		t.Tokens[id] = tokenizer.Token{Known: true, Bytes: decoded(content)}
	}
	if err := b.fillAlphabet(t); err != nil {
		return err
	}
	return b.fillMerges(t)
}

// fillAlphabet finds the token of each byte. Without unknown token, bytes that
// have none are dropped; with one they would need it.
func (b *bpe) fillAlphabet(t *tokenizer.Table) error {
	for c := range t.Alphabet {
		id, ok := b.Vocab[string(byteLetters[c])]
		if !ok {
			id = -1
			if b.UnkToken != nil {
				return fmt.Errorf("unk_token is %q and the vocabulary lacks %q for byte %d, which is not supported", *b.UnkToken, byteLetters[c], c)
			}
		}
		t.Alphabet[c] = id
	}
	return nil
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

// byteLetters is the letter that stands for each byte in a byte-level
// vocabulary: itself if it prints, else the next unused from U+0100 on.
var byteLetters, letterBytes = func() (letters [256]rune, inverse map[rune]byte) {
	inverse = make(map[rune]byte, len(letters))
	next := rune(0x100)
	for c := range letters {
		letters[c] = rune(c)
		if !('!' <= c && c <= '~' || 0xa1 <= c && c <= 0xac || 0xae <= c) {
			letters[c] = next
			next++
		}
		inverse[letters[c]] = byte(c)
	}
	return letters, inverse
}()

// decoded returns what the byte-level decoder makes of a token: the bytes of
// its letters, or the token as it is if one of them stands for no byte.
func decoded(content string) []byte {
	out := make([]byte, 0, utf8.RuneCountInString(content))
	for _, r := range content {
		c, ok := letterBytes[r]
		if !ok {
			return []byte(content)
		}
		out = append(out, c)
	}
	return out
}
