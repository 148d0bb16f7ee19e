package main

import (
	"testing"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/text"
)

// hybridText has one of everything that is counted: a tied embedding, experts of
// which some are chosen, a shared matrix, rotary frequencies that are of no
// checkpoint, caches with and without a window, a fixed state.
const hybridText = `module m
param @embed [10 4] bf16
param @frequencies [1] f32
param @shared [4 4] bf16
param @router [3 4] f32
param @in [12 4] bf16
param @down [12 2] bf16
param @conv [4 1 3] f32
state $window window [4 2]
state $k cache [1 2]
state $v cache [1 2]
state $k.near cache [1 2] back=5
state $v.near cache [1 2] back=5
input %ids: id[T]
region embed {
  %angles: f32[T,2] = angles() [@frequencies] {factor=1}
  %x: f32[T,4] = embed(%ids) [@embed]
}
region layers.0 {
  %s: f32[T,4] = linear(%x) [@shared, none]
  %q: f32[T,4] = rope(%s, %angles) {headDim=2}
  %key: f32[T,2] = slice(%s) {lo=0 hi=2}
  %value: f32[T,2] = slice(%s) {lo=2 hi=4}
  %all: f32[T,4] = attention(%q, %key, %value) <$k, $v> {heads=2 kVHeads=1 headDim=2 scale=1}
  %near: f32[T,4] = attention(%q, %key, %value) <$k.near, $v.near> {heads=2 kVHeads=1 headDim=2 scale=1 window=5}
  %sum: f32[T,4] = add(%all, %near)
}
region layers.1 {
  %again: f32[T,4] = linear(%sum) [@shared, none]
  %c: f32[T,4] = conv(%again) [@conv, none] <$window> {taps=3}
  %logits: f32[T,3] = linear(%c) [@router, none]
  %w: f32[T,3] = route(%logits) [none] {kind="softmax" top=2 factor=1}
  %e: f32[T,4] = experts(%c, %w) [@in, @down] {function="silu" top=2}
}
region head {
  %y: f32[T,10] = linear(%e) [@embed, none]
}
return %y
`

func TestMeasure(t *testing.T) {
	m, err := text.Parse(hybridText)
	if err == nil {
		err = ir.Verify(m)
	}
	if err != nil {
		t.Fatal(err)
	}
	const (
		embed, shared, router, conv = 10 * 4, 4 * 4, 3 * 4, 4 * 3
		experts                     = 12*4 + 12*2
		chosen                      = experts / 3 * 2
	)
	want := sizes{
		Parameters:       embed + shared + router + conv + experts,
		ActiveParameters: embed + shared + router + conv + chosen,
		WeightBytes:      2*(embed+shared+experts) + 4*(router+conv+1),
		StateBytes:       4 * 8,
		CacheBytes:       4 * 8,
		DecodeBytes:      2*(embed+shared+chosen) + 4*(router+conv+1) + 2*4*8,
		PrefillFlop:      2 * (2*shared + router + chosen),
		HeadFlop:         2 * embed,
		CachedFlop:       2 * 4 * 4,
	}
	if got := measure(m); got != want {
		t.Errorf("have %+v,\nwant %+v", got, want)
	}
	caches := cachesOf(m)
	if len(caches) != 2 || caches[0] != (cache{0, 1, 16, 8, 12, "f32"}) || caches[1] != (cache{5, 1, 16, 8, 12, "f32"}) {
		t.Fatalf("caches %+v", caches)
	}
	for tokens, want := range map[int64]int64{0: 2 * 16, 3: 4 * 2 * 16, 9: 10*16 + 5*16} {
		if got := contextFlop(m, tokens); got != want {
			t.Errorf("after %d tokens attention is %d flop, want %d", tokens, got, want)
		}
	}
	if halves := measure(withCache(m, "f16")); halves.CacheBytes != 4*4 {
		t.Errorf("halves of a token take %d bytes, want %d", halves.CacheBytes, 4*4)
	}
	for tokens, want := range map[int64][2]int64{0: {0, 0}, 3: {48, 48}, 9: {144, 80}} {
		if got := [2]int64{caches[0].bytes(tokens), caches[1].bytes(tokens)}; got != want {
			t.Errorf("%d tokens take %d bytes, want %d", tokens, got, want)
		}
	}
}

// TestKindsOfLayers: regions of one kind are one line wherever they stand.
func TestKindsOfLayers(t *testing.T) {
	var d description
	for i, name := range []string{"embed", "a.0", "a.1", "b.2", "a.3", "a.4", "b.5", "a.6", "head"} {
		d.add(i, layerKind{Regions: name, Count: 1, first: name, last: name, Ops: name[:1], Flop: 1})
	}
	var got []string
	for _, k := range d.Layers {
		got = append(got, k.Regions)
	}
	want := []string{"embed", "a.0…a.1, a.3…a.4, a.6", "b.2, b.5", "head"}
	if len(got) != len(want) {
		t.Fatalf("kinds %q, want %q", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("kind %d is %q, want %q", i, got[i], want[i])
		}
	}
	if d.Layers[1].Count != 5 || d.FlopPerToken != 9 {
		t.Errorf("%d layers of a kind, %d flop", d.Layers[1].Count, d.FlopPerToken)
	}
}
