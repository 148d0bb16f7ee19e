package lower_test

import (
	"testing"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/build"
	"github.com/mambac/mambac/ir/op"
	"github.com/mambac/mambac/ir/tensor"
)

// mixture is a model of one layer of experts, of which a token has some.
func mixture(t *testing.T, experts, top, inner int) *ir.Module {
	t.Helper()
	param := func(name string, rows, columns int) *ir.Param {
		return &ir.Param{Name: name, Shape: tensor.Shape{rows, columns}, DType: tensor.F32}
	}
	const hidden = 48
	b := build.New("mixture")
	b.Region("embed")
	embedding := param("embedding.weight", 2, hidden)
	x := b.Embed(b.Input(), embedding)
	b.Region("layers.0")
	weights := b.Route(op.Route{Kind: "softmax", Top: top, Factor: 1}, b.Linear(x, param("router.weight", experts, hidden), nil), nil)
	y := b.Experts(op.Experts{Function: "silu", Top: top}, x, weights, param("in.weight", 2*experts*inner, hidden), param("down.weight", experts*hidden, inner))
	b.Region("head")
	m, err := b.Finish(b.Linear(b.Add(x, y), embedding, nil))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestChosenChunkOfExperts: a chunk of more than 8 MiB is as long as an expert can
// expect 16 tokens, or as fits into 32 MiB.
func TestChosenChunkOfExperts(t *testing.T) {
	for _, c := range []struct{ experts, top, inner, want int }{
		{4, 2, 48, 512},    // all fit
		{8, 2, 9600, 64},   // 7.6 MiB, 16 tokens each
		{16, 2, 9600, 128}, // 15 MiB, 16 tokens each
		{64, 1, 9600, 256}, // 30 MiB, 4 tokens each
		{8, 8, 30000, 16},  // 5.8 MiB, 16 tokens each
		{8, 2, 30000, 64},  // 23 MiB, 16 tokens each
		{64, 6, 30000, 64}, // 23 MiB, 6 tokens each
		{8, 1, 300000, 16}, // 58 MiB, as few as may be
	} {
		p := lowerChunk(t, mixture(t, c.experts, c.top, c.inner), 0)
		if p.Chunk != c.want {
			t.Errorf("%d of %d experts, inner size %d: a chunk is %d tokens, %d bytes, want %d tokens", c.top, c.experts, c.inner, p.Chunk, 4*p.Arena, c.want)
		}
	}
}
