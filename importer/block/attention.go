package block

import (
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/build"
	"github.com/mambac/mambac/ir/op"
)

// Attention is one attention (families.md §1.7): nh heads of queries, nk of
// keys and values. Biases that a checkpoint does not have are nil.
type Attention struct {
	Q, K, V, O                 *ir.Param // [nh·dh,D], [nk·dh,D] twice, [D,nh·dh]
	QBias, KBias, VBias, OBias *ir.Param
	Heads, KVHeads, HeadDim    int
	Scale                      float32 // of the scores
	Window                     int     // tokens seen, its own included; 0 for all
	KeyScale                   float32 // of k before it is turned; 0 stands for 1
	Interleaved                bool    // elements turned together are neighbours
}

// Append adds the attention to the region at hand. x is the normed input;
// state names begin with the given prefix. Queries and keys are turned by the
// angles, or not at all if they are nil.
func (p *Attention) Append(b *build.Builder, x *ir.Value, prefix string, angles *ir.Value) *ir.Value {
	q, k, v := b.Linear(x, p.Q, p.QBias), b.Linear(x, p.K, p.KBias), b.Linear(x, p.V, p.VBias)
	return b.Linear(p.Mix(b, q, k, v, prefix, angles), p.O, p.OBias)
}

// Mix is what lies between the projections.
func (p *Attention) Mix(b *build.Builder, q, k, v *ir.Value, prefix string, angles *ir.Value) *ir.Value {
	if p.KeyScale != 0 {
		k = b.Scale(k, p.KeyScale)
	}
	if angles != nil {
		q, k = b.RoPE(q, angles, p.HeadDim, p.Interleaved), b.RoPE(k, angles, p.HeadDim, p.Interleaved)
	}
	keys := b.Cache(prefix+".keys", p.Window, p.KVHeads, p.HeadDim)
	values := b.Cache(prefix+".values", p.Window, p.KVHeads, p.HeadDim)
	return b.Attention(op.Attention{Heads: p.Heads, KVHeads: p.KVHeads, HeadDim: p.HeadDim, Scale: p.Scale, Window: p.Window},
		q, k, v, keys, values)
}
