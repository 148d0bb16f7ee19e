package tokenizer

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// word is what \w+|[^\w\s]+ matches, for which this package has no engine.
func word(text string) int {
	classes := []func(rune) bool{isWord, func(r rune) bool { return !isWord(r) && !isSpace(r) }}
	for _, is := range classes {
		if n := len(text) - len(strings.TrimLeftFunc(text, is)); n > 0 {
			return n
		}
	}
	return 0
}

// TestPreTokenizers has the words that the reference makes.
func TestPreTokenizers(t *testing.T) {
	words := Expression{find: findKnown(word)}
	const how = "How are you doing?"
	for _, test := range []struct {
		name string
		step PreTokenizer
		text string
		want string // words with | between them
	}{
		{"split removed", Split{words, Removed, false}, how, " | | "},
		{"split isolated", Split{words, Isolated, false}, how, "How| |are| |you| |doing|?"},
		{"split to previous", Split{words, MergedWithPrevious, false}, how, "How| are| you| doing|?"},
		{"split to next", Split{words, MergedWithNext, false}, how, "How |are |you |doing|?"},
		{"split contiguous", Split{words, Contiguous, false}, how, "How| |are| |you| |doing?"},
		{"split removed inverted", Split{words, Removed, true}, how, "How|are|you|doing|?"},
		{"split to previous inverted", Split{words, MergedWithPrevious, true}, how, "How |are |you |doing|?"},
		{"split to next inverted", Split{words, MergedWithNext, true}, how, "How| are| you| doing|?"},
		{"split by text", Split{must(Literal("ab")), MergedWithNext, false}, "ababxab", "ab|abx|ab"},
		{"split to previous at the front", Split{must(Literal("a")), MergedWithPrevious, false}, "aaxaa", "a|a|xa|a"},
		{"split without match", Split{must(Literal("-")), Removed, false}, "abc", "abc"},
		{"split all removed", Split{must(Literal("-")), Removed, false}, "--", ""},
		{"punctuation", Punctuation{Isolated}, "Hey friend!     How are you?!?", "Hey friend|!|     How are you|?|!|?"},
		{"punctuation contiguous", Punctuation{Contiguous}, "a$+«b", "a|$+«|b"},
		{"digits", Digits{}, "Hey 123 friend!", "Hey |123| friend!"},
		{"digits one by one", Digits{Individual: true}, "Hey 1½Ⅷ", "Hey |1|½|Ⅷ"},
		{"white space", WhitespaceSplit{}, " Hey  man!\u3000x ", "Hey|man!|x"},
		{"white space and words", Whitespace{}, "Hey man! a_b1-é", "Hey|man|!|a_b1|-|é"},
		{"white space alone", Whitespace{}, "\n \n", ""},
		{"marks", Metaspace{'▁', PrependAlways, true}, "Hey friend!", "▁Hey|▁friend!"},
		{"marks in a row", Metaspace{'▁', PrependAlways, true}, "Hey   friend!", "▁Hey|▁|▁|▁friend!"},
		{"marks never before", Metaspace{'▁', PrependNever, true}, "Hey friend!", "Hey|▁friend!"},
		{"marks not split", Metaspace{'▁', PrependFirst, false}, "Hey friend!", "▁Hey▁friend!"},
		{"marks that are there", Metaspace{'▁', PrependAlways, true}, "▁a b ", "▁a|▁b|▁"},
	} {
		have := strings.Join(split(t, test.step, test.text), "|")
		if have != test.want {
			t.Errorf("%s: %q became %q, want %q", test.name, test.text, have, test.want)
		}
	}
}

// TestMarksFirst has the mark only before the text that begins what is encoded.
func TestMarksFirst(t *testing.T) {
	table := unigramTable()
	s := table.addMatched(Added{Content: "<s>"})
	for text, want := range map[string][]int32{
		"a<s>a":  {6, 1, s, 1},
		"<s>a a": {s, 1, 6, 1},
		" a":     {6, 1},
		"":       nil,
	} {
		if have := encode(t, mustOpen(t, table), text, false); !slices.Equal(have, want) {
			t.Errorf("%q became %v, want %v", text, have, want)
		}
	}
}

// TestStepsKeepText cuts random texts: but for what is removed, the words are
// the text.
func TestStepsKeepText(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	alphabet := []string{"a", "é", "1", "½", " ", "\n", ".", "!", "\xff", "\xe4\xb8", "中", "▁"}
	for range 5000 {
		var b strings.Builder
		for range 1 + random.IntN(12) {
			b.WriteString(alphabet[random.IntN(len(alphabet))])
		}
		text := b.String()
		behavior := []Behavior{Isolated, MergedWithPrevious, MergedWithNext, Contiguous}[random.IntN(4)]
		for _, step := range []PreTokenizer{
			Split{must(Literal("a")), behavior, random.IntN(2) == 0}, Punctuation{behavior}, Digits{random.IntN(2) == 0},
		} {
			if words := split(t, step, text); strings.Join(words, "") != text || slices.Contains(words, "") {
				t.Fatalf("%#v cut %q to %q", step, text, words)
			}
		}
	}
}

