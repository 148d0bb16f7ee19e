package tokenizer

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// byteTable has a token for each byte, at the byte's id.
func byteTable() *Table {
	t := &Table{PreTokenizers: []PreTokenizer{ByteLevel{UseRegex: true}}, Model: Model{Unknown: None}}
	for b := range 256 {
		t.Tokens = append(t.Tokens, Token{Known: true, Bytes: []byte{byte(b)}})
		t.Alphabet[b] = int32(b)
	}
	return t
}

// add appends a token and returns its id.
func (t *Table) add(content string) int32 {
	t.Tokens = append(t.Tokens, Token{Known: true, Bytes: []byte(content)})
	return int32(len(t.Tokens) - 1)
}

// addMatched appends an added token, special.
func (t *Table) addMatched(a Added) int32 {
	a.ID = t.add(a.Content)
	t.Tokens[a.ID].Special = true
	t.Added = append(t.Added, a)
	return a.ID
}

func mustOpen(t testing.TB, table *Table) *Tokenizer {
	t.Helper()
	section, err := table.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := Open(section)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// encode is AppendEncode where nothing can fail.
func encode(t testing.TB, tok *Tokenizer, text string, special bool) []int32 {
	t.Helper()
	ids, err := tok.AppendEncode(nil, text, special)
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

// randomTable has merges of random tokens over few letters.
func randomTable(random *rand.Rand) *Table {
	t := byteTable()
	t.PreTokenizers = []PreTokenizer{ByteLevel{}}
	ids := []int32{'a', 'b', 'c'}
	for range random.IntN(30) {
		left, right := ids[random.IntN(len(ids))], ids[random.IntN(len(ids))]
		content := string(t.Tokens[left].Bytes) + string(t.Tokens[right].Bytes)
		if len(content) > 100 {
			continue
		}
		id := int32(slices.IndexFunc(t.Tokens, func(k Token) bool { return string(k.Bytes) == content }))
		if id < 0 {
			id = t.add(content)
			ids = append(ids, id)
		}
		t.Merges = append(t.Merges, Merge{left, right, id})
	}
	return t
}

// slowMerge states byte-pair encoding: while some pair merges, the most urgent
// does, the leftmost of equals.
func slowMerge(t *Table, word string) []int32 {
	var ids []int32
	for i := range len(word) {
		ids = append(ids, t.Alphabet[word[i]])
	}
	for {
		best, at := len(t.Merges), 0
		for i := range len(ids) - 1 {
			if rank := lastRank(t, ids[i], ids[i+1]); rank >= 0 && rank < best {
				best, at = rank, i
			}
		}
		if best == len(t.Merges) {
			return ids
		}
		ids[at] = t.Merges[best].Result
		ids = slices.Delete(ids, at+1, at+2)
	}
}

// lastRank returns the rank of the pair, of several the last, or -1.
func lastRank(t *Table, left, right int32) int {
	for rank := len(t.Merges) - 1; rank >= 0; rank-- {
		if m := t.Merges[rank]; m.Left == left && m.Right == right {
			return rank
		}
	}
	return -1
}

func TestMergeIsByRank(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	for range 300 {
		table := randomTable(random)
		tok := mustOpen(t, table)
		for range 10 {
			word := make([]byte, 1+random.IntN(3*shortWord))
			for i := range word {
				word[i] = "abc"[random.IntN(3)]
			}
			want := slowMerge(table, string(word))
			for range 2 { // the second time from the cache, if the word is short
				if have := encode(t, tok, string(word), false); !slices.Equal(have, want) {
					t.Fatalf("%s became %v, want %v; merges %v", word, have, want, table.Merges)
				}
			}
		}
	}
}

func TestDroppedBytes(t *testing.T) {
	table := byteTable()
	table.Alphabet['-'] = -1
	ab := table.add("ab")
	table.Merges = []Merge{{'a', 'b', ab}}
	table.PreTokenizers = nil
	tok := mustOpen(t, table)
	for text, want := range map[string][]int32{"a-b": {ab}, "-": nil, "--": nil, strings.Repeat("-", 99): nil} {
		if have := encode(t, tok, text, true); !slices.Equal(have, want) {
			t.Errorf("%q became %v, want %v", text, have, want)
		}
	}
}

func TestTemplate(t *testing.T) {
	table := byteTable()
	begin, end := table.add("<s>"), table.add("</s>")
	table.Prefix, table.Suffix = []int32{begin, begin}, []int32{end}
	tok := mustOpen(t, table)
	if have, want := append([]int32{7}, encode(t, tok, "x", true)...), []int32{7, begin, begin, 'x', end}; !slices.Equal(have, want) {
		t.Errorf("with special tokens %v, want %v", have, want)
	}
	if have, want := encode(t, tok, "", true), []int32{begin, begin, end}; !slices.Equal(have, want) {
		t.Errorf("empty text with special tokens %v, want %v", have, want)
	}
	if have, want := encode(t, tok, "x", false), []int32{'x'}; !slices.Equal(have, want) {
		t.Errorf("without special tokens %v, want %v", have, want)
	}
}

func TestPrefixSpace(t *testing.T) {
	table := byteTable()
	table.PreTokenizers = []PreTokenizer{ByteLevel{AddPrefixSpace: true, UseRegex: true}}
	x := table.addMatched(Added{Content: "<x>"})
	tok := mustOpen(t, table)
	for text, want := range map[string][]int32{
		"":       nil,
		"a":      {' ', 'a'},
		" a":     {' ', 'a'},
		"a<x>b":  {' ', 'a', x, ' ', 'b'},
		"<x><x>": {x, x},
	} {
		if have := encode(t, tok, text, false); !slices.Equal(have, want) {
			t.Errorf("%q became %v, want %v", text, have, want)
		}
	}
}

func TestGaps(t *testing.T) {
	table := byteTable()
	table.Tokens = append(table.Tokens, make([]Token, 10)...)
	last := table.addMatched(Added{Content: "<last>"})
	tok := mustOpen(t, table)
	if tok.Size() != 267 || tok.Known(260) || !tok.Known(last) || tok.Known(-1) || tok.Known(267) {
		t.Errorf("size %d, known %v %v", tok.Size(), tok.Known(260), tok.Known(last))
	}
	if tok.IsSpecial(260) || !tok.IsSpecial(last) || tok.TokenBytes(260) != nil || tok.TokenBytes(1<<30) != nil {
		t.Error("a gap has a token")
	}
	if have := string(tok.AppendDecode(nil, []int32{'a', 260, -5, last, 1 << 30, 'b'}, false)); have != "a<last>b" {
		t.Errorf("decoded %q", have)
	}
}

func TestConcurrentUse(t *testing.T) {
	table := randomTable(rand.New(rand.NewPCG(9, 9)))
	tok := mustOpen(t, table)
	word := strings.Repeat("abcab", 5)
	want := slowMerge(table, word)
	done := make(chan []int32)
	for range 4 {
		go func() {
			var ids []int32
			for range 100 {
				ids, _ = tok.AppendEncode(ids[:0], word, false)
			}
			done <- ids
		}()
	}
	for range 4 {
		if have := <-done; !slices.Equal(have, want) {
			t.Errorf("%v, want %v", have, want)
		}
	}
}

func TestDecoderAllocatesNothing(t *testing.T) {
	tok := mustOpen(t, byteTable())
	d := NewDecoder(tok, true)
	out := make([]byte, 0, 64)
	if n := testing.AllocsPerRun(100, func() {
		for _, b := range []byte("a\xe4\xb8\xad\xff") {
			out = d.Append(out[:0], int32(b))
		}
		out = d.Flush(out)
	}); n != 0 {
		t.Errorf("%g allocations", n)
	}
}
