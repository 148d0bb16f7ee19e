package tokenizer

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// decodeTokens decodes tokens with ids 0, 1, ….
func decodeTokens(t *testing.T, steps []Decoding, tokens ...string) string {
	t.Helper()
	table := &Table{Decoders: steps, Model: Model{Unknown: None}}
	var ids []int32
	for _, token := range tokens {
		ids = append(ids, table.add(token))
	}
	tok := mustOpen(t, table)
	whole := string(tok.AppendDecode(nil, ids, false))
	d := NewDecoder(tok, false)
	for range 2 { // the second time as new
		var streamed []byte
		for _, id := range ids {
			streamed = d.Append(streamed, id)
		}
		if streamed = d.Flush(streamed); string(streamed) != whole {
			t.Errorf("%q: streamed %q, at once %q", tokens, streamed, whole)
		}
	}
	return whole
}

func TestDecoders(t *testing.T) {
	for _, test := range []struct {
		name   string
		steps  []Decoding
		tokens string // with spaces between them
		want   string
	}{
		{"none", []Decoding{Spaces{}}, "a b c", "a b c"},
		{"bytes", []Decoding{ByteFallback{}}, "<0xE4> <0xB8> <0xAD> x", "中x"},
		{"bytes at the end", []Decoding{ByteFallback{}}, "x <0xC3> <0xa9>", "xé"},
		{"bytes damaged", []Decoding{ByteFallback{}}, "<0x61> <0xFF> a <0x62>", "\uFFFD\uFFFDab"},
		{"not bytes", []Decoding{ByteFallback{}}, "<0xGG> <0x1> <0x123>", "<0xGG><0x1><0x123>"},
		{"marks", []Decoding{MetaspaceMarks{'▁', true}}, "▁▁Hey▁ ▁friend!", "Hey friend!"},
		{"marks never before", []Decoding{MetaspaceMarks{'▁', false}}, "▁Hey ▁friend!", " Hey friend!"},
		{"strip tokens", []Decoding{StripEnds{'H', 1, 0, false}}, "Hey HH ! H", "eyH!"},
		{"strip ends of tokens", []Decoding{StripEnds{'y', 0, 1, false}}, "Hey yy y!", "Heyy!"},
		{"strip text", []Decoding{StripEnds{'H', 2, 2, true}}, "H HHa HbH H H", "HaHbH"},
		{"strip what ends", []Decoding{StripEnds{'é', 0, 3, true}}, "é é aé é bé é", "ééaééb"},
		{"strip all", []Decoding{StripEnds{'a', 0, 5, true}}, "a aa", ""},
		{"replace in tokens", []Decoding{ReplaceText{"ab", "x", false}}, "a b abab aba", "abxxxa"},
		{"replace in text", []Decoding{ReplaceText{"aab", "x", true}}, "a a a b aa", "axaa"},
		{"replaced and stripped", []Decoding{ByteFallback{}, ReplaceText{"_", " ", true}, StripEnds{' ', 1, 0, true}}, "_a _b <0x5F> c", "a b c"},
	} {
		if have := decodeTokens(t, test.steps, strings.Split(test.tokens, " ")...); have != test.want {
			t.Errorf("%s: %q, want %q", test.name, have, test.want)
		}
	}
}

// TestReplaceInParts replaces in texts however they are cut.
func TestReplaceInParts(t *testing.T) {
	random := rand.New(rand.NewPCG(17, 18))
	for range 2000 {
		old := letters(random, 1+random.IntN(4))
		var parts []string
		for range 1 + random.IntN(8) {
			parts = append(parts, strings.ToValidUTF8(letters(random, random.IntN(5)), "b"))
		}
		old = strings.ToValidUTF8(old, "b")
		want := strings.ReplaceAll(strings.Join(parts, ""), old, "<>")
		if have := decodeTokens(t, []Decoding{ReplaceText{old, "<>", true}}, parts...); have != want {
			t.Fatalf("%q in %q: %q, want %q", old, parts, have, want)
		}
	}
}

// TestResume decodes what goes on behind a text.
func TestResume(t *testing.T) {
	for name, steps := range map[string][]Decoding{
		"marks":  {MetaspaceMarks{'_', true}},
		"strip":  {ByteFallback{}, ReplaceText{"_", " ", false}, StripEnds{' ', 1, 0, true}},
		"spaces": {ReplaceText{"_", "", true}, Spaces{}},
	} {
		table := &Table{Decoders: steps, Model: Model{Unknown: None}}
		a, s := table.add("_a"), table.addMatched(Added{Content: "<s>"})
		tok := mustOpen(t, table)
		for _, test := range []struct {
			before []int32
			want   string
		}{{nil, "a"}, {[]int32{s, 99, -1}, "a"}, {[]int32{s, a}, " a"}} {
			d := NewDecoder(tok, true)
			for _, id := range test.before {
				d.Resume(id)
			}
			if have := string(d.Flush(d.Append(nil, a))); have != test.want {
				t.Errorf("%s behind %v: %q, want %q", name, test.before, have, test.want)
			}
		}
		d := NewDecoder(tok, true)
		d.Continue()
		if have := string(d.Flush(d.Append(nil, a))); have != " a" {
			t.Errorf("%s behind a text: %q", name, have)
		}
	}
}
