package ladder

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/build"
	"github.com/mambac/mambac/ir/irtest"
	"github.com/mambac/mambac/ir/op"
	"github.com/mambac/mambac/ir/pass"
	"github.com/mambac/mambac/ir/storage"
)

// TestWindows takes attention that sees some tokens alone up the ladder, over
// sequences after which its rings have been round more than once: a window
// within a page of keys, and one of more than a page. Feeding every prefix
// alone is left out: it takes the square of the length.
func TestWindows(t *testing.T) {
	var cases []Case
	for i, cache := range storage.Caches {
		cases = append(cases, Case{
			Name: cache, Module: windowModule(5, 70), IDs: longIDs(uint64(i), 260), Passes: pass.Options{Cache: cache}, Chunk: headChunk,
		})
	}
	ways := Interpretation{Ways: []string{"prefill", "pieces", "steps", "decode", "batch3"}}
	requireSame(t, machine{goarch: runtime.GOARCH, Interpretation: ways}, cases)
}

// longIDs is n random ids, which repeat nowhere.
func longIDs(seed uint64, n int) []int {
	r := rand.New(rand.NewPCG(seed, 5))
	list := make([]int, n)
	for i := range list {
		list[i] = r.IntN(windowVocab)
	}
	return list
}

// Sizes of the model with windows.
const (
	windowVocab, windowHidden              = 11, 20
	windowHeads, windowKVHeads, windowSize = 6, 2, 10
)

// windowModule is a layer of attention with each of the windows; heads are
// turned, and so each knows where it is.
func windowModule(windows ...int) *ir.Module {
	b := build.New("windows")
	b.Region("embed")
	angles := b.Angles(f32("frequencies", windowSize/2), 1)
	x := b.Embed(b.Input(), f32("embed.weight", windowVocab, windowHidden))
	for i, window := range windows {
		layer := fmt.Sprintf("layers.%d", i)
		b.Region(layer)
		rows := [3]int{windowHeads * windowSize, windowKVHeads * windowSize, windowKVHeads * windowSize}
		p := b.Split(b.Linear(x, f32(layer+".qkv.weight", rows[0]+rows[1]+rows[2], windowHidden), nil), rows[:]...)
		q, k := b.RoPE(p[0], angles, windowSize, false), b.RoPE(p[1], angles, windowSize, false)
		keys, values := b.Cache(layer+".keys", window, windowKVHeads, windowSize), b.Cache(layer+".values", window, windowKVHeads, windowSize)
		o := op.Attention{Heads: windowHeads, KVHeads: windowKVHeads, HeadDim: windowSize, Scale: 0.5, Window: window}
		y := b.Attention(o, q, k, p[2], keys, values)
		x = b.Add(x, b.Linear(y, f32(layer+".o.weight", windowHidden, rows[0]), nil))
	}
	b.Region("head")
	m, err := b.Finish(b.Linear(x, f32("head.weight", windowVocab, windowHidden), nil))
	if err != nil {
		panic("BUG: " + err.Error())
	}
	irtest.Fill(m)
	return m
}