func TestNormalizers(t *testing.T) {
	for _, test := range []struct {
		step     Normalizer
		in, want string
	}{
		{Lowercase{}, "ÀÉ İI Σ\xff", "àé i\u0307i σ\xff"},
		{StripAccents{}, "e\u0301é\u0903\xcc", "eé\xcc"},
		{Strip{Left: true}, " \u3000a ", "a "},
		{Strip{Right: true}, " a \n", " a"},
		{Strip{Left: true, Right: true}, " \n", ""},
		{Prepend{"▁"}, "a", "▁a"},
		{Prepend{"▁"}, "", ""},
		{Replace{must(Literal("ab")), "b"}, "aababb", "abbb"},
		{Replace{must(Regular(" {2,}")), " "}, "a  b c   ", "a b c "},
		{Replace{must(Regular("[0-9][0-9][0-9]")), ""}, "123456", ""},
		{Replace{must(Literal("x")), "y"}, "abc", "abc"},
		{NFD{}, "é", "e\u0301"},
		{NFKC{}, "ﬁ½e\u0301", "fi1⁄2é"},
		{NFKD{}, "ﬁé", "fie\u0301"},
		{NFD{}, "é" + strings.Repeat("\u0316", 40) + "\xff", "e" + strings.Repeat("\u0316", 40) + "\u0301\xff"},
		{NFKC{}, "ﬁ" + strings.Repeat("\u0316", 40), "fi" + strings.Repeat("\u0316", 40)},
	} {
		if have, err := test.step.normalize(test.in); err != nil || have != test.want {
			t.Errorf("%#v: %+q became %+q (%v), want %+q", test.step, test.in, have, err, test.want)
		}
	}
}

// cl100kWords are the alternatives of the expression that package regexp can
// express.
var cl100kWords = regexp.MustCompile(`^(?:(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\x09-\x0d\x{85}\p{Z}\p{L}\p{N}]+[\r\n]*|` + gptSpace + `*[\r\n]+)`)

func TestCl100k(t *testing.T) {
	slowly := func(text string) int {
		if m := cl100kWords.FindString(text); m != "" {
			return len(m)
		}
		return spaces(text)
	}
	alphabet := []string{
		" ", " ", "\n", "\r", "\t", "\u00a0", "\u0085", "\u3000", "a", "s", "S", "ſ", "T", "re", "VE", "lL", "d", "é", "中", "\u0301",
		"1", "42", "½", "'", "'", "’", "-", "(", "😀", "ß", "\u212a",
	}
	random := rand.New(rand.NewPCG(13, 14))
	for range 50000 {
		var b strings.Builder
		for range 1 + random.IntN(12) {
			b.WriteString(alphabet[random.IntN(len(alphabet))])
		}
		text := b.String()
		have := cutAll(text, func(text string) int { return cl100k(text, 3) })
		if want := cutAll(text, slowly); !slices.Equal(have, want) {
			t.Fatalf("%q was cut to %q, want %q", text, have, want)
		}
	}
	if have := cutAll("1234a12", func(text string) int { return cl100k(text, 1) }); !slices.Equal(have, []string{"1", "2", "3", "4", "a", "1", "2"}) {
		t.Errorf("digits one by one: %q", have)
	}
}

// TestLetters: what is behind ByteLevel sees letters, of which some are numbers.
func TestLetters(t *testing.T) {
	for r := range rune(0x200) {
		c, ok := LetterByte(r)
		if ok != slices.Contains(ByteLetters[:], r) || ok && ByteLetters[c] != r {
			t.Errorf("%q stands for %d, %v", r, c, ok)
		}
	}
	if !unicode.IsNumber(ByteLetters[0xb2]) {
		t.Fatal("byte b2 has no number as its letter")
	}
	table := byteTable()
	table.PreTokenizers = append(table.PreTokenizers, Digits{})
	pair := table.add("\xc2\xb2")
	table.Merges = []Merge{{0xc2, 0xb2, pair}}
	if have, want := encode(t, mustOpen(t, table), "²", false), []int32{0xc2, 0xb2}; !slices.Equal(have, want) {
		t.Errorf("a number behind ByteLevel: %v, want %v", have, want)
	}
}
