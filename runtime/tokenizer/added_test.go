package tokenizer

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestAddedTokens(t *testing.T) {
	for _, test := range []struct {
		name  string
		added []Added // with the ids 256, 257, …
		nfc   bool
		text  string
		want  []int32
	}{
		{"leftmost", []Added{{Content: "ab"}, {Content: "bcd"}}, false, "abcd", []int32{256, 'c', 'd'}},
		{"longest", []Added{{Content: "ab"}, {Content: "abc"}, {Content: "a"}}, false, "abcabxa", []int32{257, 256, 'x', 258}},
		{"single word", []Added{{Content: "ab", SingleWord: true}}, false, "ab xab ab_ ab.", []int32{256, ' ', 'x', 'a', 'b', ' ', 'a', 'b', '_', ' ', 256, '.'}},
		{"single word letters", []Added{{Content: "ab", SingleWord: true}}, false, "éab-ab", []int32{0xc3, 0xa9, 'a', 'b', '-', 256}},
		{"strip left", []Added{{Content: "<m>", LStrip: true}}, false, "a \t<m> b", []int32{'a', 256, ' ', 'b'}},
		{"strip right", []Added{{Content: "<m>", RStrip: true}}, false, "a <m>\n\u3000b<m> ", []int32{'a', ' ', 256, 'b', 256}},
		{"strip both", []Added{{Content: "<m>", LStrip: true, RStrip: true}}, false, "<m>  <m> a  <m>", []int32{256, 256, 'a', 256}},
		{"raw before normalisation", []Added{{Content: "e\u0301"}}, true, "e\u0301é", []int32{256, 0xc3, 0xa9}},
		{"normalised", []Added{{Content: "e\u0301", Normalized: true}}, true, "e\u0301é", []int32{256, 256}},
		{"raw before normalised", []Added{{Content: "abc", Normalized: true}, {Content: "bc"}}, false, "abc", []int32{'a', 257}},
		{"the earlier of equals", []Added{{Content: "é", Normalized: true}, {Content: "e\u0301", Normalized: true}}, true, "é", []int32{256}},
		{"at the end", []Added{{Content: "<end>"}}, false, "<en<end>", []int32{'<', 'e', 'n', 256}},
		{"not UTF-8", []Added{{Content: "<x>"}}, true, "\xff<x>\xc3", []int32{0xff, 256, 0xc3}},
	} {
		table := byteTable()
		if test.nfc {
			table.Normalizers = []Normalizer{NFC{}}
		}
		for _, a := range test.added {
			table.addMatched(a)
		}
		if have := encode(t, mustOpen(t, table), test.text, false); !slices.Equal(have, test.want) {
			t.Errorf("%s: %q became %v, want %v", test.name, test.text, have, test.want)
		}
	}
}

// TestMatcher holds the matcher against trying every token at every place.
func TestMatcher(t *testing.T) {
	random := rand.New(rand.NewPCG(10, 11))
	for range 2000 {
		table := byteTable()
		for range random.IntN(8) {
			table.addMatched(Added{Content: letters(random, 1+random.IntN(5))})
		}
		tok := mustOpen(t, table)
		text := letters(random, random.IntN(30))
		if have, want := encode(t, tok, text, false), matchSlowly(table, text); !slices.Equal(have, want) {
			t.Fatalf("%q became %v, want %v", text, have, want)
		}
	}
}

func letters(random *rand.Rand, n int) string {
	out := make([]byte, n)
	for i := range out {
		out[i] = "ab\x00\xff"[random.IntN(4)]
	}
	return string(out)
}

func matchSlowly(table *Table, text string) (ids []int32) {
	for len(text) > 0 {
		best := Added{ID: int32(text[0]), Content: text[:1]}
		longest := 0
		for _, a := range table.Added {
			if strings.HasPrefix(text, a.Content) && len(a.Content) > longest {
				best, longest = a, len(a.Content)
			}
		}
		ids = append(ids, best.ID)
		text = text[len(best.Content):]
	}
	return ids
}

// TestStripOverlap has one token take the white space that another begins
// with, which the other still is: the reference does so.
func TestStripOverlap(t *testing.T) {
	table := byteTable()
	strip := table.addMatched(Added{Content: "<m>", RStrip: true})
	run := table.addMatched(Added{Content: "  "})
	tok := mustOpen(t, table)
	if have, want := encode(t, tok, "<m>    x", false), []int32{strip, run, run, 'x'}; !slices.Equal(have, want) {
		t.Errorf("%v, want %v", have, want)
	}
}
