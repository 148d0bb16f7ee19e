package pass

import (
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
)

// findSteering finds the linears that make nothing but what steers scans: their
// steps, and what is written to and read from their states. They are small, and
// their errors are multiplied into everything that the scan remembers.
func findSteering(m *ir.Module) map[*ir.Value]bool {
	uses := ir.Uses(m)
	known := map[*ir.Value]bool{}
	var steers func(v *ir.Value) bool
	steers = func(v *ir.Value) bool {
		if s, ok := known[v]; ok {
			return s
		}
		s := v != m.Output && len(uses[v]) > 0
		for _, user := range uses[v] {
			s = s && (steersScan(user, v) || passesOn(user.Op) && steers(user))
		}
		known[v] = s
		return s
	}
	linears := map[*ir.Value]bool{}
	each(m, func(_ *ir.Region, v *ir.Value) {
		if _, ok := v.Op.(op.Linear); ok && steers(v) {
			linears[v] = true
		}
	})
	return linears
}

// steersScan reports whether a scan takes v, and not as its signal or gate.
func steersScan(scan, v *ir.Value) bool {
	if _, ok := scan.Op.(op.Scan1); !ok {
		return false
	}
	for i, a := range scan.Args {
		if signal := i == 0 || i > 3; a == v && signal {
			return false
		}
	}
	return true
}

// passesOn reports whether an op's result is what its argument was, for the
// purposes of findSteering.
func passesOn(o ir.Op) bool {
	switch o.(type) {
	case op.Slice, op.Softplus, op.RMSNorm, op.Linear:
		return true
	}
	return false
}
