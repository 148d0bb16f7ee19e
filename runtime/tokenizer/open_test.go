package tokenizer

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// fullTable uses every part of a table.
func fullTable() *Table {
	t := byteTable()
	t.Normalizers = []Normalizer{NFC{}}
	t.PreTokenizers = []PreTokenizer{ByteLevel{UseRegex: true, AddPrefixSpace: true}}
	ab, bc := t.add("ab"), t.add("bc")
	abc := t.add("abc")
	t.Merges = []Merge{{'a', 'b', ab}, {'b', 'c', bc}, {ab, 'c', abc}, {'a', bc, abc}}
	t.Tokens = append(t.Tokens, Token{}, Token{})
	begin := t.addMatched(Added{Content: "<s>"})
	t.addMatched(Added{Content: "<m>", SingleWord: true, LStrip: true, RStrip: true})
	t.addMatched(Added{Content: "  ", Normalized: true})
	t.addMatched(Added{Content: "   ", Normalized: true})
	t.Prefix, t.Suffix = []int32{begin}, []int32{begin, begin}
	return t
}

// characterTable uses what a table of characters has.
func characterTable() *Table {
	t := &Table{
		Normalizers:   []Normalizer{Lowercase{}, NFKD{}, StripAccents{}, Strip{Left: true}, Prepend{"_"}, Replace{must(Literal(" ")), "_"}, Replace{must(Regular(" {2,}")), " "}},
		PreTokenizers: []PreTokenizer{WhitespaceSplit{}, Whitespace{}, Digits{Individual: true}, Punctuation{Contiguous}, Split{must(Regular("[0-9][0-9][0-9]")), MergedWithPrevious, true}},
		Decoders:      []Decoding{ReplaceText{"_", " ", false}, ByteFallback{}, StripEnds{' ', 1, 1, false}, ReplaceText{"ab", "a", true}, StripEnds{' ', 1, 2, true}},
		Model:         Model{Kind: CharacterBPE, FuseUnknown: true, IgnoreMerges: true},
	}
	t.add("<unk>")
	for b := range t.Alphabet {
		t.Alphabet[b] = t.add(fmt.Sprintf("<0x%02X>", b))
	}
	for _, text := range []string{"a", "b", "c", "_", "ab", "abc", "_a"} {
		t.Pieces = append(t.Pieces, Piece{Text: text, ID: t.add(text)})
	}
	piece := func(i int) int32 { return t.Pieces[i].ID }
	t.Merges = []Merge{{piece(0), piece(1), piece(4)}, {piece(4), piece(2), piece(5)}, {piece(3), piece(0), piece(6)}}
	return t
}

// unigramTable uses what a table of Unigram has.
func unigramTable() *Table {
	t := &Table{
		Normalizers:   []Normalizer{NFKC{}, NFD{}},
		PreTokenizers: []PreTokenizer{Metaspace{'_', PrependFirst, true}},
		Decoders:      []Decoding{MetaspaceMarks{'_', true}, Spaces{}},
		Model:         Model{Kind: Unigram, UnknownScore: -20},
	}
	for b := range t.Alphabet {
		t.Alphabet[b] = None
	}
	t.add("<unk>")
	for i, text := range []string{"a", "b", "ab", "bc", "abc", "_", "_a"} {
		t.Pieces = append(t.Pieces, Piece{text, t.add(text), -float64(i)})
	}
	return t
}

func must(x Expression, err error) Expression {
	if err != nil {
		panic(err)
	}
	return x
}

// sections are tables of all kinds.
func sections(t testing.TB) (list [][]byte) {
	t.Helper()
	for _, table := range []*Table{fullTable(), characterTable(), unigramTable()} {
		section, err := table.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, section)
	}
	return list
}

func fullSection(t testing.TB) []byte {
	t.Helper()
	section, err := fullTable().Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return section
}

func TestAppendAppends(t *testing.T) {
	section := fullSection(t)
	have, err := fullTable().Append([]byte("before"))
	if err != nil || !bytes.Equal(have, append([]byte("before"), section...)) {
		t.Errorf("the table depends on what is before it (%v)", err)
	}
}

