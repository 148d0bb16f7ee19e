package tokenizer

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mambac/mambac/runtime/tokenizer"
)

// corpus returns the Go source of this repository, or what the environment
// variable MAMBAC_CORPUS names.
func corpus(b *testing.B) string {
	root := os.Getenv("MAMBAC_CORPUS")
	suffix := ""
	if root == "" {
		root, suffix = "../..", ".go"
	}
	var text strings.Builder
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, suffix) || text.Len() > 4<<20 {
			return err
		}
		data, err := os.ReadFile(name)
		text.Write(data)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return text.String()
}

// texts are ordinary and extreme ones for the benchmarks.
func texts(b *testing.B) map[string]string {
	return map[string]string{
		"corpus": corpus(b),
		"a":      strings.Repeat("a", 1<<20),
		"spaces": strings.Repeat(" ", 1<<20),
		"greek":  strings.Repeat("μακάριος ἄνθρωπος ", 1<<14),
		"marks":  "a" + strings.Repeat("\u0301\u0316", 1<<17),
	}
}

func BenchmarkEncode(b *testing.B) {
	for _, folder := range folders {
		for name, text := range texts(b) {
			b.Run(filepath.Base(folder)+"/"+name, func(b *testing.B) { benchmarkEncode(b, opened(b, folder), text) })
		}
	}
}

func benchmarkEncode(b *testing.B, tok *tokenizer.Tokenizer, text string) {
	ids := encode(b, tok, text, false)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		ids, _ = tok.AppendEncode(ids[:0], text, false)
	}
}

func BenchmarkDecode(b *testing.B) {
	tok := opened(b, "testdata/go-4096")
	text := corpus(b)
	ids := encode(b, tok, text, false)
	out := make([]byte, 0, len(text))
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		out = tok.AppendDecode(out[:0], ids, false)
	}
}

func BenchmarkOpen(b *testing.B) {
	for _, folder := range []string{"testdata/go-4096", filepath.Join(outside, "gpt-neox-20b")} {
		b.Run(filepath.Base(folder), func(b *testing.B) { benchmarkOpen(b, folder) })
	}
}

func benchmarkOpen(b *testing.B, folder string) {
	data, err := os.ReadFile(filepath.Join(folder, "tokenizer.json"))
	if os.IsNotExist(err) {
		b.Skip()
	}
	section := mustTable(b, data)
	b.ReportMetric(float64(len(section)), "bytes")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tokenizer.Open(section); err != nil {
			b.Fatal(err)
		}
	}
}
