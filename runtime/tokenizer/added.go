package tokenizer

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The flags of an added token in the table.
const (
	singleWordFlag = 1 << iota
	lstripFlag
	rstripFlag
	allAddedFlags = 1<<iota - 1
)

const addedHeader = 12 // id, flags, length of the content

// matcher finds added tokens: the leftmost, and of those the longest.
type matcher struct {
	tokens []Added // by content
	// first holds what tokens begin with: single bytes and pairs of bytes.
	first [256]bool
	pairs []uint64 // a bit per pair; nil without tokens
}

// addedTokens returns the tokens to look for in raw and in normalised text,
// the latter normalised, each sorted and without doubles.
func (t *Table) addedTokens() (raw, normalized []Added, err error) {
	for _, a := range t.Added {
		if a.Normalized {
			for _, n := range t.Normalizers {
				if a.Content, err = n.normalize(a.Content); err != nil {
					return nil, nil, fmt.Errorf("added token %d: %w", a.ID, err)
				}
			}
		}
		if a.Content == "" || len(a.Content) > MaxContent {
			return nil, nil, fmt.Errorf("added token %d has %d bytes, want 1 to %d", a.ID, len(a.Content), MaxContent)
		}
		if a.Normalized {
			normalized = append(normalized, a)
		} else {
			raw = append(raw, a)
		}
	}
	return sortAdded(raw), sortAdded(normalized), nil
}

// sortAdded sorts by content and keeps the first of each.
func sortAdded(list []Added) []Added {
	slices.SortStableFunc(list, func(a, b Added) int { return cmp.Compare(a.Content, b.Content) })
	return slices.CompactFunc(list, func(a, b Added) bool { return a.Content == b.Content })
}

func appendAdded(dst []byte, list []Added) []byte {
	for _, a := range list {
		flags := uint32(0)
		for i, set := range [...]bool{a.SingleWord, a.LStrip, a.RStrip} {
			if set {
				flags |= 1 << i
			}
		}
		dst = order.AppendUint32(dst, uint32(a.ID))
		dst = order.AppendUint32(dst, flags)
		dst = order.AppendUint32(dst, uint32(len(a.Content)))
		dst = append(dst, a.Content...)
	}
	return dst
}

func (m *matcher) open(section []byte) error {
	text := string(section) // one copy: the contents are parts of it
	for at := 0; at < len(text); {
		if len(text)-at < addedHeader {
			return errors.New("an added token is cut off")
		}
		header := section[at : at+addedHeader]
		id, flags, length := order.Uint32(header), order.Uint32(header[4:]), order.Uint32(header[8:])
		at += addedHeader
		if length == 0 || length > MaxContent || int(length) > len(text)-at || flags > allAddedFlags || len(m.tokens) == MaxAdded {
			return fmt.Errorf("added token %d is damaged", id)
		}
		a := Added{
			ID: int32(id), Content: text[at : at+int(length)],
			SingleWord: flags&singleWordFlag != 0, LStrip: flags&lstripFlag != 0, RStrip: flags&rstripFlag != 0,
		}
		if n := len(m.tokens); n > 0 && m.tokens[n-1].Content >= a.Content {
			return fmt.Errorf("added token %d is out of order", id)
		}
		m.tokens = append(m.tokens, a)
		at += int(length)
	}
	m.index()
	return nil
}

// index notes how tokens begin.
func (m *matcher) index() {
	if len(m.tokens) == 0 {
		return
	}
	m.pairs = make([]uint64, 1<<16/64)
	for i := range m.tokens {
		content := m.tokens[i].Content
		m.first[content[0]] = true
		if len(content) > 1 {
			m.markPair(content[0], content[1])
			continue
		}
		for second := range 256 {
			m.markPair(content[0], byte(second))
		}
	}
}

func (m *matcher) markPair(a, b byte) {
	pair := uint(a)<<8 | uint(b)
	m.pairs[pair/64] |= 1 << (pair % 64)
}

// next returns where the first match at or after from begins, and its token;
// nil if there is none.
func (m *matcher) next(text string, from int) (int, *Added) {
	if m.pairs == nil {
		return 0, nil
	}
	for i := from; i < len(text); i++ {
		if i+1 < len(text) {
			pair := uint(text[i])<<8 | uint(text[i+1])
			if m.pairs[pair/64]&(1<<(pair%64)) == 0 {
				continue
			}
		} else if !m.first[text[i]] {
			continue
		}
		if a := m.longest(text[i:]); a != nil {
			return i, a
		}
	}
	return 0, nil
}

// longest returns the longest token that text begins with. Byte after byte it
// narrows the sorted tokens to those that agree so far.
func (m *matcher) longest(text string) *Added {
	low, high := 0, len(m.tokens)
	var found *Added
	for at := 0; at < len(text) && low < high; at++ {
		c := int(text[at])
		low += m.below(low, high, at, c)
		high = low + m.below(low, high, at, c+1)
		if low < high && len(m.tokens[low].Content) == at+1 {
			found = &m.tokens[low]
			low++
		}
	}
	return found
}

// below counts the tokens of low to high whose byte at the place is below c;
// they agree before it and are longer.
func (m *matcher) below(low, high, at, c int) int {
	part := m.tokens[low:high]
	first := 0
	for first < len(part) {
		middle := int(uint(first+len(part)) / 2)
		if int(part[middle].Content[at]) < c {
			first = middle + 1
		} else {
			part = part[:middle]
		}
	}
	return first
}

// split calls token for every match and rest for every text between, in order.
// first says that nothing was before the text, and tells the same of its parts.
func (m *matcher) split(text string, first bool, rest func(string, bool), token func(int32)) {
	done := 0
	for from := 0; ; {
		start, a := m.next(text, from)
		if a == nil {
			break
		}
		end := start + len(a.Content)
		from = end // the next match is looked for here, whatever RStrip takes
		if a.SingleWord && (endsWithWord(text[:start]) || startsWithWord(text[end:])) {
			continue
		}
		start, end = a.strip(text, done, start, end)
		if done < start {
			rest(text[done:start], first && done == 0)
		}
		token(a.ID)
		done = end
	}
	if done < len(text) {
		rest(text[done:], first && done == 0)
	}
}

// strip extends a match by the white space that belongs to it. Where done lies
// behind the match, the token before took that space up to its end already.
func (a *Added) strip(text string, done, start, end int) (int, int) {
	if a.LStrip {
		start = max(start, done)
		start = done + len(strings.TrimRightFunc(text[done:start], isSpace))
	}
	if a.RStrip {
		end = max(end, done)
		end = len(text) - len(strings.TrimLeftFunc(text[end:], isSpace))
	}
	return start, end
}

func endsWithWord(text string) bool {
	r, _ := utf8.DecodeLastRuneInString(text)
	return text != "" && isWord(r)
}

func startsWithWord(text string) bool {
	r, _ := utf8.DecodeRuneInString(text)
	return text != "" && isWord(r)
}

// isWord is \w as Unicode has it.
func isWord(r rune) bool {
	return unicode.In(r, unicode.L, unicode.Nl, unicode.Other_Alphabetic, unicode.M, unicode.Nd, unicode.Pc, unicode.Join_Control)
}
