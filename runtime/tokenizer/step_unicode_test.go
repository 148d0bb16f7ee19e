package tokenizer

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func TestNFC(t *testing.T) {
	long := strings.Repeat("\u0316", 40)
	for _, test := range []struct{ in, want string }{
		{"", ""},
		{"plain", "plain"},
		{"e\u0301", "é"},
		{"\u1112\u1161\u11ab", "한"},
		{"a" + long + "\u0301b", "á" + long + "b"},
		{"a\u0301" + long, "á" + long},
		{long + "\u0301", long + "\u0301"},
		{"\xffe\u0301\xc3", "\xffé\xc3"},
		{"\xff" + long + "\u0301" + "e\u0301", "\xff" + long + "\u0301" + "é"},
		{"e\u0301" + long + "\xffe\u0301", "é" + long + "\xffé"},
		{"\u1100" + strings.Repeat("\u1161", 12) + "\u11a8", "가" + strings.Repeat("\u1161", 11) + "\u11a8"},
	} {
		if have := nfc.normalize(test.in); have != test.want {
			t.Errorf("%+q became %+q, want %+q", test.in, have, test.want)
		}
	}
}

// TestComposer holds the slow composition against package norm where the two
// must agree: in segments that are short.
func TestComposer(t *testing.T) {
	alphabet := []rune("aeocAEçéộưΑἀ가각각кй\u0301\u0300\u0308\u0327\u0323\u031b\u0302\u0316\u0345\u0344\u0f71\u0f72\u0f73\u0338\u0958\u093c\u09c7\u09be")
	random := rand.New(rand.NewPCG(3, 4))
	c := composer{form: nfc}
	for range 50000 {
		var text []rune
		for range 1 + random.IntN(shortSegment) {
			text = append(text, alphabet[random.IntN(len(alphabet))])
		}
		in := string(text)
		if have, want := string(c.append(nil, in)), norm.NFC.String(in); have != want {
			t.Fatalf("%+q composed to %+q, want %+q", in, have, want)
		}
		if have, want := nfc.normalize(in), norm.NFC.String(in); have != want {
			t.Fatalf("%+q became %+q, want %+q", in, have, want)
		}
	}
}

// TestComposerOfEveryCharacter covers all that decomposes.
func TestComposerOfEveryCharacter(t *testing.T) {
	c := composer{form: nfc}
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		in := string(r)
		if norm.NFC.IsNormalString(in) && norm.NFD.IsNormalString(in) {
			continue
		}
		if have, want := string(c.append(nil, in)), norm.NFC.String(in); have != want {
			t.Fatalf("%+q composed to %+q, want %+q", in, have, want)
		}
	}
}
