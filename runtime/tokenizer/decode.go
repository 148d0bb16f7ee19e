package tokenizer

import "unicode/utf8"

// AppendDecode appends the text of the ids. Ids without token have none;
// skipSpecial leaves special tokens out. What is not UTF-8 in the whole turns
// into replacement characters, one for each longest beginning of a character.
func (t *Tokenizer) AppendDecode(dst []byte, ids []int32, skipSpecial bool) []byte {
	d := NewDecoder(t, skipSpecial)
	for _, id := range ids {
		dst = d.Append(dst, id)
	}
	return d.Flush(dst)
}

// Decoder decodes ids one by one into whole characters. Together its outputs
// are what AppendDecode makes of all ids.
type Decoder struct {
	t           *Tokenizer
	skipSpecial bool
	head        stage // the first step
	characters  characters
}

// NewDecoder returns a decoder for one text.
func NewDecoder(t *Tokenizer, skipSpecial bool) *Decoder {
	d := &Decoder{t: t, skipSpecial: skipSpecial}
	d.head = &d.characters
	for i := len(t.decoders) - 1; i >= 0; i-- {
		d.head = t.decoders[i].begin(d.head)
	}
	return d
}

// Resume tells a decoder before its first id that the id was in the text before,
// so that nothing is done that is done where a text begins. One that has no
// text, such as a special one that is left out, is no beginning.
func (d *Decoder) Resume(id int32) {
	if d.has(id) {
		d.head.resume()
	}
}

// Continue is Resume for a text of which only is known that there is one.
func (d *Decoder) Continue() { d.head.resume() }

// has tells whether the id is part of the text.
func (d *Decoder) has(id int32) bool {
	return d.t.Known(id) && !(d.skipSpecial && d.t.IsSpecial(id))
}

// Append appends the characters that the id completes. Where tokens stand for
// bytes of characters, those in a row are held until another follows, as they
// are judged together.
func (d *Decoder) Append(dst []byte, id int32) []byte {
	if !d.has(id) {
		return dst
	}
	d.characters.dst = dst
	d.head.add(d.t.TokenBytes(id))
	return d.characters.taken()
}

// Flush appends what was held, and a replacement character for a character
// that was not completed. The decoder is then as new.
func (d *Decoder) Flush(dst []byte) []byte {
	d.characters.dst = dst
	d.head.flush()
	return d.characters.taken()
}

// stage is a step of decoding at work on one text.
type stage interface {
	// add takes the text of the next token, or behind a step that makes one of
	// all tokens the next part of it.
	add(text []byte)
	// resume says that text comes before.
	resume()
	// flush takes the end of the text and makes the stage as new.
	flush()
}

// characters is the last stage: it makes a text of bytes, however they are cut.
type characters struct {
	dst    []byte
	held   [utf8.UTFMax]byte // the beginning of a character
	length int
}

// taken returns what there is of the text and forgets it.
func (c *characters) taken() []byte {
	dst := c.dst
	c.dst = nil
	return dst
}

func (c *characters) resume() {}

func (c *characters) add(text []byte) {
	for c.length > 0 && len(text) > 0 {
		c.held[c.length] = text[0]
		if held := c.held[:c.length+1]; !utf8.FullRune(held) {
			c.length++
			text = text[1:]
			continue
		}
		if r, n := utf8.DecodeRune(c.held[:c.length+1]); r != utf8.RuneError || n > 1 {
			c.dst = append(c.dst, c.held[:n]...)
			text = text[1:]
		} else {
			c.dst = utf8.AppendRune(c.dst, utf8.RuneError)
		}
		c.length = 0
	}
	dst, rest := appendWhole(c.dst, text)
	c.dst = dst
	c.length += copy(c.held[c.length:], rest)
}

func (c *characters) flush() {
	if c.length > 0 {
		c.dst = utf8.AppendRune(c.dst, utf8.RuneError)
	}
	c.length = 0
}

// appendWhole appends text with what is not UTF-8 replaced and returns the
// beginning of a character at its end, which more bytes could complete.
func appendWhole(dst, text []byte) (out, rest []byte) {
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		if r == utf8.RuneError && n == 1 {
			if !utf8.FullRune(text) {
				return dst, text
			}
			n = broken(text)
			dst = utf8.AppendRune(dst, utf8.RuneError)
		} else {
			dst = append(dst, text[:n]...)
		}
		text = text[n:]
	}
	return dst, nil
}

// broken returns the length of the longest beginning of text that is also the
// beginning of some character, or 1.
func broken(text []byte) int {
	n := 1
	for n < len(text) && !utf8.FullRune(text[:n]) && !utf8.FullRune(text[:n+1]) {
		n++
	}
	return n
}
