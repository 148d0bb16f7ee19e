package tokenizer

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/mambac/mambac/runtime/tokenizer"
)

// checkStream proves that decoding id by id yields whole characters that add
// up to the text decoded at once.
func checkStream(t testing.TB, tok *tokenizer.Tokenizer, ids []int32) {
	t.Helper()
	for _, skip := range []bool{false, true} {
		d := tokenizer.NewDecoder(tok, skip)
		var streamed []byte
		for _, id := range ids {
			before := len(streamed)
			streamed = d.Append(streamed, id)
			if !utf8.Valid(streamed[before:]) {
				t.Fatalf("%v: id %d gave %q", ids, id, streamed[before:])
			}
		}
		streamed = d.Flush(streamed)
		if whole := tok.AppendDecode(nil, ids, skip); string(whole) != string(streamed) {
			t.Errorf("%v: streamed %q, at once %q", ids, streamed, whole)
		}
	}
}

// lossy states the replacement rule of the Unicode standard, table 3-7, anew:
// one replacement character per longest beginning of a character.
func lossy(raw []byte) string {
	var out strings.Builder
	for len(raw) > 0 {
		if r, n := utf8.DecodeRune(raw); r != utf8.RuneError || n > 1 {
			out.WriteRune(r)
			raw = raw[n:]
			continue
		}
		out.WriteRune(utf8.RuneError)
		raw = raw[max(1, beginning(raw)):]
	}
	return out.String()
}

// beginning returns how many bytes at the front could be those of a character.
func beginning(raw []byte) int {
	low, high, length := byte(0x80), byte(0xbf), 0
	switch b := raw[0]; {
	case b >= 0xc2 && b <= 0xdf:
		length = 2
	case b >= 0xe0 && b <= 0xef:
		length = 3
	case b >= 0xf0 && b <= 0xf4:
		length = 4
	default:
		return 0
	}
	switch raw[0] {
	case 0xe0:
		low = 0xa0
	case 0xed:
		high = 0x9f
	case 0xf0:
		low = 0x90
	case 0xf4:
		high = 0x8f
	}
	n := 1
	for n < length && n < len(raw) && raw[n] >= low && raw[n] <= high {
		low, high = 0x80, 0xbf
		n++
	}
	return n
}

// TestStreamOfRandomIDs holds decoding against the letter of the file.
func TestStreamOfRandomIDs(t *testing.T) {
	forEach(t, func(t *testing.T, folder string) {
		tok := opened(t, folder)
		slow := readSlow(t, folder)
		random := rand.New(rand.NewPCG(1, 2))
		for range 2000 {
			ids := make([]int32, random.IntN(40))
			for i := range ids {
				ids[i] = random.Int32N(int32(tok.Size()))
				if random.IntN(2) == 0 {
					ids[i] = random.Int32N(300) // bytes: damaged characters
				}
			}
			ids = append(ids, -1, int32(tok.Size()))
			checkStream(t, tok, ids)
			for _, skip := range []bool{false, true} {
				if have, want := string(tok.AppendDecode(nil, ids, skip)), slow.decode(t, ids, skip); have != want {
					t.Fatalf("%v: decoded %q, want %q", ids, have, want)
				}
			}
		}
	})
}
