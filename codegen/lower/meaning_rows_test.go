package lower_test

import (
	"math"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/plan"
)

// Meanings of kernels that treat rows by themselves.

// groups visits the groups of every row: the token, and the first element.
func (j *job) groups(width, group int, visit func(t, at int)) {
	for t := range j.tokens {
		for at := 0; at < width; at += group {
			visit(t, at)
		}
	}
}

// scaleOf is 1/√(mean(x²)+eps).
func scaleOf(x []float64, eps float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v * v
	}
	return 1 / math.Sqrt(sum/float64(len(x))+float64(eps))
}

func (j *job) rmsnorm(s *kernel.RMSNorm) {
	j.groups(s.Width, s.Elements(), func(t, at int) {
		x := make([]float64, s.Elements())
		for i := range x {
			x[i] = j.get("x", s.StrideX, t, at+i)
		}
		scale := scaleOf(x, s.Eps())
		for i, v := range x {
			v *= scale
			switch {
			case s.Shared:
				v *= j.weight("w", i)
			case s.Weight:
				v *= j.weight("w", at+i)
			}
			j.put("y", s.StrideY, t, at+i, v)
		}
	})
}

func (j *job) gatednorm(s *kernel.GatedNorm) {
	j.groups(s.Width, s.Elements(), func(t, at int) {
		x, gates := make([]float64, s.Elements()), make([]float64, s.Elements())
		for i := range x {
			x[i], gates[i] = j.get("x", s.StrideX, t, at+i), silu(j.get("z", s.StrideZ, t, at+i))
			if !s.NormFirst {
				x[i] *= gates[i]
			}
		}
		scale := scaleOf(x, s.Eps())
		for i, v := range x {
			if v *= scale * j.weight("w", at+i); s.NormFirst {
				v *= gates[i]
			}
			j.put("y", s.StrideY, t, at+i, v)
		}
	})
}

func (j *job) layernorm(s *kernel.LayerNorm) {
	for t := range j.tokens {
		x, mean := make([]float64, s.Width), 0.0
		for i := range x {
			x[i] = j.get("x", s.StrideX, t, i)
			mean += x[i] / float64(s.Width)
		}
		for i := range x {
			x[i] -= mean
		}
		scale := scaleOf(x, s.Eps())
		for i, v := range x {
			if v *= scale * j.weight("w", i); s.Bias {
				v += j.weight("bias", i)
			}
			j.put("y", s.StrideY, t, i, v)
		}
	}
}

func (j *job) angles(s *kernel.Angles) {
	for t := range j.tokens {
		position := j.positions[j.sequence] + t
		if !j.of.Apart {
			position += j.token
		}
		for i := range s.Count {
			sin, cos := math.Sincos(float64(float32(position) * float32(j.weight("f", i))))
			j.put("y", s.StrideY, t, i, cos*float64(s.Factor()))
			j.put("y", s.StrideY, t, s.Count+i, sin*float64(s.Factor()))
		}
	}
}

func (j *job) rope(s *kernel.RoPE) {
	half := s.Rotary / 2
	j.groups(s.Width, s.HeadDim, func(t, at int) {
		for i := range half {
			a, b := at+i, at+i+half
			if s.Interleaved {
				a, b = at+2*i, at+2*i+1
			}
			x, y := j.get("x", s.StrideX, t, a), j.get("x", s.StrideX, t, b)
			cos, sin := j.get("angles", s.StrideA, t, i), j.get("angles", s.StrideA, t, half+i)
			j.put("y", s.StrideY, t, a, x*cos-y*sin)
			j.put("y", s.StrideY, t, b, y*cos+x*sin)
		}
		for i := at + s.Rotary; i < at+s.HeadDim; i++ {
			j.put("y", s.StrideY, t, i, j.get("x", s.StrideX, t, i))
		}
	})
}

// mapped treats the share's panels of channels one by one, or whole rows.
func (j *job) mapped(s *kernel.Map, split plan.Split) {
	width := s.Width
	if split == plan.ByChannels {
		width *= j.panels
	}
	for t := range j.tokens {
		for i := range width {
			a, b := j.get("a", s.StrideA, t, i), 0.0
			if s.Function.Binary() {
				b = j.get("b", s.StrideB, t, i)
			}
			j.put("y", s.StrideY, t, i, scalar(s, a, b))
		}
	}
}

func scalar(s *kernel.Map, a, b float64) float64 {
	switch s.Function {
	case kernel.MapAdd:
		return a + b
	case kernel.MapMul:
		return a * b
	case kernel.MapCopy:
		return a
	case kernel.MapZero:
		return 0
	case kernel.MapScale:
		return a * float64(s.By())
	}
	if act, ok := s.Function.Gate(); ok {
		return functions[act](a) * b
	}
	return functions[s.Function](a)
}

var functions = map[kernel.Function]func(x float64) float64{
	kernel.MapSiLU:     silu,
	kernel.MapSoftplus: softplus,
	kernel.MapGELU:     func(x float64) float64 { return x / 2 * math.Erfc(-x/math.Sqrt2) },
	kernel.MapGELUTanh: func(x float64) float64 { return x / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x))) },
	kernel.MapReLU:     func(x float64) float64 { return max(x, 0) },
	kernel.MapReLU2:    func(x float64) float64 { return max(x, 0) * max(x, 0) },
	kernel.MapSigmoid:  func(x float64) float64 { return 1 / (1 + math.Exp(-x)) },
}

func silu(x float64) float64 { return x / (1 + math.Exp(-x)) }

func softplus(x float64) float64 {
	if x > 20 {
		return x
	}
	return math.Log1p(math.Exp(x))
}
