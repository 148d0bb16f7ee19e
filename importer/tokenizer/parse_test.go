package tokenizer

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/mambac/mambac/runtime/tokenizer"
)

// object is a JSON object under alteration.
type object = map[string]any

// small returns a tokenizer.json with all bytes, a few merges, both kinds of
// added tokens and a template.
func small() object {
	vocabulary := object{}
	for c, letter := range tokenizer.ByteLetters {
		vocabulary[string(letter)] = c
	}
	for i, content := range []string{"th", "the", "Ġthe", "er"} {
		vocabulary[content] = 256 + i
	}
	return object{
		"version": "1.0", "truncation": nil, "padding": nil,
		"added_tokens": []any{
			object{"id": 260, "content": "<s>", "special": true},
			object{"id": 270, "content": "  ", "normalized": true},
		},
		"normalizer":    object{"type": "Sequence", "normalizers": []any{object{"type": "NFC"}}},
		"pre_tokenizer": object{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true},
		"post_processor": object{"type": "Sequence", "processors": []any{
			object{"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false, "use_regex": true},
			object{
				"type": "TemplateProcessing",
				"single": []any{
					object{"SpecialToken": object{"id": "<s>", "type_id": 0}},
					object{"Sequence": object{"id": "A", "type_id": 0}},
				},
				"pair":           []any{},
				"special_tokens": object{"<s>": object{"id": "<s>", "ids": []any{260}, "tokens": []any{"<s>"}}},
			},
		}},
		"decoder": object{"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
		"model": object{
			"type": "BPE", "dropout": nil, "unk_token": nil, "fuse_unk": false,
			"continuing_subword_prefix": nil, "end_of_word_suffix": nil,
			"vocab":  vocabulary,
			"merges": []any{"#version: 0.2", "t h", []any{"th", "e"}, "Ġ the", "e r"},
		},
	}
}

func encoded(t testing.TB, o object) []byte {
	t.Helper()
	data, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestParseSmall(t *testing.T) {
	tok := mustOpen(t, encoded(t, small()))
	want := []int32{260, 257, 'n', 258, 'r', 'e', 270, 260, 259, 0xc3, 0xa9}
	if have := encode(t, tok, "then there  <s>ere\u0301", true); !slices.Equal(have, want) {
		t.Errorf("%v, want %v", have, want)
	}
	if have := string(tok.AppendDecode(nil, want, true)); have != "then there  eré" {
		t.Errorf("decoded %q", have)
	}
	if tok.Size() != 271 || tok.Known(265) {
		t.Errorf("%d ids, 265 known: %v", tok.Size(), tok.Known(265))
	}
}

// set alters the value at a path.
func set(o object, value any, path ...string) object {
	at := o
	for _, key := range path[:len(path)-1] {
		at = at[key].(object)
	}
	at[path[len(path)-1]] = value
	return o
}

func TestParseRefuses(t *testing.T) {
	byteLevel := small()["decoder"]
	for _, test := range []struct {
		want string
		file object
	}{
		{`version is "2.0"`, set(small(), "2.0", "version")},
		{`version is missing`, set(small(), nil, "version")},
		{`unknown field "flavour"`, set(small(), 1, "flavour")},
		{`normalizer: type "Precompiled" is not supported; mambac knows ["Lowercase" "NFC"`, set(small(), object{"type": "Precompiled"}, "normalizer")},
		{`normalizer: Replace: pattern has neither`, set(small(), object{"type": "Replace", "pattern": object{}, "content": ""}, "normalizer")},
		{`normalizer: Replace: pattern has neither`, set(small(), object{"type": "Replace", "pattern": object{"String": "a", "Regex": "b"}, "content": ""}, "normalizer")},
		{`an expression is empty`, set(small(), object{"type": "Replace", "pattern": object{"String": ""}, "content": ""}, "normalizer")},
		{`content has 5000 bytes, want at most`, set(small(), object{"type": "Replace", "pattern": object{"String": "a"}, "content": strings.Repeat("x", 5000)}, "normalizer")},
		{`prepend has 5000 bytes, want at most`, set(small(), object{"type": "Prepend", "prepend": strings.Repeat("x", 5000)}, "normalizer")},
		{`cannot unmarshal string`, set(small(), object{"type": "Strip", "strip_left": "yes"}, "normalizer")},
		{`unknown field "strength"`, set(small(), object{"type": "NFC", "strength": 2}, "normalizer")},
		{`pre_tokenizer: type "BertPreTokenizer" is not supported`, set(small(), object{"type": "Sequence", "pretokenizers": []any{object{"type": "BertPreTokenizer"}, byteLevel}}, "pre_tokenizer")},
		{`pre_tokenizer: two steps of type "ByteLevel"`, set(small(), object{"type": "Sequence", "pretokenizers": []any{byteLevel, byteLevel}}, "pre_tokenizer")},
		{`"Metaspace" behind "ByteLevel"`, set(small(), object{"type": "Sequence", "pretokenizers": []any{byteLevel, object{"type": "Metaspace", "replacement": "_"}}}, "pre_tokenizer")},
		{`Metaspace: replacement is "__", want one character`, set(small(), object{"type": "Metaspace", "replacement": "__"}, "pre_tokenizer")},
		{`prepend_scheme is "last"`, set(small(), object{"type": "Metaspace", "replacement": "_", "prepend_scheme": "last"}, "pre_tokenizer")},
		{`add_prefix_space is false and prepend_scheme "first"`, set(small(), object{"type": "Metaspace", "replacement": "_", "add_prefix_space": false, "prepend_scheme": "first"}, "pre_tokenizer")},
		{`Split: behavior is "Joined"`, set(small(), object{"type": "Split", "behavior": "Joined"}, "pre_tokenizer")},
		{`Split: pattern has neither`, set(small(), object{"type": "Split", "behavior": "Removed"}, "pre_tokenizer")},
		{`expression "(a": a group is not closed`, set(small(), object{"type": "Split", "behavior": "Removed", "pattern": object{"Regex": "(a"}}, "pre_tokenizer")},
		{`an expression has 5000 bytes`, set(small(), object{"type": "Split", "behavior": "Removed", "pattern": object{"Regex": strings.Repeat("a", 5000)}}, "pre_tokenizer")},
		{`Punctuation: behavior is ""`, set(small(), object{"type": "Punctuation", "behavior": ""}, "pre_tokenizer")},
		{`a Sequence has type and pretokenizers, nothing else`, set(small(), object{"type": "Sequence"}, "pre_tokenizer")},
		{`unknown field "use_regexp"`, set(small(), true, "pre_tokenizer", "use_regexp")},
		{`pre_tokenizer: want an object with a type`, set(small(), 5, "pre_tokenizer")},
		{`pre_tokenizer: sequences more than 8 deep`, set(small(), nested(9), "pre_tokenizer")},
		{`decoder: type "WordPiece"`, set(small(), object{"type": "WordPiece"}, "decoder")},
		{`decoder: ByteLevel: is not supported behind`, set(small(), chain(object{"type": "Fuse"}, byteLevel), "decoder")},
		{`decoder: Metaspace: is not supported behind`, set(small(), chain(object{"type": "Fuse"}, object{"type": "Metaspace", "replacement": "_"}), "decoder")},
		{`decoder: ByteFallback: is not supported behind`, set(small(), chain(byteLevel, object{"type": "ByteFallback"}), "decoder")},
		{`decoder: Strip: content is ""`, set(small(), object{"type": "Strip", "content": ""}, "decoder")},
		{`decoder: Strip: start is -1`, set(small(), object{"type": "Strip", "content": " ", "start": -1}, "decoder")},
		{`decoder: Replace: of a Regex is not supported behind`, set(small(), chain(object{"type": "Fuse"}, object{"type": "Replace", "pattern": object{"Regex": "a"}, "content": ""}), "decoder")},
		{`decoder: Replace: pattern has 300 bytes`, set(small(), chain(object{"type": "Fuse"}, object{"type": "Replace", "pattern": object{"String": strings.Repeat("a", 300)}, "content": ""}), "decoder")},
		{`post_processor: type "BertProcessing"`, set(small(), object{"type": "BertProcessing"}, "post_processor")},
		{`special_tokens lacks "<s>"`, set(small(), template1(object{}, special("<s>"), sequence("A")), "post_processor")},
		{`has the sequence "B"`, set(small(), template1(object{}, sequence("B")), "post_processor")},
		{`single lacks the sequence A`, set(small(), template1(object{}), "post_processor")},
		{`neither SpecialToken nor Sequence`, set(small(), template1(object{}, object{}), "post_processor")},
		{`model: type "WordPiece" is not supported; mambac knows ["BPE" "Unigram"]`, set(small(), object{"type": "WordPiece"}, "model")},
		{`model: unk_id is missing or null`, set(small(), object{"type": "Unigram", "vocab": []any{}}, "model")},
		{`model: unk_id is 1, want below 1`, set(small(), object{"type": "Unigram", "unk_id": 1, "vocab": []any{[]any{"a", 0}}}, "model")},
		{`has 3 parts, want content and score`, set(small(), object{"type": "Unigram", "unk_id": 0, "vocab": []any{[]any{"a", 0, 0}}}, "model")},
		{`cannot unmarshal string`, set(small(), object{"type": "Unigram", "unk_id": 0, "vocab": []any{[]any{"a", "b"}}}, "model")},
		{`model: is missing: want an object with type and vocab`, set(small(), nil, "model")},
		{`model: vocab is missing`, set(small(), nil, "model", "vocab")},
		{`model: vocab is missing`, set(small(), object{"type": "Unigram", "unk_id": 0}, "model")},
		{`dropout is 0.1`, set(small(), 0.1, "model", "dropout")},
		{`unk_token is "<s>", which the vocabulary lacks, and there is no byte_fallback`, set(set(small(), nil, "pre_tokenizer"), "<s>", "model", "unk_token")},
		{`continuing_subword_prefix is "##"`, set(small(), "##", "model", "continuing_subword_prefix")},
		{`end_of_word_suffix is "</w>"`, set(small(), "</w>", "model", "end_of_word_suffix")},
		{`token "x!" has id -1`, set(small(), -1, "model", "vocab", "x!")},
		{`token "x!" has id 99999999`, set(small(), 99999999, "model", "vocab", "x!")},
		{`two tokens have the id 97`, set(small(), 97, "model", "vocab", "x!")},
		{`cannot unmarshal string`, set(small(), "97", "model", "vocab", "x!")},
		{`merge 0 of "t" and "x!": the vocabulary lacks "x!"`, set(small(), []any{"t x!"}, "model", "merges")},
		{`merge 0 of "t" and "e": the vocabulary lacks "te"`, set(small(), []any{"t e"}, "model", "merges")},
		{`has 3 tokens, want 2`, set(small(), []any{"t h e"}, "model", "merges")},
		{`has 1 tokens, want 2`, set(small(), []any{[]any{"t"}}, "model", "merges")},
		{`token "<s>" has id 97, in the vocabulary 300`, set(set(small(), 300, "model", "vocab", "<s>"), added(97, "<s>"), "added_tokens")},
		{`token "<x>" has the id 97 of another token`, set(small(), added(97, "<x>"), "added_tokens")},
		{`token 261 has 2000 bytes, want at most`, set(small(), added(261, strings.Repeat("x", 2000)), "added_tokens")},
		{`token "<x>" has id 9999999, want below`, set(small(), added(9999999, "<x>"), "added_tokens")},
		{`token "<x>" has the ids 300 and 301`, set(small(), append(added(300, "<x>"), added(301, "<x>")...), "added_tokens")},
	} {
		_, err := Parse(encoded(t, test.file))
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %v, want %s", err, test.want)
		}
	}
}

func nested(depth int) any {
	step := any(object{"type": "NFC"})
	for range depth {
		step = object{"type": "Sequence", "pretokenizers": []any{step}}
	}
	return step
}

// chain is a Sequence of decoders.
func chain(steps ...any) any { return object{"type": "Sequence", "decoders": steps} }

func template1(tokens object, single ...any) object {
	return object{"type": "TemplateProcessing", "single": slices.Concat([]any{}, single), "pair": nil, "special_tokens": tokens}
}

func special(id string) any  { return object{"SpecialToken": object{"id": id, "type_id": 0}} }
func sequence(id string) any { return object{"Sequence": object{"id": id, "type_id": 0}} }

func added(id int, content string) []any { return []any{object{"id": id, "content": content}} }

func TestParseUnknownToken(t *testing.T) {
	file := set(small(), "<s>", "model", "unk_token")
	if _, err := Parse(encoded(t, file)); err != nil {
		t.Errorf("an unknown token that cannot occur: %v", err)
	}
	vocabulary := file["model"].(object)["vocab"].(object)
	delete(vocabulary, "z")
	if _, err := Parse(encoded(t, file)); err == nil || !strings.Contains(err.Error(), `"<s>", which the vocabulary lacks, and it lacks 'z' for byte 122`) {
		t.Errorf("an unknown token that can occur: %v", err)
	}
	file["model"].(object)["unk_token"] = nil
	if ids := encode(t, mustOpen(t, encoded(t, file)), "zaz", false); !slices.Equal(ids, []int32{'a'}) {
		t.Errorf("a letter outside the vocabulary: %v", ids)
	}
}

func TestDecodedLetters(t *testing.T) {
	for content, want := range map[string]string{
		"Ġthe": " the", "Ċĉ": "\n\t", "ä¸Ń": "中", "é": "\xe9", "  ": "  ", "Ġ中": "Ġ中", "": "",
	} {
		if have := decoded(content); string(have) != want {
			t.Errorf("%q decodes to %q, want %q", content, have, want)
		}
	}
}

// TestTableIsDeterministic builds the same table twice: maps must not show.
func TestTableIsDeterministic(t *testing.T) {
	data, err := os.ReadFile("testdata/go-4096/tokenizer.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(mustTable(t, data), mustTable(t, data)) {
		t.Error("two tables of one tokenizer.json differ")
	}
}
