// Package tokenizer turns text into token ids and back from a compact table
// that is used where it is mapped; it sees nothing of ours.
//
// The pipeline is that of Hugging Face's tokenizers: added tokens are cut out,
// the text between them is normalised, the added tokens that are looked for in
// normalised text are cut out, pre-tokenizers split the rest into words, and
// the model turns each word into ids: byte-pair encoding merges its bytes or
// characters, Unigram chooses its likeliest pieces. Back, the texts of the
// tokens pass the decoders. A table holds the steps in this order, resolved
// when the program was built.
package tokenizer

import (
	"errors"
	"fmt"
)

// The bounds of a table; Append and Open keep to them.
const (
	// MaxSize bounds the ids: every id is below it.
	MaxSize = 1 << 20
	// MaxMerges bounds the number of merges.
	MaxMerges = 1 << 21
	// MaxContent bounds the length of one token in bytes.
	MaxContent = 1 << 10
	// MaxAdded bounds the number of added tokens.
	MaxAdded = 1 << 16
	// None stands for an id where there is no token.
	None = -1
	// maxTemplate bounds the ids that are put before or after a text.
	maxTemplate = 64
)

// Table is what a tokenizer is made of, as its importer states it.
type Table struct {
	// Normalizers and PreTokenizers are applied in their order.
	Normalizers   []Normalizer
	PreTokenizers []PreTokenizer
	// Decoders are applied to the texts of tokens, in their order.
	Decoders []Decoding
	// Tokens holds every token at its id.
	Tokens []Token
	// Model turns words into ids.
	Model Model
	// Alphabet holds the id that each byte starts as in ByteBPE, and in the
	// other models what stands for a byte of a character that has no token.
	// It is None for bytes that have none.
	Alphabet [256]int32
	// Merges are in the order of urgency; of two for the same pair the later
	// counts.
	Merges []Merge
	// Pieces are what the model looks up by its text; of two with the same
	// text the later counts.
	Pieces []Piece
	// Added are matched inside texts; of two with the same content the
	// earlier counts.
	Added []Added
	// Prefix and Suffix go around a text that is encoded with special tokens.
	Prefix, Suffix []int32
}

// Token is what an id stands for. An id may have none: a gap.
type Token struct {
	Known   bool
	Special bool   // left out of texts decoded without special tokens
	Bytes   []byte // what the decoders make a text of; it need not be UTF-8
}

// Merge says that Left directly before Right becomes Result.
type Merge struct{ Left, Right, Result int32 }

// Added is a token that is found in a text as a whole, before any merging.
type Added struct {
	ID      int32
	Content string
	// SingleWord: only where no letter or digit touches it.
	SingleWord bool
	// LStrip and RStrip: white space before or after it belongs to it.
	LStrip, RStrip bool
	// Normalized: looked for after normalisation, itself normalised.
	Normalized bool
}

// Check returns what makes the table unusable.
func (t *Table) Check() error {
	switch {
	case len(t.Tokens) == 0:
		return errors.New("the vocabulary is empty")
	case len(t.Tokens) > MaxSize:
		return fmt.Errorf("%d ids, want at most %d", len(t.Tokens), MaxSize)
	case len(t.Merges) > MaxMerges:
		return fmt.Errorf("%d merges, want at most %d", len(t.Merges), MaxMerges)
	case len(t.Added) > MaxAdded:
		return fmt.Errorf("%d added tokens, want at most %d", len(t.Added), MaxAdded)
	case len(t.Prefix) > maxTemplate || len(t.Suffix) > maxTemplate:
		return fmt.Errorf("%d and %d tokens around a text, want at most %d", len(t.Prefix), len(t.Suffix), maxTemplate)
	}
	if err := t.checkModel(); err != nil {
		return err
	}
	for id, token := range t.Tokens {
		if len(token.Bytes) > MaxContent {
			return fmt.Errorf("token %d has %d bytes, want at most %d", id, len(token.Bytes), MaxContent)
		}
	}
	return t.checkIDs()
}

// checkIDs returns an error for the first id that has no token.
func (t *Table) checkIDs() error {
	for b, id := range t.Alphabet {
		if id != None && !t.known(id) {
			return fmt.Errorf("byte %d starts as id %d, which has no token", b, id)
		}
	}
	for rank, m := range t.Merges {
		if !t.known(m.Left) || !t.known(m.Right) || !t.known(m.Result) {
			return fmt.Errorf("merge %d of %d and %d to %d names an id without token", rank, m.Left, m.Right, m.Result)
		}
	}
	for _, a := range t.Added {
		if !t.known(a.ID) {
			return fmt.Errorf("added token %q has id %d, which has no token", a.Content, a.ID)
		}
	}
	for _, ids := range [][]int32{t.Prefix, t.Suffix} {
		for _, id := range ids {
			if !t.known(id) {
				return fmt.Errorf("id %d around a text has no token", id)
			}
		}
	}
	return nil
}

func (t *Table) known(id int32) bool {
	return id >= 0 && int(id) < len(t.Tokens) && t.Tokens[id].Known
}
