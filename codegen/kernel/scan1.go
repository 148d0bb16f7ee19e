package kernel

import "fmt"

// Scan1 is the selective scan of Mamba-1 over a run of tokens for a run of
// groups of 16 channels (families.md §2, steps 5, 7, 8 and the gate of 9).
//
//	Δ      = softplus(dt[t,e] + dtBias[e])       with Softplus, else dt[t,e]
//	h[e,n] ← exp(Δ·a[e,n])·h[e,n] + (Δ·u[t,e])·B[t,n]
//	y[t,e] = Σ_n h[e,n]·C[t,n] + d[e]·u[t,e]
//	y[t,e] ← y[t,e]·silu(z[t,e])                 with Gate
//
// Order of operations, the same in every level: q = Δ·u, r = Δ·log₂e; per n
// ascending h = fma(2^(r·a), h, q·B); acc = fma(h, C, acc) from 0; then
// acc = fma(d, u, acc). Token t of u, dt, z, bc, y is at t·Stride…; B[t,n] is
// bc[t·StrideBC+OffsetB+n] and C likewise. a and h hold per group of 16
// channels N rows of 16 lanes. All channel-wise slices start at the first
// channel of the first group; bc does not move with the groups. y may alias u,
// dt or z where the strides are equal. scratch holds Scan1Scratch(tokens)
// float32, for what of a group depends on no state.
type Scan1 struct {
	States  int // N, the state size
	StrideU int
	StrideD int // of dt
	StrideZ int
	StrideY int
	// B and C come out of one linear, one row per token.
	StrideBC int
	OffsetB  int
	OffsetC  int
	Softplus bool // dt is raw: add dtBias and apply softplus
	Gate     bool // multiply by silu(z)
}

// Kind implements Spec.
func (Scan1) Kind() string { return "scan1" }

// Name implements Spec.
func (s Scan1) Name() string {
	name := fmt.Sprintf("scan1_n%d_su%d_sd%d_sy%d_sbc%d_b%d_c%d",
		s.States, s.StrideU, s.StrideD, s.StrideY, s.StrideBC, s.OffsetB, s.OffsetC)
	if s.Softplus {
		name += "_softplus"
	}
	if s.Gate {
		name += fmt.Sprintf("_gate%d", s.StrideZ)
	}
	return name
}

// Signature implements Spec:
// (y, u, dt, [z], bc, a, d, [dtBias], h, scratch, groups, tokens).
func (s Scan1) Signature() []Param {
	p := []Param{{"y", "[]float32"}, {"u", "[]float32"}, {"dt", "[]float32"}}
	if s.Gate {
		p = append(p, Param{"z", "[]float32"})
	}
	p = append(p, Param{"bc", "[]float32"}, Param{"a", "[]float32"}, Param{"d", "[]float32"})
	if s.Softplus {
		p = append(p, Param{"dtBias", "[]float32"})
	}
	return append(p, Param{"h", "[]float32"}, Param{"scratch", "[]float32"}, Param{"groups", "int"}, Param{"tokens", "int"})
}

// Scan1Scratch is the number of float32 of scratch for a run of tokens: r, q and
// the gate of a group.
func Scan1Scratch(tokens int) int { return 3 * GroupChannels * tokens }

// Cost implements Spec; a unit is a group.
func (s Scan1) Cost(units, tokens int) Cost {
	n := units * GroupChannels
	return Cost{
		WeightBytes: 4 * n * (s.States + 2),
		StateBytes:  2 * 4 * n * s.States,
		Flops:       n * tokens * (6*s.States + 10),
	}
}

func init() { register(Scan1{}) }
