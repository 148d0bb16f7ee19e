package lower_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/build"
	"github.com/mambac/mambac/ir/op"
)

// mamba3Prepare makes what is ready of head i of the share.
func (j *job) mamba3Prepare(s *kernel.Mamba3Prepare, i int) {
	at, ready := s.Ready(), s.Ready().Update()
	for t := range j.tokens {
		put := func(element int, v float64) { j.put("ready", s.StrideReady, t, i*at.Floats()+element, v) }
		delta := softplus(j.get("dt", s.StrideD, t, i) + j.weight("dtBias", i))
		a := j.get("a", s.StrideA, t, i)
		rate := -(max(a, 0) + 1/(1-min(a, 0)))
		if s.Softplus {
			rate = -softplus(a)
		}
		decay := math.Exp(min(rate, -float64(s.Floor())) * delta)
		lambda := 1 / (1 + math.Exp(-j.get("trap", s.StrideT, t, i)))
		put(ready.Decay(), decay)
		for n := range s.Angles {
			theta := j.get("theta", 0, 0, i*s.Angles+n) + math.Pi*math.Tanh(j.get("angle", s.StrideAngle, t, n))*delta
			j.put("theta", 0, 0, i*s.Angles+n, theta-2*math.Pi*math.Floor(theta/(2*math.Pi)))
		}
		for r := range s.Rank {
			key, query := j.turned(s, "b", "biasB", s.StrideB, t, i, r), j.turned(s, "c", "biasC", s.StrideC, t, i, r)
			for n := range s.States {
				k := (i*s.Rank+r)*s.States + n
				put(at.Key(r)+n, j.get("k", 0, 0, k))
				put(at.Key(s.Rank+r)+n, key[n])
				put(at.Query(r)+n, query[n])
				j.put("k", 0, 0, k, key[n])
			}
			for p := range ready.Rows() {
				e, m := i*s.HeadDim+p, 1.0
				if p >= s.HeadDim {
					continue
				}
				if s.Mimo {
					m = j.weight("mimo", (i*s.Rank+r)*s.HeadDim+p)
				}
				x, v := j.get("x", s.StrideX, t, e), j.get("v", 0, 0, e)
				put(r*ready.Rows()+p, (1-lambda)*delta*decay*v*m)
				put((s.Rank+r)*ready.Rows()+p, lambda*delta*x*m)
				put(ready.Skip(r)+p, j.weight("d", i)*x*m)
			}
		}
		for p := range s.HeadDim {
			j.put("v", 0, 0, i*s.HeadDim+p, j.get("x", s.StrideX, t, i*s.HeadDim+p))
		}
	}
}

// turned is the key or the query of a rank, turned by the angles of the head.
func (j *job) turned(s *kernel.Mamba3Prepare, name, bias string, stride, t, i, r int) []float64 {
	out := make([]float64, s.States)
	group := (j.panel + i) / s.PerGroup
	for n := range out {
		out[n] = j.get(name, stride, t, (r*s.Groups+group)*s.States+n) + j.weight(bias, (i*s.Rank+r)*s.States+n)
	}
	for n := range s.Angles {
		first, second := 2*n, 2*n+1
		if s.Halved {
			first, second = n, n+s.States/2
		}
		sin, cos := math.Sincos(j.get("theta", 0, 0, i*s.Angles+n))
		a, b := out[first], out[second]
		out[first], out[second] = a*cos-b*sin, a*sin+b*cos
	}
	return out
}

// mamba3 updates the state of head i of the share and reads it out.
func (j *job) mamba3(s *kernel.Mamba3, i int) {
	at, ready := s.Ready(), s.Ready().Update()
	for t := range j.tokens {
		get := func(element int) float64 { return j.get("ready", s.StrideReady, t, i*at.Floats()+element) }
		for p := range s.HeadDim {
			y := make([]float64, s.Rank)
			for n := range s.States {
				e := headElement(s.HeadDim, s.States, i, p, n)
				h := get(ready.Decay()) * j.get("h", 0, 0, e)
				for k := range 2 * s.Rank {
					h += get(k*ready.Rows()+p) * get(at.Key(k)+n)
				}
				j.put("h", 0, 0, e, h)
				for r := range y {
					y[r] += h * get(at.Query(r)+n)
				}
			}
			for r := range y {
				j.put("y", s.StrideY, t, (i*s.Rank+r)*s.HeadDim+p, y[r]+get(ready.Skip(r)+p))
			}
		}
	}
}

