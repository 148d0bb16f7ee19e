package model

import (
	"github.com/mambac/mambac/runtime/tokenizer"
)

// Tokenizer turns text into ids and back, exactly as the checkpoint's own.
// Goroutines may share it.
type Tokenizer struct {
	model *Model
	table *tokenizer.Tokenizer
}

// Encode turns text into ids, with the special tokens that the checkpoint puts
// around a text.
func (t *Tokenizer) Encode(text string) ([]int, error) { return t.encode(text, true) }

// EncodePlain is Encode without the special tokens around the text; those in
// the text are still found.
func (t *Tokenizer) EncodePlain(text string) ([]int, error) { return t.encode(text, false) }

func (t *Tokenizer) encode(text string, special bool) ([]int, error) {
	if t == nil {
		return nil, ErrNoTokenizer
	}
	if err := t.model.use(); err != nil {
		return nil, err
	}
	defer t.model.done()
	ids, err := t.table.AppendEncode(nil, text, special)
	if err != nil {
		return nil, err
	}
	return ints(ids), nil
}

// Decode turns ids into text, special tokens left out. Bytes that are no
// character become U+FFFD; ids without a token become nothing.
func (t *Tokenizer) Decode(ids []int) (string, error) {
	if t == nil {
		return "", ErrNoTokenizer
	}
	if err := t.model.use(); err != nil {
		return "", err
	}
	defer t.model.done()
	return string(t.table.AppendDecode(nil, int32s(nil, ids), true)), nil
}

// NewDecoder starts a text that comes id by id.
func (t *Tokenizer) NewDecoder() (*Decoder, error) {
	if t == nil {
		return nil, ErrNoTokenizer
	}
	return &Decoder{model: t.model, decoder: tokenizer.NewDecoder(t.table, true)}, nil
}

// Decoder decodes ids one by one into whole characters; together they are what
// Decode makes of all ids. It belongs to one goroutine.
type Decoder struct {
	model   *Model
	decoder *tokenizer.Decoder
	buffer  []byte
}

// Next returns the characters that the id completes, often none.
func (d *Decoder) Next(id int) (string, error) {
	text, err := d.append(id)
	return string(text), err
}

// append is Next in memory that the next call uses again.
func (d *Decoder) append(id int) ([]byte, error) {
	if err := d.model.use(); err != nil {
		return nil, err
	}
	defer d.model.done()
	d.buffer = d.decoder.Append(d.buffer[:0], narrow(id))
	return d.buffer, nil
}

// End returns what stands for a character that was not completed; the decoder
// is then as new.
func (d *Decoder) End() string { return string(d.decoder.Flush(nil)) }

func ints(ids []int32) []int {
	list := make([]int, len(ids))
	for i, id := range ids {
		list[i] = int(id)
	}
	return list
}

// narrow is an id as the engine has it; one that does not fit becomes −1, which
// no model has.
func narrow(id int) int32 {
	if id != int(int32(id)) {
		return -1
	}
	return int32(id)
}

// int32s appends ids.
func int32s(dst []int32, ids []int) []int32 {
	for _, id := range ids {
		dst = append(dst, narrow(id))
	}
	return dst
}
