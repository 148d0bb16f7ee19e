package tokenizer

import (
	"reflect"
	"testing"
)

// TestReadVocabulary: tokens as the file spells them, gaps, added tokens, both
// forms of merges without their comments.
func TestReadVocabulary(t *testing.T) {
	v, err := ReadVocabulary([]byte(`{"version": "1.0", "added_tokens": [{"id": 6, "content": "<end>", "special": true}, {"id": 2, "content": "Ġ", "special": false}],
		"pre_tokenizer": {"type": "ByteLevel"}, "decoder": {"type": "ByteLevel"},
		"model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "Ġ": 2, "ab": 4}, "merges": ["#version: 0.2", "a b"]}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := &Vocabulary{
		Tokens: []Spelling{
			{Known: true, Content: "a"}, {Known: true, Content: "b"}, {Known: true, Content: "Ġ", Added: true}, {},
			{Known: true, Content: "ab"}, {}, {Known: true, Content: "<end>", Added: true, Special: true},
		},
		Merges: [][2]string{{"a", "b"}},
	}
	if !reflect.DeepEqual(v, want) {
		t.Errorf("have %+v\nwant %+v", v, want)
	}
	if _, err := ReadVocabulary([]byte(`{"version": "2.0"}`)); err == nil {
		t.Error("a file that Parse refuses is read")
	}
}
