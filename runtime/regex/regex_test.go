package regex

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/mambac/mambac/runtime/tokenizer"
)

// matches returns the bounds of all matches.
func matches(t testing.TB, find tokenizer.Finder, text string) (list [][2]int) {
	t.Helper()
	if err := find(text, func(start, end int) { list = append(list, [2]int{start, end}) }); err != nil {
		t.Fatal(err)
	}
	return list
}

func compiled(t testing.TB, expression string) tokenizer.Finder {
	t.Helper()
	find, err := Compile(expression)
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return find
}

// TestMatches holds expressions against what Oniguruma matches.
func TestMatches(t *testing.T) {
	for _, test := range []struct{ expression, text, want string }{
		{`\d+`, "a12b3", "12 3"},
		{`[[0-9]`, "", "error"},
		{`(?i:'s|k)`, "'S'ſ'sK\u212a", "'S 'ſ 's K \u212a"},
		{`(?i:[r-t])`, "rSſTu", "r S ſ T"},
		{`(?i)i(?-i:i)`, "Iiii II İi", "Ii ii"},
		{`^a`, "a\na", "a a"},
		{`a$`, "a\naa", "a a"},
		{`.+`, "a\r\nb", "a\r b"},
		{`\w+`, "aé_1٣\u0301-ⓐ½", "aé_1٣\u0301 ⓐ"},
		{`[\w-]+`, "a-b c", "a-b c"},
		{`\W`, "a-b", "-"},
		{`a++b|a`, "aab", "aab"},
		{`a*+a`, "aaa", ""},
		{`(?:ab)?+c`, "abcc", "abc c"},
		{`a{2}|b{,2}c`, "aaabbbc", "aa bbc"},
		{`(?<=a)b(?!c)`, "abcab", "b"},
		{`(?<!a)b`, "abb", "b"},
		{`\p{Lu}\p{Ll}*`, "AbCÉé", "Ab C Éé"},
		{`[\p{Han}ー]+`, "中文aー", "中文 ー"},
		{`\x41\u00e9`, "Aé", "Aé"},
		{`[\n\r]+`, "a\r\nb", "\r\n"},
		{`'|<|>|"|#| `, `'#`, `' #`},
		{`[^\s\p{L}]+`, "a1 2b", "1 2"},
		{`x*`, "axb", "- x -"}, // empty ones, but not behind a match
	} {
		find, err := Compile(test.expression)
		if err != nil {
			if test.want != "error" {
				t.Errorf("%s: %v", test.expression, err)
			}
			continue
		}
		var have []string
		for _, m := range matches(t, find, test.text) {
			if m[0] == m[1] {
				have = append(have, "-")
			} else {
				have = append(have, test.text[m[0]:m[1]])
			}
		}
		if strings.Join(have, " ") != test.want {
			t.Errorf("%s in %q: %q, want %q", test.expression, test.text, have, test.want)
		}
	}
}

