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
	held        [utf8.UTFMax]byte // the beginning of a character
	length      int
}

// NewDecoder returns a decoder for one text.
func NewDecoder(t *Tokenizer, skipSpecial bool) *Decoder {
	return &Decoder{t: t, skipSpecial: skipSpecial}
}

// Append appends the characters that the id completes. It allocates nothing
// if dst has room.
func (d *Decoder) Append(dst []byte, id int32) []byte {
	if d.skipSpecial && d.t.IsSpecial(id) {
		return dst
	}
	text := d.t.TokenBytes(id)
	for d.length > 0 && len(text) > 0 {
		d.held[d.length] = text[0]
		if held := d.held[:d.length+1]; !utf8.FullRune(held) {
			d.length++
			text = text[1:]
			continue
		}
		if r, n := utf8.DecodeRune(d.held[:d.length+1]); r != utf8.RuneError || n > 1 {
			dst = append(dst, d.held[:n]...)
			text = text[1:]
		} else {
			dst = utf8.AppendRune(dst, utf8.RuneError)
		}
		d.length = 0
	}
	dst, rest := appendText(dst, text)
	d.length += copy(d.held[d.length:], rest)
	return dst
}

// Flush appends a replacement character for a character that was not
// completed. The decoder is then as new.
func (d *Decoder) Flush(dst []byte) []byte {
	if d.length > 0 {
		dst = utf8.AppendRune(dst, utf8.RuneError)
	}
	d.length = 0
	return dst
}

// appendText appends text with what is not UTF-8 replaced and returns the
// beginning of a character at its end, which more bytes could complete.
func appendText(dst, text []byte) (out, rest []byte) {
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
