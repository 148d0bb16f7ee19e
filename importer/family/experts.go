package family

import (
	"fmt"
	"strconv"

	"github.com/mambac/mambac/importer/block"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
)

// experts is what configs say of routed MLPs (families.md §1.9).
type experts struct {
	count, top, inner size
	router            string // kind of op.Route
	function          string // the activation
	spellings         []expertNames
}

// expertNames are the names of a layer's tensors in one spelling: a matrix of
// each expert, or tensors of three axes for all of them.
type expertNames struct {
	router         string
	each           string // before the number of an expert; "" where they are fused
	gate, up, down string // after "each" and the number
	fusedIn        string // [X,2I,D], gate rows first
	fusedDown      string // [X,D,I]
}

// in is the tensor whose rows show the inner size, and how many times.
func (n expertNames) in() (name string, axis, times int) {
	if n.each == "" {
		return n.fusedIn, 1, 2
	}
	return n.each + "0." + n.gate, 0, 1
}

// spelling is the one that a layer is stored in; the first if none is.
func (e *experts) spelling(s *Set, prefix string) expertNames {
	for _, n := range e.spellings {
		if name, _, _ := n.in(); s.has(prefix + name) {
			return n
		}
	}
	return e.spellings[0]
}

// learn reads the sizes that the config does not give off a layer whose
// tensors have the prefix, and checks the experts against each other.
func (e *experts) learn(s *Set, prefix string) error {
	n := e.spelling(s, prefix)
	s.learn(&e.count, prefix+n.router, 0)
	name, axis, times := n.in()
	if s.learn(&e.inner, prefix+name, axis); e.inner.from == prefix+name {
		e.inner.n /= times
	}
	if e.top.n < 1 {
		return fmt.Errorf("config.json: %v: want at least 1", e.top)
	}
	if e.top.n > e.count.n && s.err == nil {
		return fmt.Errorf("config.json: %v are more than %v", e.top, e.count)
	}
	return nil
}

// parameters are the router and the experts of the layer whose tensors have
// the prefix; nil where the router contradicts the config, of which then
// nothing is believed.
func (e *experts) parameters(s *Set, prefix string, width size) *block.MoE {
	n, hidden := e.spelling(s, prefix), width.times(1)
	p := &block.MoE{Function: e.function, Route: op.Route{Kind: e.router, Top: e.top.n, Factor: 1}}
	if p.Router = s.shaped(prefix+n.router, e.count.times(1), hidden); s.check() != nil {
		return nil
	}
	if n.each == "" {
		p.In = s.matrix(prefix+n.fusedIn, e.count.times(1), e.inner.times(2), hidden)
		p.Down = s.matrix(prefix+n.fusedDown, e.count.times(1), hidden, e.inner.times(1))
		return p
	}
	var in, down []*ir.Param
	for i := range e.count.n {
		expert := prefix + n.each + strconv.Itoa(i) + "."
		in = append(in, s.shaped(expert+n.gate, e.inner.times(1), hidden), s.shaped(expert+n.up, e.inner.times(1), hidden))
		down = append(down, s.shaped(expert+n.down, hidden, e.inner.times(1)))
		if s.check() != nil {
			return nil // of what may be any number of them
		}
	}
	p.In, p.Down = stacked(prefix+n.fusedIn, in), stacked(prefix+n.fusedDown, down)
	return p
}

func (e *experts) facts() []Fact {
	return []Fact{{"experts", e.count.n}, {"experts per token", e.top.n}, {"inner size of an expert", e.inner.n}}
}
