package tokenizer

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestUnknown has what characters without token become.
func TestUnknown(t *testing.T) {
	plain := func(m Model) *Table {
		t := characterTable()
		t.Normalizers, t.PreTokenizers, t.Model = nil, nil, m
		for b := range t.Alphabet {
			t.Alphabet[b] = None
		}
		return t
	}
	a, b, ab := int32(257), int32(258), int32(261)
	for _, test := range []struct {
		name  string
		table *Table
		text  string
		want  []int32
	}{
		{"dropped", plain(Model{Kind: CharacterBPE, Unknown: None}), "ax中b", []int32{ab}},
		{"each", plain(Model{Kind: CharacterBPE}), "ax中b\xff", []int32{a, 0, 0, b, 0}},
		{"fused", plain(Model{Kind: CharacterBPE, FuseUnknown: true}), "x中ab\xffy", []int32{0, ab, 0}},
		{"word", plain(Model{Kind: CharacterBPE, IgnoreMerges: true}), "abc", []int32{262}},
		{"merges ignored in longer words", plain(Model{Kind: CharacterBPE, IgnoreMerges: true}), "abcx", []int32{262, 0}},
	} {
		if have := encode(t, mustOpen(t, test.table), test.text, false); !slices.Equal(have, test.want) {
			t.Errorf("%s: %q became %v, want %v", test.name, test.text, have, test.want)
		}
	}
	table := characterTable()
	table.Normalizers, table.PreTokenizers = nil, nil
	if have, want := encode(t, mustOpen(t, table), "é\xff\x00a", false), []int32{1 + 0xc3, 1 + 0xa9, 1 + 0xff, 1, a}; !slices.Equal(have, want) {
		t.Errorf("bytes: %v, want %v", have, want)
	}
	// Without a token for one byte its characters are unknown, and come behind
	// those that have bytes.
	table.Alphabet[0xc3] = None
	if have, want := encode(t, mustOpen(t, table), "éжa", false), []int32{1 + 0xd0, 1 + 0xb6, 0, a}; !slices.Equal(have, want) {
		t.Errorf("some bytes: %v, want %v", have, want)
	}
}

func TestUnknownBytes(t *testing.T) {
	table := byteTable()
	table.Alphabet['x'] = None
	table.Model = Model{Unknown: 'u', FuseUnknown: true}
	if have, want := encode(t, mustOpen(t, table), "xxaxu", false), []int32{'u', 'a', 'u', 'u'}; !slices.Equal(have, want) {
		t.Errorf("%v, want %v", have, want)
	}
}

// likeliest tries every way to cut a word; of equals it takes the one whose
// last piece starts first, and so on to the front.
func likeliest(table *Table, word string) []string {
	best := map[string]struct {
		score float64
		words []string
	}{"": {}}
	for end := 1; end <= len(word); end++ {
		if end < len(word) && !utf8.RuneStart(word[end]) {
			continue
		}
		score, found := math.Inf(-1), []string(nil)
		for start := range end {
			before, ok := best[word[:start]]
			s, known := scoreOf(table, word[start:end])
			if ok && known && before.score+s > score {
				score, found = before.score+s, append(slices.Clone(before.words), word[start:end])
			}
		}
		best[word[:end]] = struct {
			score float64
			words []string
		}{score, found}
	}
	return best[word].words
}

// scoreOf is the score of a piece, or of an unknown character.
func scoreOf(table *Table, text string) (float64, bool) {
	for _, p := range slices.Backward(table.Pieces) {
		if p.Text == text {
			return p.Score, true
		}
	}
	return table.Model.UnknownScore, utf8.RuneCountInString(text) == 1
}

func TestUnigramIsLikeliest(t *testing.T) {
	random := rand.New(rand.NewPCG(15, 16))
	for range 300 {
		table := unigramTable()
		table.Normalizers, table.PreTokenizers, table.Pieces = nil, nil, nil
		for range 1 + random.IntN(12) {
			text := randomText(random, 1+random.IntN(4))
			table.Pieces = append(table.Pieces, Piece{text, table.add(text), -random.Float64() * 10})
		}
		tok := mustOpen(t, table)
		for range 10 {
			word := randomText(random, 1+random.IntN(20))
			if have, want := encode(t, tok, word, false), idsOf(table, likeliest(table, word)); !slices.Equal(have, want) {
				t.Fatalf("%q became %v, want %v; pieces %v", word, have, want, table.Pieces)
			}
		}
	}
}

func randomText(random *rand.Rand, n int) string {
	var b strings.Builder
	for range n {
		b.WriteString([]string{"a", "b", "é", "中"}[random.IntN(4)])
	}
	return b.String()
}

// idsOf turns pieces into ids: those unknown in a row are one, which may be a
// piece after all.
func idsOf(table *Table, words []string) (ids []int32) {
	unknown := ""
	settle := func() {
		if unknown != "" {
			ids = append(ids, idOf(table, unknown))
		}
		unknown = ""
	}
	for _, w := range words {
		if id := idOf(table, w); id != table.Model.Unknown {
			settle()
			ids = append(ids, id)
		} else {
			unknown += w
		}
	}
	settle()
	return ids
}

func idOf(table *Table, text string) int32 {
	for _, p := range slices.Backward(table.Pieces) {
		if p.Text == text {
			return p.ID
		}
	}
	return table.Model.Unknown
}

func TestUnigramBytes(t *testing.T) {
	table := unigramTable()
	table.Normalizers, table.PreTokenizers = nil, nil
	for b := range table.Alphabet {
		table.Alphabet[b] = table.add("<byte>")
	}
	first := table.Alphabet[0]
	if have, want := encode(t, mustOpen(t, table), "aé\xffb", false), []int32{1, first + 0xc3, first + 0xa9, first + 0xff, 2}; !slices.Equal(have, want) {
		t.Errorf("%v, want %v", have, want)
	}
}

// TestLongWordIsCut cuts a word between its characters.
func TestLongWordIsCut(t *testing.T) {
	table := characterTable()
	table.Normalizers, table.PreTokenizers = nil, nil
	table.Pieces = append(table.Pieces, Piece{Text: "中", ID: table.add("中")})
	word := strings.Repeat("中", maxWord/3+10)
	ids := encode(t, mustOpen(t, table), word, false)
	if len(ids) != maxWord/3+10 || slices.Min(ids) != slices.Max(ids) {
		t.Errorf("%d ids from %d to %d", len(ids), slices.Min(ids), slices.Max(ids))
	}
}

func TestPiecesBound(t *testing.T) {
	list := []Piece{{Text: "abc"}, {Text: "abd"}} // with the root five nodes
	if _, err := appendPieces(nil, list, 5); err != nil {
		t.Error(err)
	}
	if _, err := appendPieces(nil, list, 4); err == nil || !strings.Contains(err.Error(), "more than 4 beginnings") {
		t.Errorf("error %v", err)
	}
}
