package kernel

import (
	"fmt"
	"math"
	"strings"
)

// Route turns router logits into the weights of experts, 0 for those not chosen,
// for a run of tokens (families.md §1.9, §10, and op.Route, whose kinds it has).
// Of equals the lower index is taken.
type Route struct {
	Router     string // softmax, softmax_renorm, top_softmax, sigmoid
	Experts    int
	Top        int
	Groups     int // of sigmoid
	TopGroups  int
	Renorm     bool
	Bias       bool
	StrideX    int
	StrideY    int
	FactorBits uint32 // float32 bits, so that specs compare
}

// Factor is what weights are multiplied by.
func (r Route) Factor() float32 { return math.Float32frombits(r.FactorBits) }

// Kind implements Spec.
func (Route) Kind() string { return "route" }

// Name implements Spec.
func (r Route) Name() string {
	name := fmt.Sprintf("route_%s_x%d_k%d_sx%d_sy%d_factor%08x", strings.ReplaceAll(r.Router, "_", ""), r.Experts, r.Top, r.StrideX, r.StrideY, r.FactorBits)
	if r.Router == "sigmoid" {
		name += fmt.Sprintf("_g%d_tg%d", r.Groups, r.TopGroups)
	}
	for _, option := range []struct {
		on   bool
		word string
	}{{r.Renorm, "_renorm"}, {r.Bias, "_bias"}} {
		if option.on {
			name += option.word
		}
	}
	return name
}

// Signature implements Spec: (y, x, [bias], tokens).
func (r Route) Signature() []Param {
	p := []Param{{"y", "[]float32"}, {"x", "[]float32"}}
	if r.Bias {
		p = append(p, Param{"bias", "[]float32"})
	}
	return append(p, Param{"tokens", "int"})
}

// Cost implements Spec.
func (r Route) Cost(_, tokens int) Cost { return Cost{Flops: 6 * r.Experts * tokens} }

func init() { register(Route{}) }
