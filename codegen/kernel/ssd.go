package kernel

import (
	"fmt"
	"math"
)

// SSD is the scan of Mamba-2 over a run of tokens for a run of heads (families.md
// §3, steps 3 to 6). Heads first … first+heads−1 are computed, and head i of
// the run is number first+i of the layer:
//
//	Δ        = softplus(dt[t,i] + dtBias[i]), at least Low, at most High if it is not 0
//	h[i,p,n] ← exp(a[i]·Δ)·h[i,p,n] + (Δ·u[t,i,p])·B[t,g,n],  g = ⌊(first+i)/PerGroup⌋
//	y[t,i,p] = d[i]·u[t,i,p] + Σ_n h[i,p,n]·C[t,g,n]
//
// Order of operations, the same in every level: q = Δ·u and acc = d·u; per n
// ascending h = fma(exp(a·Δ), h, q·B), acc = fma(h, C, acc).
//
// Token t of u, bc, dt and y is at t·Stride…; element p of head i of u and y at
// i·HeadDim + p, dt at i; B[t,g,n] is bc[t·StrideBC + OffsetB + g·N + n] and C
// likewise. h holds per head, per 16 of its rows, N rows of 16 lanes; what lies
// in lanes past HeadDim means nothing. bc does not move with the heads. y may be
// u where the strides are equal. scratch holds Scratch(tokens) float32.
type SSD struct {
	HeadDim  int // P
	States   int // N
	PerGroup int // heads that read one group of B and C
	StrideU  int
	StrideBC int
	OffsetB  int
	OffsetC  int
	StrideD  int // of dt
	StrideY  int
	LowBits  uint32 // float32 bits of the bounds of Δ, so that specs compare
	HighBits uint32
	Elements bool // d[i,p] in place of d[i]
}

// Low is the least Δ.
func (s SSD) Low() float32 { return math.Float32frombits(s.LowBits) }

// High is the largest Δ, 0 for none.
func (s SSD) High() float32 { return math.Float32frombits(s.HighBits) }

// Kind implements Spec.
func (SSD) Kind() string { return "ssd" }

// Name implements Spec.
func (s SSD) Name() string {
	name := fmt.Sprintf("ssd_p%d_n%d_g%d_su%d_sbc%d_b%d_c%d_sd%d_sy%d",
		s.HeadDim, s.States, s.PerGroup, s.StrideU, s.StrideBC, s.OffsetB, s.OffsetC, s.StrideD, s.StrideY)
	if s.LowBits != 0 || s.HighBits != 0 {
		name += fmt.Sprintf("_low%08x_high%08x", s.LowBits, s.HighBits)
	}
	if s.Elements {
		name += "_elements"
	}
	return name
}

// Signature implements Spec:
// (y, u, bc, dt, a, dtBias, d, h, scratch, first, heads, tokens).
func (SSD) Signature() []Param {
	return []Param{{"y", "[]float32"}, {"u", "[]float32"}, {"bc", "[]float32"}, {"dt", "[]float32"}, {"a", "[]float32"},
		{"dtBias", "[]float32"}, {"d", "[]float32"}, {"h", "[]float32"}, {"scratch", "[]float32"},
		{"first", "int"}, {"heads", "int"}, {"tokens", "int"}}
}

// Scratch is the number of float32 of scratch for a run of tokens: what of a
// head depends on no state.
func (s SSD) Scratch(tokens int) int { return tokens * s.Update().Floats() }

// Update is how the state of a head changes.
func (s SSD) Update() Update {
	return Update{HeadDim: s.HeadDim, States: s.States, Inputs: 1, Outputs: 1}
}

// Cost implements Spec; a unit is a head.
func (s SSD) Cost(units, tokens int) Cost {
	n := units * s.HeadDim
	return Cost{StateBytes: 2 * 4 * n * s.States, Flops: n * tokens * (5*s.States + 3)}
}

// Update is one token's change of the state of a head by a few products of
// vectors, and what is read out of it:
//
//	h[p,n] ← decay·h[p,n] + Σ_j w_j[p]·k_j[n],  y_r[p] = skip_r[p] + Σ_n h[p,n]·q_r[n]
//
// What depends on no state comes ready made in a row of Floats float32: w of
// every input, skip of every output, each of whole groups of channels with 0
// past HeadDim, and the decay.
type Update struct {
	HeadDim, States int
	Inputs, Outputs int
}

// Rows is the number of rows of a head in memory.
func (u Update) Rows() int { return PadGroup(u.HeadDim) }

// Skip is where the skip of output r begins.
func (u Update) Skip(r int) int { return (u.Inputs + r) * u.Rows() }

// Decay is where the decay is.
func (u Update) Decay() int { return (u.Inputs + u.Outputs) * u.Rows() }

// Floats is the length of a row.
func (u Update) Floats() int { return u.Decay() + GroupChannels }

func init() { register(SSD{}) }
