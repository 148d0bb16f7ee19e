package tokenizer

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

const gptSpace = `[\x09-\x0d\x{85}\p{Z}]`

// gptWords are the alternatives of the expression that package regexp can
// express: all but white space, which looks ahead.
var (
	gptWords  = regexp.MustCompile(`^(?:'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\x09-\x0d\x{85}\p{Z}\p{L}\p{N}]+)`)
	gptSpaces = regexp.MustCompile(`^` + gptSpace + `+`)
)

// gptCut is the expression of ByteLevel, slowly.
func gptCut(text string) int {
	if m := gptWords.FindString(text); m != "" {
		return len(m)
	}
	run := gptSpaces.FindString(text)
	_, last := utf8.DecodeLastRuneInString(run)
	if len(run) < len(text) && len(run) > last {
		return len(run) - last
	}
	return len(run)
}

// split returns the words that a step makes of a text.
func split(t testing.TB, s PreTokenizer, text string) (words []string) {
	t.Helper()
	if err := s.split(text, true, func(word string, _ bool) { words = append(words, word) }); err != nil {
		t.Fatal(err)
	}
	return words
}

func cutAll(text string, cut func(string) int) (words []string) {
	for len(text) > 0 {
		n := cut(text)
		words = append(words, text[:n])
		text = text[n:]
	}
	return words
}

func TestByteLevelCut(t *testing.T) {
	alphabet := []string{
		" ", " ", "\n", "\t", "\r", "\v", "\u00a0", "\u0085", "\u2028", "\u3000", "\u200b", "\u180e",
		"a", "s", "t", "re", "ve", "ll", "d", "M", "é", "ж", "中", "ª", "\u0301",
		"1", "42", "½", "Ⅷ", "٣", "'", "'", "’", "-", "_", "(", "😀", "\U000e0001",
	}
	random := rand.New(rand.NewPCG(5, 6))
	for range 50000 {
		var b strings.Builder
		for range 1 + random.IntN(12) {
			b.WriteString(alphabet[random.IntN(len(alphabet))])
		}
		text := b.String()
		have := cutAll(text, gpt2)
		if want := cutAll(text, gptCut); !slices.Equal(have, want) {
			t.Fatalf("%q was cut to %q, want %q", text, have, want)
		}
	}
}

func TestByteLevelWhole(t *testing.T) {
	b := ByteLevel{AddPrefixSpace: true}
	for in, want := range map[string]string{"a b": " a b", " a": " a", "\ta": " \ta"} {
		if words := split(t, b, in); !slices.Equal(words, []string{want}) {
			t.Errorf("%q became %q, want %q whole", in, words, want)
		}
	}
}
