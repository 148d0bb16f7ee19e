package kernel

import (
	"fmt"
	"math"
)

// Mamba3 advances the states of a run of heads of Mamba-3 over a run of tokens
// and reads them out (families.md §4, steps 9 and 10), as Update says, with two
// inputs and one output of each rank. Everything else of a token comes out of
// Mamba3Prepare, in a row of Ready().Floats() float32 per head.
//
// Order of operations, the same in every level: x = w_0·k_0, then fma(w_j, k_j, x)
// in ascending j; h = fma(decay, h, x); acc = fma(h, q, acc) in ascending n, from
// the skip. Output r of head i is at i·Rank·HeadDim + r·HeadDim of a row of y. h
// holds per head, per 16 of its rows, States rows of 16 lanes; what lies in lanes
// past HeadDim means nothing.
type Mamba3 struct {
	HeadDim, States, Rank int
	StrideReady           int
	StrideY               int
}

// Kind implements Spec.
func (Mamba3) Kind() string { return "mamba3" }

// Name implements Spec.
func (m Mamba3) Name() string {
	return fmt.Sprintf("mamba3_p%d_n%d_r%d_sr%d_sy%d", m.HeadDim, m.States, m.Rank, m.StrideReady, m.StrideY)
}

// Signature implements Spec: (y, ready, h, heads, tokens).
func (Mamba3) Signature() []Param {
	return []Param{{"y", "[]float32"}, {"ready", "[]float32"}, {"h", "[]float32"}, {"heads", "int"}, {"tokens", "int"}}
}

// Ready is what lies in a row.
func (m Mamba3) Ready() Mamba3Ready { return Mamba3Ready{m.HeadDim, m.States, m.Rank} }

// Cost implements Spec; a unit is a head.
func (m Mamba3) Cost(units, tokens int) Cost {
	n := units * m.HeadDim * m.States
	return Cost{StateBytes: 2 * 4 * n, Flops: n * tokens * (1 + 6*m.Rank)}
}

// Mamba3Ready is what is ready made of one token for one head: a row of Update,
// then the vectors k of its inputs, those of the previous token first, then q of
// its outputs.
type Mamba3Ready struct {
	HeadDim, States, Rank int
}

// Update is how the state changes.
func (r Mamba3Ready) Update() Update {
	return Update{HeadDim: r.HeadDim, States: r.States, Inputs: 2 * r.Rank, Outputs: r.Rank}
}

// Key is where k of input j begins.
func (r Mamba3Ready) Key(j int) int { return r.Update().Floats() + j*r.States }

// Query is where q of output i begins.
func (r Mamba3Ready) Query(i int) int { return r.Key(2*r.Rank + i) }

// Floats is the length of a row.
func (r Mamba3Ready) Floats() int { return r.Update().Floats() + PadGroup(3*r.Rank*r.States) }

// Mamba3Prepare computes what Mamba3 wants of a run of tokens for a run of heads
// (families.md §4, steps 2, 3 and 5 to 8). Head i of the run is number first+i of
// the layer, g its group; per rank r:
//
//	α̂ = −(max(a,0) + 1/(1−min(a,0))), with Softplus −softplus(a)
//	Δ = softplus(dt + dtBias), λ = σ(trap), decay = exp(min(α̂, −Floor)·Δ)
//	θ_s ← θ_s + π·tanh(angle_s)·Δ mod 2π
//	k' = rot(b[r,g] + biasB[r], θ), q = rot(c[r,g] + biasC[r], θ), v' = x·mimo[r]
//
// and of it the row: the inputs (1−λ)·Δ·decay·v of the previous token and λ·Δ·v',
// the skip d·v', the decay, k of the previous token, k' and q. Then k ← k', v ← x.
// rot turns the elements 2s and 2s+1 by θ_s, with Halved s and s+N/2.
//
// Token t of every slice is at t·Stride…; there, element p of head i of x is at
// i·HeadDim + p, b[r,g,n] at (r·Groups + g)·States + n and c likewise; dt, a and
// trap at i; angle is of all heads. theta holds Angles float32 per head, k, biasB
// and biasC Rank rows of States, mimo Rank rows of HeadDim. scratch holds
// Scratch() float32.
type Mamba3Prepare struct {
	HeadDim, States, Rank, Angles int
	Groups, PerGroup              int // groups of B and C, heads of each
	StrideReady                   int
	StrideX                       int
	StrideB, StrideC              int
	StrideD                       int // of dt
	StrideA                       int
	StrideT                       int // of trap
	StrideAngle                   int
	FloorBits                     uint32 // float32 bits of Floor, so that specs compare
	Halved, Softplus              bool
	Mimo                          bool
}

// Floor is the least −A.
func (m Mamba3Prepare) Floor() float32 { return math.Float32frombits(m.FloorBits) }

// Kind implements Spec.
func (Mamba3Prepare) Kind() string { return "mamba3prepare" }

// Name implements Spec.
func (m Mamba3Prepare) Name() string {
	name := fmt.Sprintf("mamba3prepare_p%d_n%d_r%d_s%d_g%d_h%d_sr%d_sx%d_sb%d_sc%d_sd%d_sa%d_st%d_sn%d_floor%08x",
		m.HeadDim, m.States, m.Rank, m.Angles, m.Groups, m.PerGroup,
		m.StrideReady, m.StrideX, m.StrideB, m.StrideC, m.StrideD, m.StrideA, m.StrideT, m.StrideAngle, m.FloorBits)
	for _, f := range []struct {
		on   bool
		name string
	}{{m.Halved, "_halved"}, {m.Softplus, "_softplus"}, {m.Mimo, "_mimo"}} {
		if f.on {
			name += f.name
		}
	}
	return name
}

// Signature implements Spec: (ready, x, b, c, dt, a, trap, angle, dtBias, biasB,
// biasC, d, [mimo], theta, k, v, scratch, first, heads, tokens).
func (m Mamba3Prepare) Signature() []Param {
	names := []string{"ready", "x", "b", "c", "dt", "a", "trap", "angle", "dtBias", "biasB", "biasC", "d"}
	if m.Mimo {
		names = append(names, "mimo")
	}
	var p []Param
	for _, name := range append(names, "theta", "k", "v", "scratch") {
		p = append(p, Param{name, "[]float32"})
	}
	return append(p, Param{"first", "int"}, Param{"heads", "int"}, Param{"tokens", "int"})
}

// Scratch is the number of float32 of scratch: cosines and sines of the angles of
// a head, as many as there are pairs.
func (m Mamba3Prepare) Scratch() int { return 2 * PadGroup((m.States+1)/2) }

// Ready is what lies in a row.
func (m Mamba3Prepare) Ready() Mamba3Ready { return Mamba3Ready{m.HeadDim, m.States, m.Rank} }

// Cost implements Spec; a unit is a head.
func (m Mamba3Prepare) Cost(units, tokens int) Cost {
	vectors := m.Rank * (2*m.States + m.HeadDim)
	return Cost{
		WeightBytes: 4 * units * vectors,
		StateBytes:  2 * 4 * units * (m.Angles + m.Rank*m.States + m.HeadDim),
		Flops:       units * tokens * (6*m.Angles + 4*vectors),
	}
}

func init() {
	register(Mamba3{})
	register(Mamba3Prepare{})
}
