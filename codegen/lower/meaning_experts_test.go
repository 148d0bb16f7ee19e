package lower_test

import (
	"cmp"
	"math"
	"slices"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/plan"
)

// loop runs phases once for each expert that is chosen for a row.
func (x *machine) loop(phases []plan.Phase) {
	x.epoch++
	weights := &phases[0].Loop.Weights
	for x.expert = range weights.Width {
		x.rows = []int{}
		for t := range x.tokens {
			i := weights.Buffer.Offset + t*weights.Buffer.Stride + weights.Column + x.expert
			if x.arena.values[i] != 0 {
				x.rows = append(x.rows, t)
			}
		}
		if len(x.rows) > 0 {
			for i := range phases {
				x.phase(&phases[i])
			}
		}
	}
	x.expert, x.rows = 0, nil
}

// count is the number of rows of the steps at hand.
func (x *machine) count() int {
	if x.rows != nil {
		return len(x.rows)
	}
	return x.tokens
}

func (j *job) gather(s *kernel.Gather) {
	for t := range j.tokens {
		for i := range s.Width {
			j.put("y", s.StrideY, t, i, j.get("x", s.StrideX, j.machine.rows[j.token+t], i))
		}
	}
}

func (j *job) scatter(s *kernel.Scatter) {
	for t := range j.tokens {
		r := j.machine.rows[j.token+t]
		for i := range s.Width {
			j.put("y", s.StrideY, r, i, j.get("y", s.StrideY, r, i)+j.get("x", s.StrideX, t, i))
		}
	}
}

func (j *job) weigh(s *kernel.Weigh) {
	width := s.Width
	if j.of.Split == plan.ByChannels {
		width *= j.panels
	}
	for t := range j.tokens {
		for i := range width {
			j.put("y", s.StrideY, t, i, j.get("y", s.StrideY, t, i)*j.get("w", s.StrideW, j.machine.rows[j.token+t], 0))
		}
	}
}

// closeGroups leaves only the scores of the groups whose two greatest have the
// greatest sums.
func closeGroups(s *kernel.Route, score []float64) {
	each := s.Experts / s.Groups
	sums, order := make([]float64, s.Groups), make([]int, s.Groups)
	for g := range sums {
		order[g] = g
		sorted := slices.Sorted(slices.Values(score[g*each : (g+1)*each]))
		for _, v := range sorted[max(0, each-2):] {
			sums[g] += v
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(sums[b], sums[a]) })
	for _, g := range order[s.TopGroups:] {
		for i := range each {
			score[g*each+i] = math.Inf(-1)
		}
	}
}

func (j *job) route(s *kernel.Route) {
	for t := range j.tokens {
		score, p, order := make([]float64, s.Experts), make([]float64, s.Experts), make([]int, s.Experts)
		all := 0.0
		for i := range score {
			v := j.get("x", s.StrideX, t, i)
			p[i], score[i], order[i] = math.Exp(v), v, i
			if s.Router == "sigmoid" {
				p[i] = 1 / (1 + math.Exp(-v))
				score[i] = p[i]
			}
			if s.Bias {
				score[i] += j.weight("bias", i)
			}
			all += p[i]
		}
		if s.Groups > 1 {
			closeGroups(s, score)
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(score[b], score[a]) })
		chosen := 0.0
		for _, i := range order[:s.Top] {
			chosen += p[i]
		}
		switch {
		case s.Router == "sigmoid" && !s.Renorm:
			all = 1
		case s.Router != "softmax":
			all = chosen
		}
		for i := range score {
			w := 0.0
			if slices.Contains(order[:s.Top], i) {
				w = p[i] / all * float64(s.Factor())
			}
			j.put("y", s.StrideY, t, i, w)
		}
	}
}
