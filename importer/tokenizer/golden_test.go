package tokenizer

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/mambac/mambac/runtime/tokenizer"
)

// outside is where tokenizers lie that are too large for the repository.
const outside = "../../../shared/fixtures/tokenizers"

// folders are where tokenizers lie, of every pipeline.
var folders = []string{
	"testdata/go-4096", "testdata/falcon-sequence", "testdata/llama-metaspace-bpe",
	"testdata/split-regex-bytelevel", "testdata/unigram-metaspace", filepath.Join(outside, "gpt-neox-20b"),
}

// golden is what the reference makes of a text.
type golden struct {
	Text        string  `json:"text"`
	IDs         []int32 `json:"ids"`
	Plain       []int32 `json:"ids_no_special"`
	Decoded     string  `json:"decoded"`
	DecodedSkip string  `json:"decoded_skip"`
}

// opened returns the tokenizer of a folder, through the binary table.
func opened(t testing.TB, folder string) *tokenizer.Tokenizer {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, "tokenizer.json"))
	if os.IsNotExist(err) {
		t.Skipf("%s is not there", folder)
	}
	if err != nil {
		t.Fatal(err)
	}
	return mustOpen(t, data)
}

func mustOpen(t testing.TB, data []byte) *tokenizer.Tokenizer {
	t.Helper()
	tok, err := tokenizer.Open(mustTable(t, data))
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// encode is AppendEncode where nothing can fail.
func encode(t testing.TB, tok *tokenizer.Tokenizer, text string, special bool) []int32 {
	t.Helper()
	ids, err := tok.AppendEncode(nil, text, special)
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

// mustTable returns the binary table of a tokenizer.json.
func mustTable(t testing.TB, data []byte) []byte {
	t.Helper()
	table, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	section, err := table.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return section
}

// forEach runs a test with every tokenizer that is there.
func forEach(t *testing.T, test func(t *testing.T, folder string)) {
	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) { test(t, folder) })
	}
}

func goldens(t testing.TB, folder string) []golden {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, "golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	var rows []golden
	if err := json.Unmarshal(data, &rows); err != nil {
		t.Fatal(err)
	}
	if len(rows) < 30 {
		t.Fatalf("%d rows", len(rows))
	}
	return rows
}

func TestGolden(t *testing.T) {
	forEach(t, func(t *testing.T, folder string) {
		tok := opened(t, folder)
		for _, row := range goldens(t, folder) {
			checkRow(t, tok, row)
		}
	})
}

func checkRow(t *testing.T, tok *tokenizer.Tokenizer, row golden) {
	if ids := encode(t, tok, row.Text, true); !slices.Equal(ids, row.IDs) {
		t.Errorf("%q: ids %v, want %v", row.Text, ids, row.IDs)
	}
	if ids := encode(t, tok, row.Text, false); !slices.Equal(ids, row.Plain) {
		t.Errorf("%q: without special tokens %v, want %v", row.Text, ids, row.Plain)
	}
	if text := string(tok.AppendDecode(nil, row.Plain, false)); text != row.Decoded {
		t.Errorf("%v: decoded %q, want %q", row.Plain, text, row.Decoded)
	}
	for _, ids := range [][]int32{row.IDs, row.Plain} {
		if text := string(tok.AppendDecode(nil, ids, true)); text != row.DecodedSkip {
			t.Errorf("%v: decoded without special tokens %q, want %q", ids, text, row.DecodedSkip)
		}
	}
	checkStream(t, tok, row.IDs)
}
