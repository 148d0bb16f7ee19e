package tokenizer

import (
	"errors"
	"fmt"
	"math"
)

// Model is how words become ids.
type Model struct {
	Kind ModelKind
	// Unknown is the id of what has no token, or None: it is dropped then.
	Unknown int32
	// FuseUnknown: what is unknown in a row is one token (BPE).
	FuseUnknown bool
	// IgnoreMerges: a word that is a piece is that token (BPE).
	IgnoreMerges bool
	// UnknownScore is the score of an unknown character (Unigram).
	UnknownScore float64
}

// ModelKind is a kind of model.
type ModelKind uint32

// The kinds of models.
const (
	ByteBPE      ModelKind = iota // merges bytes
	CharacterBPE                  // merges characters
	Unigram                       // chooses pieces by their scores
	modelKinds
)

// Piece is a token that is looked up by its text.
type Piece struct {
	Text  string
	ID    int32
	Score float64 // its likelihood (Unigram)
}

const (
	modelBytes       = 24
	fuseUnknownFlag  = 1
	ignoreMergesFlag = 2
	allModelFlags    = 3
)

func (m *Model) append(dst []byte) []byte {
	flags := uint32(0)
	if m.FuseUnknown {
		flags |= fuseUnknownFlag
	}
	if m.IgnoreMerges {
		flags |= ignoreMergesFlag
	}
	dst = order.AppendUint32(dst, uint32(m.Kind))
	dst = order.AppendUint32(dst, flags)
	dst = order.AppendUint32(dst, uint32(m.Unknown))
	dst = order.AppendUint32(dst, 0)
	return order.AppendUint64(dst, math.Float64bits(m.UnknownScore))
}

// scores returns the score of every id, for models that have them.
func (t *Table) scores() []byte {
	if t.Model.Kind != Unigram {
		return nil
	}
	section := make([]byte, 8*len(t.Tokens))
	for _, p := range t.Pieces {
		order.PutUint64(section[8*p.ID:], math.Float64bits(p.Score))
	}
	return section
}

// checkModel returns what makes the model unusable.
func (t *Table) checkModel() error {
	switch m := &t.Model; {
	case m.Kind >= modelKinds:
		return fmt.Errorf("model of unknown kind %d", m.Kind)
	case m.Unknown != None && !t.known(m.Unknown):
		return fmt.Errorf("the unknown token has id %d, which has no token", m.Unknown)
	case m.Kind == Unigram && m.Unknown == None:
		return errors.New("the model Unigram has no unknown token")
	}
	for _, p := range t.Pieces {
		if !t.known(p.ID) {
			return fmt.Errorf("piece %q has id %d, which has no token", p.Text, p.ID)
		}
	}
	return nil
}

// openModel reads the parameters of the model.
func (t *Tokenizer) openModel(parameters, scores []byte) error {
	if len(parameters) != modelBytes {
		return fmt.Errorf("model of %d bytes, want %d", len(parameters), modelBytes)
	}
	kind, flags := ModelKind(order.Uint32(parameters)), order.Uint32(parameters[4:])
	t.model = Model{
		Kind: kind, Unknown: int32(order.Uint32(parameters[8:])),
		FuseUnknown: flags&fuseUnknownFlag != 0, IgnoreMerges: flags&ignoreMergesFlag != 0,
		UnknownScore: math.Float64frombits(order.Uint64(parameters[16:])),
	}
	switch {
	case kind >= modelKinds || flags > allModelFlags:
		return fmt.Errorf("model of unknown kind %d with flags %#x; build the program again", kind, flags)
	case t.model.Unknown != None && !t.Known(t.model.Unknown), kind == Unigram && t.model.Unknown == None:
		return fmt.Errorf("the unknown token has id %d, which has no token", t.model.Unknown)
	case kind == Unigram && len(scores) != 8*t.Size():
		return fmt.Errorf("scores of %d bytes for %d ids", len(scores), t.Size())
	}
	t.scores = scores
	return nil
}

// hasBytes tells whether every byte of the text has a token to fall back to.
func (t *Tokenizer) hasBytes(text string) bool {
	for i := range len(text) {
		if t.alphabet[text[i]] == None {
			return false
		}
	}
	return true
}

// score returns the score of an id, for models that have them.
func (t *Tokenizer) score(id int32) float64 {
	return math.Float64frombits(order.Uint64(t.scores[8*id:]))
}
