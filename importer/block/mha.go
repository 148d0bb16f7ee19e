package block

import (
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/build"
)

// MHA is the attention of the state-spaces layout (families.md §5.2): one
// projection makes queries, keys and values, which may pass a convolution, and
// the two halves of an MLP beside them, if M is not 0. Parameters that a
// checkpoint does not have are nil.
type MHA struct {
	InProj, InProjBias   *ir.Param // [dh(nh+2nk)+M,D], [dh(nh+2nk)+M]
	Conv, ConvBias       *ir.Param // [dh(nh+2nk),1,K], [dh(nh+2nk)]
	OutProj, OutProjBias *ir.Param // [D,dh·nh+M/2], [D]
	Core                 Attention // without projections
}

// Append adds the attention to the region at hand. x is the normed input; state
// names begin with the given prefix. Queries and keys are turned by the angles,
// or not at all if they are nil.
func (p *MHA) Append(b *build.Builder, x *ir.Value, prefix string, angles *ir.Value) *ir.Value {
	queries, keys := p.Core.Heads*p.Core.HeadDim, p.Core.KVHeads*p.Core.HeadDim
	width := queries + 2*keys
	half := (p.InProj.Shape[0] - width) / 2
	mixed, rest := b.Linear(x, p.InProj, p.InProjBias), []*ir.Value(nil)
	if half > 0 {
		parts := b.Split(mixed, width, half, half)
		mixed, rest = parts[0], parts[1:]
	}
	if p.Conv != nil {
		taps := p.Conv.Shape[2]
		mixed = b.Conv(mixed, p.Conv, p.ConvBias, taps, b.State(prefix+".conv", ir.Window, width, taps-1))
	}
	qkv := b.Split(mixed, queries, keys, keys)
	y := p.Core.Mix(b, qkv[0], qkv[1], qkv[2], prefix, angles)
	if half > 0 {
		y = b.Concat(y, b.GLU(rest[1], rest[0], "silu"))
	}
	return b.Linear(y, p.OutProj, p.OutProjBias)
}