// TestOpenCutOff opens every beginning of a table.
func TestOpenCutOff(t *testing.T) {
	for _, section := range sections(t) {
		for n := range section {
			if _, err := Open(section[:n]); err == nil {
				t.Errorf("%d of %d bytes were opened", n, len(section))
			}
		}
	}
}

// TestOpenAltered alters every byte of every table, in one of three ways, and
// uses what still opens.
func TestOpenAltered(t *testing.T) {
	for _, section := range sections(t) {
		for i := range section {
			altered := bytes.Clone(section)
			altered[i] ^= [...]byte{0x01, 0x80, 0xff}[i%3]
			exercise(t, altered)
		}
	}
}

const exercised = "<s>abc cab   <m> e\u0301<m>\u0301\xff don't 中" // all paths

// exercise opens a table and encodes and decodes with it.
func exercise(t testing.TB, table []byte) {
	tok, err := Open(table)
	if err != nil {
		if text := err.Error(); strings.Contains(text, "\n") || !strings.HasPrefix(text, "tokenizer table: ") {
			t.Errorf("error %q", text)
		}
		return
	}
	ids := encode(t, tok, exercised+strings.Repeat("abc", shortWord), true)
	for _, id := range ids {
		if id < 0 || int(id) >= tok.Size() {
			t.Errorf("id %d of %d", id, tok.Size())
		}
	}
	for id := range int32(tok.Size()) {
		ids = append(ids, id)
	}
	tok.AppendDecode(nil, ids, true)
}

func FuzzOpen(f *testing.F) {
	for _, section := range sections(f) {
		f.Add(section)
	}
	plain, err := byteTable().Append(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(plain)
	f.Fuzz(func(t *testing.T, table []byte) { exercise(t, table) })
}

func TestAppendRefuses(t *testing.T) {
	for want, alter := range map[string]func(*Table){
		"the vocabulary is empty":                  func(t *Table) { *t = Table{} },
		"byte 97 starts as id 9999":                func(t *Table) { t.Alphabet['a'] = 9999 },
		"byte 97 starts as id 259":                 func(t *Table) { t.Alphabet['a'] = 259 },
		"merge 4 of 97 and -1 to 97":               func(t *Table) { t.Merges = append(t.Merges, Merge{'a', -1, 'a'}) },
		"added token \"<s>\" has id 1000":          func(t *Table) { t.Added[0].ID = 1000 },
		"added token 261 has 0 bytes":              func(t *Table) { t.Added[0].Content = "" },
		"id 259 around a text":                     func(t *Table) { t.Suffix = []int32{259} },
		"token 97 has 1025 bytes, want at most 10": func(t *Table) { t.Tokens['a'].Bytes = make([]byte, MaxContent+1) },
		"the unknown token has id 259":             func(t *Table) { t.Model.Unknown = 259 },
		"model of unknown kind 3":                  func(t *Table) { t.Model.Kind = modelKinds },
		"Unigram has no unknown token":             func(t *Table) { t.Model.Kind = Unigram },
		"piece \"ab\" has id 259":                   func(t *Table) { t.Pieces = []Piece{{Text: "ab", ID: 259}} },
		"65 and 2 tokens around a text":            func(t *Table) { t.Prefix = make([]int32, 65) },
	} {
		table := fullTable()
		alter(table)
		if _, err := table.Append(nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// TestMergesFit places pairs that a plain hash would heap up.
func TestMergesFit(t *testing.T) {
	for _, stride := range []int32{1, 2, 1 << 8, 1 << 16} {
		var list []Merge
		for i := range int32(20000) {
			list = append(list, Merge{Left: i * stride & (MaxSize - 1), Right: i, Result: i})
		}
		section, err := appendMerges(nil, list)
		if err != nil {
			t.Fatal(err)
		}
		var m merges
		if err := m.open(section, MaxSize); err != nil {
			t.Fatal(err)
		}
		for rank, merge := range list {
			if r, id := m.find(merge.Left, merge.Right); int(r) != rank || id != merge.Result {
				t.Fatalf("stride %d: pair %v has rank %d, result %d", stride, merge, r, id)
			}
			if r, _ := m.find(merge.Left, merge.Right+20000); r != noMerge {
				t.Fatalf("stride %d: a pair that was not added has rank %d", stride, r)
			}
		}
	}
}
