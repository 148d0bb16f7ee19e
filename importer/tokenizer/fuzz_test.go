package tokenizer

import (
	"path/filepath"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/mambac/mambac/runtime/tokenizer"
)

// characters returns a tokenizer.json with every step for characters.
func characters() object {
	return object{
		"version":      "1.0",
		"added_tokens": []any{object{"id": 20, "content": "<s>", "special": true, "lstrip": true, "rstrip": true, "single_word": true}},
		"normalizer": object{"type": "Sequence", "normalizers": []any{
			object{"type": "NFKC"}, object{"type": "NFD"}, object{"type": "NFKD"}, object{"type": "StripAccents"}, object{"type": "Lowercase"},
			object{"type": "Strip", "strip_left": true, "strip_right": false}, object{"type": "Prepend", "prepend": "_"},
			object{"type": "Replace", "pattern": object{"Regex": "[ -]+"}, "content": "_"},
		}},
		"pre_tokenizer": object{"type": "Sequence", "pretokenizers": []any{
			object{"type": "Split", "pattern": object{"Regex": `(?i:'s)|\w+(?!\S)|[^_]`}, "behavior": "MergedWithNext", "invert": true},
			object{"type": "WhitespaceSplit"}, object{"type": "Whitespace"}, object{"type": "Punctuation"},
			object{"type": "Digits", "individual_digits": true},
			object{"type": "Metaspace", "replacement": "_", "prepend_scheme": "first", "split": true},
		}},
		"decoder": chain(
			object{"type": "Replace", "pattern": object{"Regex": "_+"}, "content": " "}, object{"type": "ByteFallback"},
			object{"type": "Metaspace", "replacement": "b", "add_prefix_space": false}, object{"type": "Fuse"},
			object{"type": "Replace", "pattern": object{"String": "aa"}, "content": "a"}, object{"type": "Strip", "content": " ", "start": 1, "stop": 2},
		),
		"model": object{
			"type": "BPE", "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true, "ignore_merges": true,
			"vocab":  object{"<unk>": 0, "a": 1, "b": 2, "_": 3, "ab": 4, "_a": 5, "<0x0A>": 6, "t": 7, "h": 8, "e": 9, "the": 10, "th": 11},
			"merges": []any{"a b", "_ a", "t h", "th e"},
		},
	}
}

// pieces returns a tokenizer.json of Unigram.
func pieces() object {
	return object{
		"version":       "1.0",
		"pre_tokenizer": object{"type": "Metaspace", "replacement": "_"},
		"decoder":       object{"type": "Metaspace", "replacement": "_"},
		"model": object{
			"type": "Unigram", "unk_id": 0, "byte_fallback": true,
			"vocab": []any{[]any{"<unk>", 0}, []any{"_t", -2.5}, []any{"he", -3}, []any{"h", -4}, []any{"e", -4}, []any{"<0x0A>", -9}},
		},
	}
}

func TestCharacters(t *testing.T) {
	ids := encode(t, mustOpen(t, encoded(t, characters())), "THE ab<s>\n", false)
	if len(ids) == 0 || ids[0] != 3 {
		t.Errorf("%v", ids)
	}
	ids = encode(t, mustOpen(t, encoded(t, pieces())), "the x\n", false)
	if len(ids) == 0 || ids[0] != 1 {
		t.Errorf("%v", ids)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(encoded(f, small()))
	f.Add(encoded(f, characters()))
	f.Add(encoded(f, pieces()))
	f.Add([]byte(`{"version":"1.0","model":{"type":"BPE","vocab":{"a":0},"merges":[]},"pre_tokenizer":{"type":"ByteLevel"},"decoder":{"type":"ByteLevel"}}`))
	f.Add([]byte(`{"version":"1.0","model":{"vocab":{"a":65000},"merges":null}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := Parse(data)
		if err != nil {
			return
		}
		section, err := table.Append(nil)
		if err != nil {
			return
		}
		tok, err := tokenizer.Open(section)
		if err != nil {
			t.Fatalf("a table that was written does not open: %v", err)
		}
		ids, err := tok.AppendEncode(nil, "the  <s>e\u0301\xff 1", true)
		if err != nil {
			return // an expression takes too long
		}
		checkStream(t, tok, ids)
	})
}

func FuzzEncodeDecode(f *testing.F) {
	for _, row := range goldens(f, "testdata/go-4096") {
		f.Add(row.Text)
	}
	toks, slows := map[string]*tokenizer.Tokenizer{}, map[string]*slow{}
	for _, folder := range folders {
		if filepath.Dir(folder) == "testdata" {
			toks[folder], slows[folder] = opened(f, folder), readSlow(f, folder)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		for folder, tok := range toks {
			ids := encode(t, tok, text, true)
			checkStream(t, tok, ids)
			have := string(tok.AppendDecode(nil, ids, false))
			if want := slows[folder].decode(t, ids, false); have != want {
				t.Errorf("%s: %q decoded to %q, want %q", folder, text, have, want)
			}
			if reversible(folder, text) && have != text {
				t.Errorf("%s: %q came back as %q", folder, text, have)
			}
		}
	})
}

// reversible tells whether a tokenizer gives back the text: if it is of bytes,
// and nothing was normalised.
func reversible(folder, text string) bool {
	switch filepath.Base(folder) {
	case "falcon-sequence", "split-regex-bytelevel":
		return utf8.ValidString(text)
	case "go-4096":
		return utf8.ValidString(text) && norm.NFC.IsNormalString(text)
	}
	return false
}
