// Package pass holds what is done to a module between import and lowering: one
// explicit ordered list of rewrites. It sees ir, op and storage names; never
// eval, never a CPU.
package pass

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mambac/mambac/ir"
)

// Pass is one rewrite of a module; run changes the module in place.
type Pass struct {
	Name string
	What string // one line for --help and dumps
	run  func(m *ir.Module, o *Options) error
}

// Passes is the list, in order.
var Passes = []Pass{
	{"canonicalise", "drop dead values, whole slices and equal slices", canonicalise},
	{"fuse-conv", "an activation into the conv before it", fuseConv},
	{"fuse-softplus", "softplus and the bias of dt into the scan", fuseSoftplus},
	{"fuse-gate", "the gate z·σ(z) into the scan before it", fuseGate},
	{"fuse-glu", "the product with an activation of the same region into a gated linear unit", fuseGLU},
	{"fuse-residual", "the residual sum into the linear before it", fuseResidual},
	{"sweep", "drop what fusion left dead", canonicalise},
	{"storage", "choose the format of every parameter, and of keys and values", chooseStorage},
}

// order lists pairs that must stand in this order, with the reason.
var order = []struct{ before, after, why string }{
	{"canonicalise", "fuse-conv", "a slice of everything between conv and activation would hide the pair"},
	{"canonicalise", "fuse-gate", "equal slices of z must be one value for the gate to be found"},
	{"fuse-gate", "fuse-glu", "the gate of a scan costs less inside it"},
	{"fuse-softplus", "sweep", "the softplus and the unbiased linear's old form stay behind"},
	{"fuse-residual", "sweep", "the sums stay behind"},
	{"sweep", "storage", "dead parameters need no format"},
}

func init() {
	for _, o := range order {
		if index(o.before) < 0 || index(o.before) >= index(o.after) {
			panic("BUG: pass " + o.before + " must come before " + o.after + ": " + o.why)
		}
	}
}

func index(name string) int {
	return slices.IndexFunc(Passes, func(p Pass) bool { return p.Name == name })
}

// Names lists the passes in order.
func Names() []string {
	var names []string
	for _, p := range Passes {
		names = append(names, p.Name)
	}
	return names
}

// Options choose among rewrites.
type Options struct {
	Disable []string // passes to leave out, to bisect a fault
	After   string   // stop after this pass; "" runs all
	Storage string   // one of Formats or auto:N; "" is auto
	Cache   string   // one of Caches; "" leaves them as they are
}

// Run applies the passes to a copy of the module and verifies after each.
func Run(m *ir.Module, o Options) (*ir.Module, error) {
	for _, name := range append(slices.Clone(o.Disable), o.After) {
		if name != "" && index(name) < 0 {
			return nil, fmt.Errorf("unknown pass %q; the passes are %s", name, strings.Join(Names(), ", "))
		}
	}
	m = ir.Clone(m)
	for _, p := range Passes {
		if !slices.Contains(o.Disable, p.Name) {
			if err := p.run(m, &o); err != nil {
				return nil, fmt.Errorf("pass %s: %w", p.Name, err)
			}
			if err := ir.Verify(m); err != nil {
				return nil, fmt.Errorf("BUG: after pass %s: %w", p.Name, err)
			}
		}
		if p.Name == o.After {
			break
		}
	}
	return m, nil
}

// replace makes every user of one value use another.
func replace(m *ir.Module, from, to *ir.Value) {
	for _, r := range m.Regions {
		for _, v := range r.Body {
			for i, a := range v.Args {
				if a == from {
					v.Args[i] = to
				}
			}
		}
	}
	for i, v := range m.Taps {
		if v == from {
			m.Taps[i] = to
		}
	}
	if m.Output == from {
		m.Output = to
	}
}

// remove takes a value without users out of the module.
func remove(m *ir.Module, v *ir.Value) {
	for _, r := range m.Regions {
		r.Body = slices.DeleteFunc(r.Body, func(x *ir.Value) bool { return x == v })
	}
}

// only reports whether v has a single user, and is neither the output nor a tap.
func only(m *ir.Module, uses map[*ir.Value][]*ir.Value, v *ir.Value) bool {
	return len(uses[v]) == 1 && v != m.Output && !slices.Contains(m.Taps, v)
}

// each visits every value; the visitor may change the module, as the walk is
// over a copy of the lists.
func each(m *ir.Module, visit func(r *ir.Region, v *ir.Value)) {
	for _, r := range m.Regions {
		for _, v := range slices.Clone(r.Body) {
			visit(r, v)
		}
	}
}

// position is the index of a value in its region, −1 if it is not there.
func position(r *ir.Region, v *ir.Value) int { return slices.Index(r.Body, v) }
