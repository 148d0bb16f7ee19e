package kerneltest

import (
	"cmp"
	"fmt"
	"iter"
	"math"
	"slices"
)

// Route turns router logits into the weights of experts, 0 for those not chosen.
type Route struct {
	Router                          string
	Experts, Top, Groups, TopGroups int
	Renorm, Bias                    bool
	StrideX, StrideY                int
	FactorBits                      int
}

// Cases implements Kernel: logits apart, and such as are equal in part.
func (r Route) Cases() iter.Seq[*Case] {
	return func(yield func(*Case) bool) {
		for _, tokens := range []int{0, 1, 3, 8} {
			for _, equal := range []bool{false, true} {
				if !yield(r.newCase(tokens, equal)) {
					return
				}
			}
		}
	}
}

func (r Route) axes() []axis {
	return []axis{{"tokens", map[string]int{"y": r.StrideY, "x": r.StrideX}}}
}

func (r Route) newCase(tokens int, equal bool) *Case {
	c := &Case{Name: fmt.Sprintf("tokens=%d/equal=%v", tokens, equal), kernel: r}
	v := newValues(c.Name, plain)
	y, x, bias := v.f32(rows(tokens, r.StrideY, r.Experts)), v.f32(rows(tokens, r.StrideX, r.Experts)), v.f32(r.Experts)
	if equal {
		for i := range x {
			x[i] = float32(math.Round(float64(x[i])))
		}
		clear(bias)
	}
	c.inputs = []input{{"y", y}, {"x", x}}
	if r.Bias {
		c.inputs = append(c.inputs, input{"bias", bias})
	} else {
		clear(bias)
	}
	c.inputs = append(c.inputs, input{"tokens", tokens})
	return c.expect(outputs{"y": y}, func(want outcomes) {
		out := want["y"]
		for t := range tokens {
			for i, w := range r.weights(x[t*r.StrideX:][:r.Experts], bias) {
				out.near(t*r.StrideY+i, w, 4*epsilon*math.Abs(w))
			}
		}
	})
}

// weights is by the definition: sort, then divide.
func (r Route) weights(x, bias []float32) []float64 {
	p, score := make([]float64, len(x)), make([]float64, len(x))
	total := 0.0
	for i, v := range x {
		p[i] = math.Exp(float64(v))
		if r.Router == "sigmoid" {
			p[i] = 1 / (1 + math.Exp(-float64(v)))
		}
		score[i] = p[i] + float64(bias[i])
		total += p[i]
	}
	taken := r.taken(score)
	if r.Router == "softmax_renorm" || r.Router == "top_softmax" || r.Renorm {
		total = 0
		for _, i := range taken {
			total += p[i]
		}
	} else if r.Router == "sigmoid" {
		total = 1
	}
	weights := make([]float64, len(x))
	for _, i := range taken {
		weights[i] = p[i] / total * float64(math.Float32frombits(uint32(r.FactorBits)))
	}
	return weights
}

// taken is the experts of the greatest scores, of groups that are open.
func (r Route) taken(score []float64) []int {
	open := descending(score, nil)
	if r.Router == "sigmoid" {
		each := len(score) / r.Groups
		sums := make([]float64, r.Groups)
		for g := range sums {
			group := slices.Clone(score[g*each : (g+1)*each])
			slices.Sort(group)
			for _, s := range group[max(0, each-2):] {
				sums[g] += s
			}
		}
		groups := descending(sums, nil)[:r.TopGroups]
		open = descending(score, func(i int) bool { return slices.Contains(groups, i/each) })
	}
	return open[:r.Top]
}

// descending is the indices that are wanted, the greatest first.
func descending(x []float64, wanted func(i int) bool) []int {
	var list []int
	for i := range x {
		if wanted == nil || wanted(i) {
			list = append(list, i)
		}
	}
	slices.SortStableFunc(list, func(a, b int) int { return cmp.Compare(x[b], x[a]) })
	return list
}