func TestRefuses(t *testing.T) {
	for expression, want := range map[string]string{
		`[a[bc]]`:               `"[b" in [] is not supported`,
		`[a&&b]`:                `"&&" in [] is not supported`,
		`[[:alpha:]]`:           `"[:" in [] is not supported`,
		`[]a]`:                  `"]a" in [] is not supported`,
		`[a-[b]]`:               "a - before a set",
		`[\d-z]`:                "a - behind a set",
		`[z-a]`:                 "is empty",
		`[\W]`:                  `\W in []`,
		`[a`:                    "a [ is not closed",
		`[a\`:                   `ends in a \`,
		`a\`:                    `ends in a \`,
		`(a`:                    "a group is not closed",
		`a)`:                    "a group is closed that was not opened",
		`(?<x>a)`:               "a group that begins with (?<x is not supported",
		`(?m:a)`:                "a group that begins with (?m: is not supported",
		`a(?i)b`:                "(?i) is supported only in front",
		`\bx`:                   `\b is not supported`,
		`\h`:                    `\h is not supported`,
		`(a)\1`:                 `\1 is not supported`,
		`\p{Alphabetic}`:        `\p{Alphabetic} is not supported`,
		`\p{^L}`:                "not followed by the name of a property",
		`\pL`:                   "not followed by the name of a property",
		`\xe9`:                  `\xe9 is not supported`,
		`\u12`:                  "not followed by 4 hexadecimal digits",
		`(?i:ss)`:               `"ss" where cases do not count`,
		`(?i:é)`:                "'é' where cases do not count",
		`(?i:[a-é])`:            "'é' where cases do not count",
		`(?i:\p{Lu})`:           `\p{Lu} where cases do not count`,
		`*a`:                    "* repeats nothing",
		`^*`:                    "* repeats nothing",
		`a**`:                   "* with another quantifier behind it",
		`a{2}+`:                 "{2} with + or ? behind it",
		`a{2}?`:                 "{2} with + or ? behind it",
		`a{`:                    "{ is not supported but as in {1,3}",
		`a{3,1}`:                "", // the engine's own words
		"a\xff":                 "is not UTF-8",
		strings.Repeat("(", 65): "groups more than 64 deep",
	} {
		if _, err := Compile(expression); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", expression, err, want)
		}
	}
}

// TestKnownExpressions holds the expressions that the tokenizer knows against
// the engine.
func TestKnownExpressions(t *testing.T) {
	const before, after = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|`, `| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	alphabet := []string{
		" ", " ", "\n", "\r", "\t", "\u00a0", "\u0085", "\u3000", "\u200b", "a", "s", "S", "ſ", "T", "re", "VE", "lL", "é", "中", "\u0301",
		"1", "42", "½", "'", "’", "-", "😀", "ß", "\u212a", "\xff",
	}
	for _, expression := range []string{
		`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`,
		before + `\p{N}{1,3}` + after, before + `\p{N}` + after, `[0-9][0-9][0-9]`, ` {2,}`,
	} {
		find := compiled(t, expression)
		known, err := tokenizer.Regular(expression)
		if err != nil {
			t.Fatal(err)
		}
		random := rand.New(rand.NewPCG(1, 2))
		for range 1000 {
			var b strings.Builder
			for range 1 + random.IntN(12) {
				b.WriteString(alphabet[random.IntN(len(alphabet))])
			}
			have, want := matches(t, known.Find, b.String()), matches(t, find, b.String())
			if !slices.Equal(have, want) {
				t.Fatalf("%s in %q: %v, the engine has %v", expression, b.String(), have, want)
			}
		}
	}
}

// TestLimit gives up on an expression that takes forever.
func TestLimit(t *testing.T) {
	find, err := compile(`(?:a|a|aa)+[bc]\d`, 10*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	err = find(strings.Repeat("a", 200)+"b", func(int, int) {})
	if err == nil || !strings.Contains(err.Error(), "too long on a text of 201 characters") {
		t.Errorf("error %v", err)
	}
}

// TestLongText finds as many matches as a long text has.
func TestLongText(t *testing.T) {
	find := compiled(t, `\p{Ll}|\s+`)
	if n := len(matches(t, find, strings.Repeat("a", 1<<17))); n != 1<<17 {
		t.Errorf("%d matches", n)
	}
}

func FuzzCompile(f *testing.F) {
	for _, x := range []string{`(?i:'s|'t)|[^\r\n\p{L}]?\p{L}+|\s+(?!\S)`, `[a-z&&]{2,}+\w`, `(?<=^a)*$`, `(?i)[\W-\u00ff]`} {
		f.Add(x, "a bc 12\n\xff")
	}
	f.Fuzz(func(t *testing.T, expression, text string) {
		translated, err := translate(expression)
		if err != nil || len(expression) > tokenizer.MaxText || len(text) > 1000 {
			return
		}
		if !utf8.ValidString(translated) {
			t.Errorf("%q became %q", expression, translated)
		}
		find, err := compile(translated, 20*time.Millisecond)
		if err != nil {
			return
		}
		last := 0
		err = find(text, func(start, end int) {
			if start < last || end < start || end > len(text) {
				t.Errorf("%q in %q: match from %d to %d behind %d", expression, text, start, end, last)
			}
			last = end
		})
		if err != nil && !strings.Contains(err.Error(), "too long") {
			t.Errorf("%q in %q: %v", expression, text, err)
		}
	})
}
