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
		have := cutAll(text, ByteLevel{UseRegex: true}.cut)
		if want := cutAll(text, gptCut); !slices.Equal(have, want) {
			t.Fatalf("%q was cut to %q, want %q", text, have, want)
		}
	}
}

func TestByteLevelWhole(t *testing.T) {
	b := ByteLevel{AddPrefixSpace: true}
	for in, want := range map[string]string{"a b": " a b", " a": " a", "\ta": " \ta"} {
		text := b.prepare(in)
		if text != want || b.cut(text) != len(text) {
			t.Errorf("%q became %q of %d bytes, want %q whole", in, text, b.cut(text), want)
		}
	}
}
