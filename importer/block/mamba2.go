package block

import (
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/build"
	"github.com/mambac/mambac/ir/op"
)

// Mamba2 is the parameters of one Mamba-2 mixer (families.md §3); biases that a
// checkpoint does not have are nil. The sizes are those of the parameters. M is
// the width of the MLP that the mixer has beside it where d_ssm is less than
// the inner size (§5.1), else 0.
type Mamba2 struct {
	InProj, InProjBias   *ir.Param // [2M+2E+2GN+H,D], [2M+2E+2GN+H]
	Conv, ConvBias       *ir.Param // [E+2GN,1,K], [E+2GN]
	A, DtBias            *ir.Param // [H] with the transform NegExp, [H]
	D                    *ir.Param // [H], or [E]: one per element
	Norm                 *ir.Param // [E], nil if the gate is all there is
	OutProj, OutProjBias *ir.Param // [D,M+E], [D]

	Groups     int            // G, of B and C
	Activation string         // of the conv
	Low, High  float32        // bounds of Δ; no upper one if High is 0
	Gate       op.GatedNorm   // how Norm norms
	Multiply   *SSMMultiplier // of what in_proj gives; nil for none
}

// SSMMultiplier is what the parts of in_proj's result are multiplied by before
// anything else happens to them (families.md §12).
type SSMMultiplier struct {
	Z, X, B, C, Dt float32
}

// Append adds the mixer to the region at hand. x is the normed input; state
// names begin with the given prefix.
func (p *Mamba2) Append(b *build.Builder, x *ir.Value, prefix string) *ir.Value {
	z := p.sizes()
	parts := b.Split(b.Linear(x, p.InProj, p.InProjBias), z.parts()...)
	mlp, gate, xBC, dt := parts[:len(parts)-3], parts[len(parts)-3], parts[len(parts)-2], parts[len(parts)-1]
	if m := p.Multiply; m != nil {
		gate, dt = b.Scale(gate, m.Z), b.Scale(dt, m.Dt)
		xBC = m.scale(b, xBC, z)
	}
	window := b.State(prefix+".conv", ir.Window, z.channels, z.taps-1)
	xBC = b.Activate(b.Conv(xBC, p.Conv, p.ConvBias, z.taps, window), p.Activation)
	u := b.Split(xBC, z.inner, z.shared, z.shared)
	scan := op.SSD{Heads: z.heads, HeadDim: z.inner / z.heads, Groups: p.Groups, States: z.shared / p.Groups, Low: p.Low, High: p.High}
	state := b.State(prefix+".ssm", ir.Recurrence, scan.Heads, scan.HeadDim, scan.States)
	y := p.gated(b, b.SSD(scan, u[0], u[1], u[2], dt, p.A, p.DtBias, p.D, state), gate)
	if len(mlp) > 0 {
		y = b.Concat(b.GLU(mlp[0], mlp[1], "silu"), y)
	}
	return b.Linear(y, p.OutProj, p.OutProjBias)
}

// gated is the gated norm of the family, or the gate alone.
func (p *Mamba2) gated(b *build.Builder, y, gate *ir.Value) *ir.Value {
	if p.Norm == nil {
		return b.Mul(y, b.SiLU(gate))
	}
	return b.GatedNorm(p.Gate, y, gate, p.Norm)
}

// mamba2Sizes are the sizes of a mixer: E, E+2GN, K, GN, H, M.
type mamba2Sizes struct {
	inner, channels, taps, shared, heads, mlp int
}

// sizes follow from the shapes, as in_proj has M+E more rows than conv, heads
// and out_proj's columns account for.
func (p *Mamba2) sizes() mamba2Sizes {
	z := mamba2Sizes{channels: p.Conv.Shape[0], taps: p.Conv.Shape[2], heads: p.A.Shape[0]}
	outer := p.OutProj.Shape[1]
	z.mlp = p.InProj.Shape[0] - z.channels - z.heads - outer
	z.inner = outer - z.mlp
	z.shared = (z.channels - z.inner) / 2
	return z
}

// parts is the widths of what in_proj gives, in order.
func (z mamba2Sizes) parts() []int {
	list := []int{z.inner, z.channels, z.heads}
	if z.mlp > 0 {
		list = append([]int{z.mlp, z.mlp}, list...)
	}
	return list
}

// scale multiplies x, B and C.
func (m *SSMMultiplier) scale(b *build.Builder, xBC *ir.Value, z mamba2Sizes) *ir.Value {
	if m.X == m.B && m.X == m.C {
		return b.Scale(xBC, m.X)
	}
	u := b.Split(xBC, z.inner, z.shared, z.shared)
	return b.Concat(b.Scale(u[0], m.X), b.Scale(u[1], m.B), b.Scale(u[2], m.C))
}
