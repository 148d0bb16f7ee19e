package tokenizer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mambac/mambac/runtime/tokenizer"
)

// TestLongWords encodes long words, one of a megabyte, which take minutes where
// the work grows with the square of the length.
func TestLongWords(t *testing.T) {
	forEach(t, func(t *testing.T, folder string) {
		tok := opened(t, folder)
		for _, part := range []string{"a", " ", "ab", "aaab", "=-", "\u0301\u0316"} {
			size := 1 << 17
			if part == "a" {
				size = 1 << 20
			}
			text := strings.Repeat(part, size/len(part))
			ids := encode(t, tok, text, false)
			if strings.HasPrefix(filepath.Base(folder), "unigram") && strings.Trim(part, " \u0301\u0316") == "" {
				continue // its normalizers join spaces and make marks unknown
			}
			if have := string(tok.AppendDecode(nil, ids, false)); len(have) != len(text) {
				t.Errorf("%d bytes of %q came back as %d", len(text), part, len(have))
			}
		}
	})
}

// TestOpenIsCheap: a program must not pay for the size of a vocabulary before
// it reads the first word.
func TestOpenIsCheap(t *testing.T) {
	data, err := os.ReadFile("testdata/go-4096/tokenizer.json")
	if err != nil {
		t.Fatal(err)
	}
	section := mustTable(t, data)
	if n := testing.AllocsPerRun(10, func() {
		if _, err := tokenizer.Open(section); err != nil {
			t.Fatal(err)
		}
	}); n > 20 {
		t.Errorf("%g allocations", n)
	}
}
