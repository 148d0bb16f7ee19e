package tokenizer

import (
	"cmp"
	"slices"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The forms of Unicode. Bytes that are not UTF-8 stay.
type (
	NFC  struct{} // canonical composition
	NFD  struct{} // canonical decomposition
	NFKC struct{} // compatibility decomposition, then canonical composition
	NFKD struct{} // compatibility decomposition
)

const (
	nfcKind = iota + 1
	nfdKind
	nfkcKind
	nfkdKind
)

func init() {
	normalizerKinds.register(nfcKind, without[Normalizer](NFC{}))
	normalizerKinds.register(nfdKind, without[Normalizer](NFD{}))
	normalizerKinds.register(nfkcKind, without[Normalizer](NFKC{}))
	normalizerKinds.register(nfkdKind, without[Normalizer](NFKD{}))
}

func (NFC) kind() uint32  { return nfcKind }
func (NFD) kind() uint32  { return nfdKind }
func (NFKC) kind() uint32 { return nfkcKind }
func (NFKD) kind() uint32 { return nfkdKind }

func (NFC) appendParameters(dst []byte) []byte  { return dst }
func (NFD) appendParameters(dst []byte) []byte  { return dst }
func (NFKC) appendParameters(dst []byte) []byte { return dst }
func (NFKD) appendParameters(dst []byte) []byte { return dst }

func (NFC) normalize(text string) (string, error)  { return nfc.normalize(text), nil }
func (NFD) normalize(text string) (string, error)  { return nfd.normalize(text), nil }
func (NFKC) normalize(text string) (string, error) { return nfkc.normalize(text), nil }
func (NFKD) normalize(text string) (string, error) { return nfkd.normalize(text), nil }

// form is how a form is made.
type form struct {
	whole      norm.Form
	decomposed norm.Form
	compose    bool
}

var (
	nfc  = form{norm.NFC, norm.NFD, true}
	nfd  = form{norm.NFD, norm.NFD, false}
	nfkc = form{norm.NFKC, norm.NFKD, true}
	nfkd = form{norm.NFKD, norm.NFKD, false}
)

// shortSegment is the number of characters up to which package norm is plain
// the form: it breaks up more than 30 marks in a row, as streams need it and other
// tokenizers do not, and no character decomposes into more than 4.
const shortSegment = 7

func (f form) normalize(text string) string {
	if f.whole.IsNormalString(text) {
		return text
	}
	c := composer{form: f}
	out := make([]byte, 0, len(text))
	for len(text) > 0 {
		start, end := f.longSegment(text)
		out = f.whole.AppendString(out, text[:start])
		out = c.append(out, text[start:end])
		text = text[end:]
	}
	return string(out)
}

// longSegment returns the bounds of the first segment of text that is too long
// for package norm, or the end of text twice. A segment composes on its own:
// it begins where nothing before it changes what follows.
func (f form) longSegment(text string) (start, end int) {
	characters := 0
	for end < len(text) {
		if text[end] < utf8.RuneSelf || f.whole.PropertiesString(text[end:]).BoundaryBefore() {
			if characters > shortSegment {
				return start, end
			}
			start, characters = end, 0
		}
		r, n := utf8.DecodeRuneInString(text[end:])
		end += n
		characters++
		if r == utf8.RuneError && n == 1 && characters <= shortSegment {
			start, characters = end, 0
		}
	}
	if characters > shortSegment {
		return start, end
	}
	return end, end
}

// composer makes a form by the letter of the standard, of segments of any
// length.
type composer struct {
	form       form
	characters []character
	buffer     []byte
}

type character struct {
	r     rune
	class uint8 // canonical combining class
}

func (c *composer) append(dst []byte, text string) []byte {
	c.decompose(text)
	c.sortMarks()
	if c.form.compose {
		c.compose()
	}
	for _, ch := range c.characters {
		dst = utf8.AppendRune(dst, ch.r)
	}
	return dst
}

func (c *composer) decompose(text string) {
	c.characters = c.characters[:0]
	for len(text) > 0 {
		_, n := utf8.DecodeRuneInString(text)
		c.buffer = c.form.decomposed.AppendString(c.buffer[:0], text[:n])
		for rest := c.buffer; len(rest) > 0; {
			r, m := utf8.DecodeRune(rest)
			c.characters = append(c.characters, character{r, norm.NFD.Properties(rest).CCC()})
			rest = rest[m:]
		}
		text = text[n:]
	}
}

// sortMarks puts each run of marks in the order of their classes.
func (c *composer) sortMarks() {
	for from := 0; from < len(c.characters); {
		end := from
		for end < len(c.characters) && c.characters[end].class != 0 {
			end++
		}
		slices.SortStableFunc(c.characters[from:end], func(a, b character) int { return cmp.Compare(a.class, b.class) })
		from = end + 1
	}
}

// compose joins each character with the last starter before it, unless one
// that stays between them is in the way.
func (c *composer) compose() {
	out := c.characters[:0]
	starter := -1
	for _, ch := range c.characters {
		free := starter >= 0 && (starter == len(out)-1 || out[len(out)-1].class < ch.class)
		if free {
			if joined, ok := c.pair(out[starter].r, ch.r); ok {
				out[starter].r = joined
				continue
			}
		}
		if ch.class == 0 {
			starter = len(out)
		}
		out = append(out, ch)
	}
	c.characters = out
}

// pair returns what two characters compose to.
func (c *composer) pair(a, b rune) (rune, bool) {
	text := utf8.AppendRune(utf8.AppendRune(make([]byte, 0, 2*utf8.UTFMax), a), b)
	c.buffer = norm.NFC.Append(c.buffer[:0], text...)
	r, n := utf8.DecodeRune(c.buffer)
	return r, n == len(c.buffer)
}
