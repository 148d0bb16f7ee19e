package op

import (
	"fmt"
	"math"

	"github.com/mambac/mambac/ir"
)

// Mamba3 is the scan of Mamba-3 (families.md §4, steps 2, 3, 5 to 10) with B
// and C normed. Per head h, of group g = ⌊h·G/H⌋, and rank r:
//
//	α̂ = −(max(a,0) + 1/(1−min(a,0))), with Softplus −softplus(a);  A = min(α̂, −Floor)
//	Δ = softplus(dt + bias), λ = σ(trap), θ_s ← θ_s + π·tanh(angle_s)·Δ mod 2π
//	k' = rot(B[r,g] + biasB[h,r], θ), q = rot(C[r,g] + biasC[h,r], θ), v' = x·mimo
//	s[p,n] ← α·s + (1−λ)·Δ·α·Σ_r v_r[p]·k_r[n] + λ·Δ·Σ_r v'_r[p]·k'_r[n], α = exp(A·Δ)
//	y[r,p] = Σ_n s[p,n]·q_r[n] + D·v'_r[p];  k ← k', v ← x
//
// rot turns the elements 2s and 2s+1 by θ_s, with Halved s and s+N/2.
// Arguments: x [H·P], B, C [R·G·N], dt, a, trap [H], angle [S]; parameters: the
// bias of dt [H], of B and C [H,R,N], D [H], mimo [H,R,P], optional with one
// rank; states: θ [H,S], s [H,P,N], k [H,R,N], v [H,P]. The
// result is y [H,R,P].
type Mamba3 struct {
	Heads, HeadDim, Groups, States, Rank, Angles int     // H, P, G, N, R, S
	Floor                                        float32 // of −A
	Halved                                       bool
	Softplus                                     bool
}

func init() { register(Mamba3{}) }

// OpName implements ir.Op.
func (Mamba3) OpName() string { return "mamba3" }

// Infer implements ir.Op.
func (o Mamba3) Infer(args []ir.Type, params []*ir.Param, states []*ir.State) (ir.Type, error) {
	if err := first(want(args, params, states, 7, 5, 1, 4), floats(args), groupsDivide(o.Groups, o.Heads)); err != nil {
		return ir.Type{}, err
	}
	if o.Rank < 1 || o.Angles < 1 || 2*o.Angles > o.States || o.Halved && o.States%2 != 0 {
		return ir.Type{}, fmt.Errorf("rank %d and %d angles do not go with a state size of %d", o.Rank, o.Angles, o.States)
	}
	if o.Rank > 1 && params[4] == nil {
		return ir.Type{}, fmt.Errorf("parameter 4 is missing, by which each of %d ranks takes x", o.Rank)
	}
	inner, bc := o.Heads*o.HeadDim, o.Rank*o.Groups*o.States
	return ir.Vec(inner * o.Rank), first(width(args, 0, inner), width(args, 1, bc), width(args, 2, bc),
		width(args, 3, o.Heads), width(args, 4, o.Heads), width(args, 5, o.Heads), width(args, 6, o.Angles),
		shaped(params[0], o.Heads), shaped(params[1], o.Heads, o.Rank, o.States), shaped(params[2], o.Heads, o.Rank, o.States),
		shaped(params[3], o.Heads), shaped(params[4], o.Heads, o.Rank, o.HeadDim),
		stateShaped(states[0], ir.Recurrence, o.Heads, o.Angles), stateShaped(states[1], ir.Recurrence, o.Heads, o.HeadDim, o.States),
		stateShaped(states[2], ir.Recurrence, o.Heads, o.Rank, o.States), stateShaped(states[3], ir.Recurrence, o.Heads, o.HeadDim))
}

// Step implements ir.Op.
func (o Mamba3) Step(f *ir.Frame) {
	for h := range o.Heads {
		delta := softplus(float64(f.Args[3][h]) + float64(f.Params[0][h]))
		theta := f.States[0][h*o.Angles : (h+1)*o.Angles]
		for s := range theta {
			turned := float64(theta[s]) + math.Pi*math.Tanh(float64(f.Args[6][s]))*delta
			theta[s] = float32(turned - 2*math.Pi*math.Floor(turned/(2*math.Pi)))
		}
		o.head(f, h, delta, o.rotated(f.Args[1], f.Params[1], h, theta), o.rotated(f.Args[2], f.Params[2], h, theta))
	}
}

// rotated is B or C of a head, [R,N], with its bias and turned by θ.
func (o Mamba3) rotated(x, bias []float32, h int, theta []float32) []float32 {
	out := make([]float32, o.Rank*o.States)
	g := h / (o.Heads / o.Groups)
	for r := range o.Rank {
		in, row := x[(r*o.Groups+g)*o.States:], out[r*o.States:(r+1)*o.States]
		for n := range row {
			row[n] = in[n] + bias[(h*o.Rank+r)*o.States+n]
		}
		for s, angle := range theta {
			i, j := 2*s, 2*s+1
			if o.Halved {
				i, j = s, s+o.States/2
			}
			sin, cos := math.Sincos(float64(angle))
			a, b := float64(row[i]), float64(row[j])
			row[i], row[j] = float32(a*cos-b*sin), float32(a*sin+b*cos)
		}
	}
	return out
}

// head advances one head by the new key k, read out by the query q.
func (o Mamba3) head(f *ir.Frame, h int, delta float64, k, q []float32) {
	decay := math.Exp(o.rate(float64(f.Args[4][h])) * delta)
	lambda := activations["sigmoid"](float64(f.Args[5][h]))
	before, now := (1-lambda)*delta*decay, lambda*delta
	past := f.States[2][h*o.Rank*o.States : (h+1)*o.Rank*o.States]
	for p := range o.HeadDim {
		e := h*o.HeadDim + p
		x, last := float64(f.Args[0][e]), float64(f.States[3][e])
		state := f.States[1][e*o.States : (e+1)*o.States]
		for n := range state {
			s := decay * float64(state[n])
			for r := range o.Rank {
				m := o.mimo(f, h, r, p)
				s += before*last*m*float64(past[r*o.States+n]) + now*x*m*float64(k[r*o.States+n])
			}
			state[n] = float32(s)
		}
		for r := range o.Rank {
			y := float64(f.Params[3][h]) * x * o.mimo(f, h, r, p)
			f.Out[(h*o.Rank+r)*o.HeadDim+p] = float32(y + dot(state, q[r*o.States:(r+1)*o.States]))
		}
		f.States[3][e] = f.Args[0][e]
	}
	copy(past, k)
}

// rate is A of a head.
func (o Mamba3) rate(a float64) float64 {
	rate := -(max(a, 0) + 1/(1-min(a, 0)))
	if o.Softplus {
		rate = -softplus(a)
	}
	return min(rate, -float64(o.Floor))
}

// mimo is what rank r takes x by.
func (o Mamba3) mimo(f *ir.Frame, h, r, p int) float64 {
	if f.Params[4] == nil {
		return 1
	}
	return float64(f.Params[4][(h*o.Rank+r)*o.HeadDim+p])
}

// Cost implements ir.Op.
func (o Mamba3) Cost(_ []ir.Type, params []*ir.Param, states []*ir.State) ir.Cost {
	c := ir.Cost{Flops: o.Heads * o.HeadDim * o.States * (1 + 6*o.Rank)}
	for _, p := range params {
		if p != nil {
			c.ParamElements += p.Shape.Elements()
		}
	}
	for _, s := range states {
		c.StateElements += s.Shape.Elements()
	}
	return c
}
