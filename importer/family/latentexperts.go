package family

import (
	"fmt"

	"github.com/mambac/mambac/importer/block"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
)

// latentExperts is what configs say of Nemotron-H's experts (families.md §10):
// chosen by groups, without gates, perhaps of a narrower stream, and with an
// MLP beside them.
type latentExperts struct {
	count, top, inner size
	groups, topGroups size
	latent            size     // 0 for the stream as it is
	shared            plainMLP // whose biases the projections have too
	renorm            bool
	factor            float32 // of the routers' weights
	function          string  // the activation
}

func (r *reader) latentExperts(like plainMLP) latentExperts {
	e := latentExperts{
		count:     r.size("experts", "n_routed_experts"),
		top:       r.sizeOr(2, "experts per token", "num_experts_per_tok"),
		inner:     r.size("inner size of an expert", "moe_intermediate_size"),
		groups:    r.sizeOr(1, "groups of experts", "n_group"),
		topGroups: r.sizeOr(1, "groups of experts per token", "topk_group"),
		latent:    r.size("latent size", "moe_latent_size"),
		shared:    like,
		renorm:    r.flag(true, "norm_topk_prob"),
		factor:    r.multiplier("routed_scaling_factor"),
		function:  like.function,
	}
	e.shared.inner = r.size("inner size of the shared expert", "moe_shared_expert_intermediate_size")
	return e
}

const (
	routerMatrix = "gate.weight"
	routerBias   = "gate.e_score_correction_bias"
	latentIn     = "fc1_latent_proj"
	latentBack   = "fc2_latent_proj"
)

// names lists what a layer stores, experts apart.
func (e *latentExperts) names(prefix string) []string {
	list := append(prefixed(prefix, routerMatrix, routerBias), e.shared.names(prefix+"shared_experts.")...)
	if e.latent.n == 0 {
		return list
	}
	for _, projection := range prefixed(prefix, latentIn, latentBack) {
		list = append(list, projection+".weight")
		if e.shared.bias {
			list = append(list, projection+".bias")
		}
	}
	return list
}

// learn reads the sizes that the config does not give off the layer whose
// tensors have the prefix, and checks them against each other.
func (e *latentExperts) learn(s *Set, prefix string) {
	s.learn(&e.count, prefix+routerMatrix, 0)
	s.learn(&e.inner, prefix+"experts.0.up_proj.weight", 0)
	s.learn(&e.inner, prefix+fusedUp, 1)
	e.shared.learn(s, prefix+"shared_experts.")
	switch {
	case s.err != nil:
	case e.count.n%e.groups.n != 0:
		s.fail("config.json: %v do not divide %v", e.groups, e.count)
	case e.topGroups.n > e.groups.n:
		s.fail("config.json: %v are more than %v", e.topGroups, e.groups)
	case e.top.n > e.count.n/e.groups.n*e.topGroups.n:
		s.fail("config.json: %v are more than %d in %v of %v, %v", e.top, e.count.n/e.groups.n*e.topGroups.n, e.topGroups, e.groups, e.count)
	}
}

// parameters are all of a layer; nil where something contradicts the config.
func (e *latentExperts) parameters(s *Set, prefix string, width size) *block.LatentMoE {
	hidden, between := width.times(1), width.times(1)
	p := &block.LatentMoE{Shared: e.shared.parameters(s, prefix+"shared_experts.", width)}
	if e.latent.n > 0 {
		between = e.latent.times(1)
		p.In, p.Back = s.shaped(prefix+latentIn+".weight", between, hidden), s.shaped(prefix+latentBack+".weight", hidden, between)
		if e.shared.bias {
			p.InBias, p.BackBias = s.shaped(prefix+latentIn+".bias", between), s.shaped(prefix+latentBack+".bias", hidden)
		}
	}
	p.Routed = &block.MoE{
		Router: s.shaped(prefix+routerMatrix, e.count.times(1), hidden), Bias: s.shaped(prefix+routerBias, e.count.times(1)),
		Route: op.Route{Kind: "sigmoid", Top: e.top.n, Groups: e.groups.n, TopGroups: e.topGroups.n, Renorm: e.renorm, Factor: e.factor},
		Plain: true, Function: e.function,
	}
	if s.check() != nil {
		return nil // experts may be any number of them
	}
	p.Routed.In, p.Routed.Down = e.matrices(s, prefix, between)
	return p
}

const fusedUp, fusedDown = "experts.up_proj", "experts.down_proj"

// matrices are those of all experts, which are stored one by one or in tensors
// for all of them.
func (e *latentExperts) matrices(s *Set, prefix string, between axis) (up, down *ir.Param) {
	inner := e.inner.times(1)
	if s.has(prefix + fusedUp) {
		return s.matrix(prefix+fusedUp, e.count.times(1), inner, between), s.matrix(prefix+fusedDown, e.count.times(1), between, inner)
	}
	var ups, downs []*ir.Param
	for i := range e.count.n {
		expert := fmt.Sprintf("%sexperts.%d.", prefix, i)
		ups = append(ups, s.shaped(expert+"up_proj.weight", inner, between))
		downs = append(downs, s.shaped(expert+"down_proj.weight", between, inner))
		if s.check() != nil {
			return nil, nil
		}
	}
	return stacked(prefix+fusedUp, ups), stacked(prefix+fusedDown, downs)
}

func (e *latentExperts) facts() []Fact {
	list := []Fact{{"experts", e.count.n}, {"experts per token", e.top.n}, {e.inner.what, e.inner.n}, {e.shared.inner.what, e.shared.inner.n}}
	if e.latent.n > 0 {
		list = append(list, Fact{e.latent.what, e.latent.n})
	}
	return list
}
