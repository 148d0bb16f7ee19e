package convert

import (
	"strings"
	"testing"

	"github.com/mambac/mambac/runtime/tokenizer"
)

// TestGGUFRefusesTokenizers: what llama.cpp's gpt-2 would read differently is
// not written.
func TestGGUFRefusesTokenizers(t *testing.T) {
	plain := []tokenizer.PreTokenizer{tokenizer.ByteLevel{UseRegex: true}}
	for want, table := range map[string]*tokenizer.Table{
		"":                         {PreTokenizers: plain, Normalizers: []tokenizer.Normalizer{tokenizer.NFC{}}},
		"only ByteLevel alone":     {PreTokenizers: append(plain, tokenizer.Digits{})},
		"use_regex false":          {PreTokenizers: []tokenizer.PreTokenizer{tokenizer.ByteLevel{}}},
		"normalizer: only NFC":     {PreTokenizers: plain, Normalizers: []tokenizer.Normalizer{tokenizer.Prepend{Text: "_"}}},
		"decoder or ignore_merges": {PreTokenizers: plain, Decoders: []tokenizer.Decoding{tokenizer.Spaces{}}},
		"ignore_merges cannot":     {PreTokenizers: plain, Model: tokenizer.Model{IgnoreMerges: true}},
	} {
		if err := refuseTokenizer(table); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
