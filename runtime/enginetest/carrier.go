package enginetest

import (
	"io"

	"github.com/mambac/mambac/runtime/payload"
	"github.com/mambac/mambac/runtime/tokenizer"
)

// The fake model counts: the likeliest id is the last one plus one. Ids below
// 256 are bytes, so text continues as in the ASCII table.
const (
	End  = 'p' // ends a text
	Mark = 256 // a special token, the last that the tokenizer knows
)

// Carrier is what the fake model's payload holds.
type Carrier struct {
	Meta      payload.Metadata
	Tokenizer []byte // nil for none
	Weights   string
}

// NewCarrier is the payload of Compiled(vocab).
func NewCarrier(vocab int) *Carrier {
	return &Carrier{
		Meta: payload.Metadata{
			Name: "fake", Family: "counting", Fingerprint: "test", Identity: "fake", Weights: "f32", Math: "exact",
			States: []payload.StateSlot{{Name: "lanes", Kind: "recurrence", Rows: lanes, Columns: 1, Lanes: lanes}},
			Levels: []string{"fast", "generic"}, EOS: []int32{End}, VocabSize: vocab,
			DecodeBytesPerToken: 1000, PrefillFlopPerToken: 100, HeadFlop: 512, StateBytes: 4 * lanes,
			Card: []payload.Fact{{Name: "hidden size", Value: "8"}},
		},
		Tokenizer: bytesTable(),
		Weights:   "weights",
	}
}

// NewRemembering is the payload of Remembering(vocab, window).
func NewRemembering(vocab int) *Carrier {
	c := NewCarrier(vocab)
	c.Meta.States = append(c.Meta.States, payload.StateSlot{Name: "ids", Kind: "cache", Rows: 1, Columns: 1, ByColumns: true})
	return c
}

// bytesTable is a tokenizer of single bytes and one special token.
func bytesTable() []byte {
	table := tokenizer.Table{Model: tokenizer.Model{Unknown: tokenizer.None}}
	for b := range 256 {
		table.Tokens = append(table.Tokens, tokenizer.Token{Known: true, Bytes: []byte{byte(b)}})
		table.Alphabet[b] = int32(b)
	}
	table.Tokens = append(table.Tokens, tokenizer.Token{Known: true, Special: true, Bytes: []byte("<mark>")})
	table.Added = []tokenizer.Added{{ID: Mark, Content: "<mark>"}}
	section, err := table.Append(nil)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return section
}

// Write writes the payload behind base bytes that the file already holds.
func (c *Carrier) Write(w io.Writer, base int64) error {
	text, err := c.Meta.Encode()
	if err != nil {
		return err
	}
	out := payload.NewWriter(w, base)
	for _, s := range []struct {
		name string
		data []byte
	}{{payload.TokenizerSection, c.Tokenizer}, {payload.WeightsSection, []byte(c.Weights)}, {payload.MetadataSection, text}} {
		if s.data == nil {
			continue
		}
		if err := out.Section(s.name); err != nil {
			return err
		}
		if _, err := out.Write(s.data); err != nil {
			return err
		}
	}
	return out.Close()
}