func (j *job) mamba3Gate(s *kernel.Mamba3Gate) {
	for t := range j.tokens {
		for e := range s.Width {
			sum := 0.0
			for r := range s.Rank {
				first := e/s.HeadDim*s.HeadDim*s.Rank + r*s.HeadDim
				i := first + e%s.HeadDim
				value := j.get("x", s.StrideX, t, i)
				if s.Norm {
					squares := 0.0
					for p := range s.HeadDim {
						squares += j.get("x", s.StrideX, t, first+p) * j.get("x", s.StrideX, t, first+p)
					}
					value *= j.weight("w", e) / math.Sqrt(squares/float64(s.HeadDim)+float64(s.Eps()))
				}
				sum += value * silu(j.get("z", s.StrideZ, t, e)*j.weight("mimoZ", i)) * j.weight("mimoO", i)
			}
			j.put("y", s.StrideY, t, e, sum)
		}
	}
}

// TestMamba3Computes: Mamba-3 of one and more ranks, with norm and without, by one
// to four workers, leads to the evaluator's logits.
func TestMamba3Computes(t *testing.T) {
	for i, o := range []op.Mamba3{
		{Heads: 3, HeadDim: 5, Groups: 1, States: 7, Rank: 1, Angles: 2, Floor: 1e-4},
		{Heads: 2, HeadDim: 16, Groups: 2, States: 8, Rank: 2, Angles: 4, Floor: 1, Halved: true},
		{Heads: 6, HeadDim: 33, Groups: 3, States: 18, Rank: 4, Angles: 5, Softplus: true},
		{Heads: 4, HeadDim: 48, Groups: 2, States: 4, Rank: 1, Angles: 2, Halved: true},
	} {
		for _, norm := range []bool{false, true} {
			m := mamba3Mixer(t, o, op.Mamba3Gate{HeadDim: o.HeadDim, Rank: o.Rank, Norm: norm, Eps: float32(1e-5)}, i == 3)
			requireMixer(t, fmt.Sprint(o, norm), m)
		}
	}
}

// mamba3Mixer is the scan and its gate; ranked has parameters of a single rank
// too.
func mamba3Mixer(t *testing.T, o op.Mamba3, gate op.Mamba3Gate, ranked bool) *ir.Module {
	inner, shared := o.Heads*o.HeadDim, o.Rank*o.Groups*o.States
	var mimo [3]*ir.Param
	if ranked || o.Rank > 1 {
		for i, name := range []string{"mimo_x", "mimo_z", "mimo_o"} {
			mimo[i] = floats(name, o.Heads, o.Rank, o.HeadDim)
		}
	}
	var norm *ir.Param
	if gate.Norm {
		norm = floats("norm.weight", inner)
	}
	return mixer(t, 4, func(b *build.Builder, x *ir.Value) *ir.Value {
		widths := []int{inner, inner, shared, shared, o.Heads, o.Heads, o.Heads, o.Angles}
		all := b.Linear(x, floats("in_proj.weight", 2*(inner+shared)+3*o.Heads+o.Angles, 4), nil)
		p := b.Split(all, widths...)
		states := []*ir.State{
			b.State("theta", ir.Recurrence, o.Heads, o.Angles), b.State("h", ir.Recurrence, o.Heads, o.HeadDim, o.States),
			b.State("k", ir.Recurrence, o.Heads, o.Rank, o.States), b.State("v", ir.Recurrence, o.Heads, o.HeadDim),
		}
		y := b.Op(o, []*ir.Value{p[1], p[2], p[3], p[4], p[5], p[6], p[7]}, []*ir.Param{floats("dt_bias", o.Heads),
			floats("B_bias", o.Heads, o.Rank, o.States), floats("C_bias", o.Heads, o.Rank, o.States), floats("D", o.Heads), mimo[0]}, states)
		return b.Op(gate, []*ir.Value{y, p[0]}, []*ir.Param{mimo[1], mimo[2], norm}, nil)
	})
}
