package tokenizer

import (
	"errors"
	"fmt"
	"sync"
)

// Tokenizer encodes and decodes text. Any number of goroutines may use it.
type Tokenizer struct {
	normalizers   []Normalizer
	preTokenizers []PreTokenizer
	decoders      []Decoding

	model    Model
	flags    []byte // of every id
	ends     []byte // uint32 of every id
	text     []byte // of all tokens
	alphabet [256]int32
	merges   merges
	joints   joints
	pieces   pieces
	scores   []byte // float64 of every id, or empty

	raw, normalized matcher
	prefix, suffix  []int32

	encoders sync.Pool // *encoder
}

// Open reads a table as Append wrote it and refers to its bytes from then on:
// they must stay as they are while the tokenizer is in use. A table that is
// cut off or altered is an error, or it encodes and decodes differently; it
// never makes a call panic.
func Open(table []byte) (*Tokenizer, error) {
	t, err := open(table)
	if err != nil {
		return nil, fmt.Errorf("tokenizer table: %w", err)
	}
	return t, nil
}

func open(table []byte) (*Tokenizer, error) {
	sections, err := directory(table)
	if err != nil {
		return nil, err
	}
	t := new(Tokenizer)
	if t.normalizers, err = readSteps(sections[normalizerSection-1], normalizerKinds); err != nil {
		return nil, err
	}
	if t.preTokenizers, err = readSteps(sections[preTokenizerSection-1], preTokenizerKinds); err != nil {
		return nil, err
	}
	if t.decoders, err = readSteps(sections[decoderSection-1], decodingKinds); err != nil {
		return nil, err
	}
	t.flags = sections[flagSection-1]
	t.ends = sections[endSection-1]
	t.text = sections[byteSection-1]
	if err := t.openTokens(); err != nil {
		return nil, err
	}
	if err := t.merges.open(sections[mergeSection-1], int32(t.Size())); err != nil {
		return nil, err
	}
	if err := t.joints.open(sections[jointSection-1]); err != nil {
		return nil, err
	}
	if err := t.pieces.open(sections[pieceSection-1], int32(t.Size())); err != nil {
		return nil, err
	}
	if err := t.openModel(sections[modelSection-1], sections[scoreSection-1]); err != nil {
		return nil, err
	}
	if err := t.raw.open(sections[rawSection-1]); err != nil {
		return nil, err
	}
	if err := t.normalized.open(sections[normalizedSection-1]); err != nil {
		return nil, err
	}
	if err := t.openAlphabet(sections[alphabetSection-1]); err != nil {
		return nil, err
	}
	if err := t.openTemplate(sections[templateSection-1]); err != nil {
		return nil, err
	}
	if err := t.checkAdded(); err != nil {
		return nil, err
	}
	t.encoders.New = func() any { return newEncoder(t) }
	return t, nil
}

// directory returns the sections in the order of their kinds.
func directory(table []byte) (sections [lastSection][]byte, err error) {
	if len(table) < headerBytes || string(table[:len(magic)]) != magic {
		return sections, errors.New("not a tokenizer table; build the program again")
	}
	if v := order.Uint32(table[len(magic):]); v != version {
		return sections, fmt.Errorf("version %d, this program reads %d; build it again", v, version)
	}
	if n := order.Uint32(table[len(magic)+4:]); n != lastSection {
		return sections, fmt.Errorf("%d sections, want %d; build the program again", n, lastSection)
	}
	if len(table) < headerBytes+lastSection*entryBytes {
		return sections, fmt.Errorf("cut off after %d bytes", len(table))
	}
	for i := range sections {
		e := table[headerBytes+i*entryBytes:][:entryBytes]
		kind, start, length := order.Uint32(e), uint64(order.Uint32(e[8:])), uint64(order.Uint32(e[12:]))
		if kind != uint32(i+1) {
			return sections, fmt.Errorf("section %d is of kind %d", i+1, kind)
		}
		if start+length > uint64(len(table)) {
			return sections, fmt.Errorf("section %d ends at %d, the table at %d", kind, start+length, len(table))
		}
		sections[i] = table[start : start+length : start+length]
	}
	return sections, nil
}

// openTokens checks in one pass that every token lies inside the bytes.
func (t *Tokenizer) openTokens() error {
	size := len(t.flags)
	if size == 0 || size > MaxSize || len(t.ends) != 4*size {
		return fmt.Errorf("%d ids with %d bytes of offsets", size, len(t.ends))
	}
	last := uint32(0)
	for id, flags := range t.flags {
		end := order.Uint32(t.ends[4*id:])
		if end < last || flags > allTokenFlags {
			return fmt.Errorf("token %d is damaged", id)
		}
		last = end
	}
	if int64(last) != int64(len(t.text)) {
		return fmt.Errorf("tokens end at %d of %d bytes", last, len(t.text))
	}
	return nil
}

// openAlphabet reads what each byte starts as.
func (t *Tokenizer) openAlphabet(alphabet []byte) error {
	if len(alphabet) != 4*len(t.alphabet) {
		return fmt.Errorf("alphabet of %d bytes, want %d", len(alphabet), 4*len(t.alphabet))
	}
	for b := range t.alphabet {
		id := int32(order.Uint32(alphabet[4*b:]))
		if id != None && !t.Known(id) {
			return fmt.Errorf("byte %d starts as id %d, which has no token", b, id)
		}
		t.alphabet[b] = id
	}
	return nil
}

// openTemplate reads the ids around a text.
func (t *Tokenizer) openTemplate(template []byte) error {
	if len(template) < 4 || len(template)%4 != 0 || len(template) > 4+8*maxTemplate {
		return fmt.Errorf("template of %d bytes", len(template))
	}
	before := order.Uint32(template)
	var ids []int32
	for rest := template[4:]; len(rest) > 0; rest = rest[4:] {
		ids = append(ids, int32(order.Uint32(rest)))
	}
	if uint64(before) > uint64(len(ids)) {
		return fmt.Errorf("%d of %d ids before the text", before, len(ids))
	}
	t.prefix, t.suffix = ids[:before:before], ids[before:]
	for _, id := range ids {
		if !t.Known(id) {
			return fmt.Errorf("id %d around a text has no token", id)
		}
	}
	return nil
}

func (t *Tokenizer) checkAdded() error {
	for _, m := range [...]*matcher{&t.raw, &t.normalized} {
		for i := range m.tokens {
			if !t.Known(m.tokens[i].ID) {
				return fmt.Errorf("added token %q has id %d, which has no token", m.tokens[i].Content, m.tokens[i].ID)
			}
		}
	}
	return nil
}

// Size is the number of ids: one more than the highest known.
func (t *Tokenizer) Size() int { return len(t.flags) }

// Known tells whether the id has a token.
func (t *Tokenizer) Known(id int32) bool {
	return id >= 0 && int(id) < len(t.flags) && t.flags[id]&knownFlag != 0
}

// IsSpecial tells whether the id's token is special.
func (t *Tokenizer) IsSpecial(id int32) bool {
	return t.Known(id) && t.flags[id]&specialFlag != 0
}

// TokenBytes returns what the decoders make the id's text of, which need not be
// UTF-8, or nil for an id without token. The bytes are the table's own: not to be written.
func (t *Tokenizer) TokenBytes(id int32) []byte {
	if !t.Known(id) {
		return nil
	}
	start := uint32(0)
	if id > 0 {
		start = order.Uint32(t.ends[4*(id-1):])
	}
	end := order.Uint32(t.ends[4*id:])
	return t.text[start:end:end]
}
