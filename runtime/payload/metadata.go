package payload

import (
	"encoding/json"
	"fmt"
)

// Metadata is what the program knows about its model: the metadata section,
// as JSON.
type Metadata struct {
	Mambac      string   `json:"mambac"` // version of the compiler
	Name        string   `json:"name"`   // of the checkpoint
	Family      string   `json:"family"`
	Fingerprint string   `json:"fingerprint"`           // ties code and payload together
	Weights     string   `json:"weights"`               // storage format
	Calibration string   `json:"calibration,omitempty"` // text on which codes were chosen
	Math        string   `json:"math"`                  // exact or fast
	Cache       string   `json:"cache,omitempty"`       // format of keys and values, if there are any and it is not f32
	Levels      []string `json:"levels"`
	Tuning      string   `json:"tuning,omitempty"` // hash of choices that were measured
	Card        []Fact   `json:"card"`             // sizes worth showing, in order

	// Identity is the digest of tokenizer and weights: equal for programs of
	// one checkpoint and storage, whatever the level.
	Identity string `json:"identity"`
	// States is what a sequence carries, in canonical order.
	States []StateSlot `json:"states"`

	VocabSize int `json:"vocab_size"` // of the config; stored rows may be more
	// SentencePiece: there is no tokenizer, as the checkpoint had one that
	// mambac does not read.
	SentencePiece bool `json:"sentencepiece,omitempty"`
	// Longest is the bound of a text that the model has of its own.
	Longest Longest `json:"longest_text,omitzero"`
	// Layers tells of each layer what it is and where its Δ is found, in programs
	// that explain.
	Layers []Layer `json:"layers,omitempty"`
	// ChatTemplates names those of the checkpoint; programs that converse hold
	// them.
	ChatTemplates []string `json:"chat_templates,omitempty"`
	BOS           *int32   `json:"bos,omitempty"`
	EOS           []int32  `json:"eos"`

	Parameters  int64 `json:"parameters"`
	WeightBytes int64 `json:"weight_bytes"` // unpadded parameters and scales
	StateBytes  int64 `json:"state_bytes"`  // of one sequence
	// DecodeBytesPerToken is unpadded parameters and scales read once plus
	// recurrent state read and written.
	DecodeBytesPerToken int64 `json:"decode_bytes_per_token"`
	// PrefillFlopPerToken is the unpadded products per token without the
	// head, HeadFlop those of the head for one position.
	PrefillFlopPerToken int64 `json:"prefill_flop_per_token"`
	HeadFlop            int64 `json:"head_flop"`

	Report json.RawMessage `json:"report,omitempty"` // of build --report
}

// First is the id that stands for an empty text: the begin token, or the end
// token, with which texts were joined in training; false if there is neither.
func (m *Metadata) First() (id int32, ok bool) {
	switch {
	case m.BOS != nil:
		return *m.BOS, true
	case len(m.EOS) > 0:
		return m.EOS[0], true
	}
	return 0, false
}

// StateSlot is one state of a sequence, [Rows, Columns], and where its values
// lie in the state block: row r, column c is at
//
//	Offset + r/Lanes·Lanes·Columns + c·Lanes + r%Lanes
//
// so that Lanes = Rows (rounded up) is column after column, and 1 is row after
// row. With Run that goes for each run of rows, which begins where the lanes of
// the one before end. Of a cache these are
// heads and elements of one token, and Offset is on the pages of a cache of the
// program: row r, column c of the token at slot t of a page is at
//
//	Offset + (r·Columns + c)·PageTokens + t      with ByColumns
//	Offset + (r·PageTokens + t)·Columns + c      else
//
// A Format that is narrower has several columns in each float32, the first in the
// lowest bits, and counts those: f16 two halves, int8 four whole numbers, before
// which a head has the scales of PageTokens tokens. A row without ByColumns fills
// whole registers of 16 columns then.
type StateSlot struct {
	Name    string `json:"name"`
	Kind    string `json:"kind"` // window, recurrence or cache
	Rows    int    `json:"rows"`
	Columns int    `json:"columns"`
	Lanes   int    `json:"lanes"`
	Run     int    `json:"run,omitempty"` // rows after which whole lanes begin again; 0 for none
	Offset  int    `json:"offset"`        // float32

	Cache     int    `json:"cache,omitempty"`      // index into the program's caches
	ByColumns bool   `json:"by_columns,omitempty"` // of keys
	Format    string `json:"format,omitempty"`     // f16, int8, or nothing for float32
}

// Longest is the number of tokens up to which a model is computed, and why it is
// not beyond; 0 tokens for any number.
type Longest struct {
	Tokens int    `json:"tokens"`
	Reason string `json:"reason"`
}

// Fact is one line of the card.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Encode gives the bytes of the metadata section; equal metadata gives equal
// bytes.
func (m *Metadata) Encode() ([]byte, error) { return json.Marshal(m) }

func parseMetadata(b []byte) (*Metadata, error) {
	m := new(Metadata)
	if err := json.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("payload metadata: %w", err)
	}
	return m, nil
}
