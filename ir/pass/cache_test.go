package pass_test

import (
	"testing"

	"github.com/mambac/mambac/ir/op"
	"github.com/mambac/mambac/ir/pass"
	"github.com/mambac/mambac/ir/text"
)

const attending = `module m
param @emb [3 128] bf16
state $k cache [1 2]
state $v cache [1 2]
input %ids: id[T]
region r {
  %x: f32[T,128] = embed(%ids) [@emb]
  %q: f32[T,4] = slice(%x) {lo=0 hi=4}
  %k: f32[T,2] = slice(%x) {lo=4 hi=6}
  %v: f32[T,2] = slice(%x) {lo=6 hi=8}
  %y: f32[T,4] = attention(%q, %k, %v) <$k, $v> {heads=2 kVHeads=1 headDim=2 scale=1}
}
return %y
`

// TestCacheFormats: caches have the format that is asked for; auto narrows them
// where weights are codes.
func TestCacheFormats(t *testing.T) {
	for _, c := range []struct{ storage, cache, want string }{
		{"auto", "", ""}, {"auto", "f32", "f32"}, {"auto", "f16", "f16"}, {"auto", "int8", "int8"},
		{"auto", "auto", "f32"}, {"f16", "auto", "f32"}, {"int8", "auto", "f16"}, {"int8", "f32", "f32"},
	} {
		m, err := text.Parse(attending)
		if err != nil {
			t.Fatal(err)
		}
		if m, err = pass.Run(m, pass.Options{Storage: c.storage, Cache: c.cache}); err != nil {
			t.Fatal(err)
		}
		for _, v := range m.Regions[0].Body {
			if o, ok := v.Op.(op.Attention); ok && o.Cache != c.want {
				t.Errorf("weights %s, cache %q: %q, want %q", c.storage, c.cache, o.Cache, c.want)
			}
		}
	}
}

func TestUnknownCache(t *testing.T) {
	m, err := text.Parse(attending)
	if err != nil {
		t.Fatal(err)
	}
	const want = `pass storage: unknown cache format "bf16"; known are f32, f16, int8`
	if _, err := pass.Run(m, pass.Options{Cache: "bf16"}); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
