package app

import (
	"slices"
	"strings"
	"testing"

	"example.com/program/gomamba"
)

const prompt = "func (r *Reader) Read("

func TestSampling(t *testing.T) {
	m := open(t)
	sample := func(opts ...gomamba.GenerateOption) []int {
		ids, _ := generated(t, m.NewSession(), prompt, append(opts, gomamba.MaxTokens(24), gomamba.IgnoreEndTokens())...)
		return ids
	}
	greedy := sample()
	one := sample(gomamba.Temperature(1.5), gomamba.Seed(1))
	if !slices.Equal(one, sample(gomamba.Temperature(1.5), gomamba.Seed(1))) {
		t.Error("the same seed gives two texts")
	}
	if slices.Equal(one, sample(gomamba.Temperature(1.5), gomamba.Seed(2))) {
		t.Error("two seeds give the same text")
	}
	for name, only := range map[string]gomamba.GenerateOption{
		"TopK": gomamba.TopK(1), "TopP": gomamba.TopP(1e-9), "MinP": gomamba.MinP(1),
	} {
		if !slices.Equal(greedy, sample(gomamba.Temperature(2), only)) {
			t.Errorf("%s leaves more than the likeliest", name)
		}
	}
	if slices.Equal(greedy, sample(gomamba.RepetitionPenalty(3))) {
		t.Error("a penalty on repetitions changes nothing")
	}
}

func TestEnds(t *testing.T) {
	m := open(t)
	_, whole := generated(t, m.NewSession(), prompt, gomamba.MaxTokens(40))
	before, _, ok := strings.Cut(whole, "\n\t")
	if !ok {
		t.Fatalf("%q has no indented line", whole)
	}
	if _, text := generated(t, m.NewSession(), prompt, gomamba.MaxTokens(40), gomamba.Stop("}}}}", "\n\t")); text != before {
		t.Errorf("stops with %q, want %q", text, before)
	}
	if ids, _ := generated(t, m.NewSession(), prompt, gomamba.MaxTokens(0)); len(ids) != 0 {
		t.Errorf("MaxTokens(0) gives %v", ids)
	}
}

// TestDecoder decodes characters of many bytes one id at a time.
func TestDecoder(t *testing.T) {
	tokenizer := open(t).Tokenizer()
	const text = "héllo, 世界 🙂 func main() {}"
	ids, err := tokenizer.Encode(text)
	if err != nil {
		t.Fatal(err)
	}
	decoder, err := tokenizer.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	var pieces strings.Builder
	for _, id := range ids {
		piece, err := decoder.Next(id)
		if err != nil {
			t.Fatal(err)
		}
		pieces.WriteString(piece)
	}
	pieces.WriteString(decoder.End())
	if whole, err := tokenizer.Decode(ids); err != nil || whole != text || pieces.String() != text {
		t.Errorf("%q decodes as %q, piece by piece as %q, error %v", text, whole, pieces.String(), err)
	}
}
