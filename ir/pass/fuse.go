package pass

import (
	"slices"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
)

// fuseConv turns silu(conv(x)) into a conv with that activation.
func fuseConv(m *ir.Module, _ *Options) error {
	uses := ir.Uses(m)
	each(m, func(r *ir.Region, v *ir.Value) {
		if _, ok := v.Op.(op.SiLU); !ok {
			return
		}
		conv, ok := v.Args[0].Op.(op.Conv)
		if !ok || conv.Activation != "" || !only(m, uses, v.Args[0]) || position(r, v.Args[0]) < 0 {
			return
		}
		conv.Activation = "silu"
		v.Args[0].Op = conv
		replace(m, v, v.Args[0])
		remove(m, v)
	})
	return nil
}

// fuseSoftplus turns scan(…, softplus(W·δ + b), …) into a scan that takes W·δ
// and adds the bias itself. A linear without bias stays as it is: there is no
// parameter for the scan to take.
func fuseSoftplus(m *ir.Module, _ *Options) error {
	uses := ir.Uses(m)
	each(m, func(_ *ir.Region, v *ir.Value) {
		scan, ok := v.Op.(op.Scan1)
		if !ok || scan.Softplus {
			return
		}
		soft := v.Args[1]
		if _, ok := soft.Op.(op.Softplus); !ok || !only(m, uses, soft) {
			return
		}
		linear := soft.Args[0]
		o, ok := linear.Op.(op.Linear)
		if !ok || o.Residual || linear.Params[1] == nil || !only(m, uses, linear) {
			return
		}
		scan.Softplus = true
		v.Op, v.Args[1], v.Params[2] = scan, linear, linear.Params[1]
		linear.Params[1] = nil
		remove(m, soft)
	})
	return nil
}

// fuseGate turns scan·silu(z) into a scan with a gate.
func fuseGate(m *ir.Module, _ *Options) error {
	uses := ir.Uses(m)
	each(m, func(r *ir.Region, v *ir.Value) {
		if _, ok := v.Op.(op.Mul); !ok {
			return
		}
		scan, gate := v.Args[0], v.Args[1]
		if _, ok := gate.Op.(op.Scan1); ok {
			scan, gate = gate, scan
		}
		o, isScan := scan.Op.(op.Scan1)
		_, isSiLU := gate.Op.(op.SiLU)
		if !isScan || o.Gate || !isSiLU || !only(m, uses, scan) || position(r, scan) < 0 {
			return
		}
		// The product takes the scan's place, where all arguments are defined.
		o.Gate = true
		v.Op, v.Args = o, append(slices.Clone(scan.Args), gate.Args[0])
		v.Params, v.States = scan.Params, scan.States
		remove(m, scan)
		if only(m, uses, gate) {
			remove(m, gate)
		}
	})
	return nil
}

// fuseGLU turns x·act(z), in either order, into a gated linear unit.
func fuseGLU(m *ir.Module, _ *Options) error {
	uses := ir.Uses(m)
	each(m, func(r *ir.Region, v *ir.Value) {
		if _, ok := v.Op.(op.Mul); !ok {
			return
		}
		for _, i := range []int{1, 0} {
			gate, x := v.Args[i], v.Args[1-i]
			function := activationOf(gate)
			if function == "" || !only(m, uses, gate) || position(r, gate) < 0 {
				continue
			}
			v.Op, v.Args = op.GLU{Function: function}, []*ir.Value{gate.Args[0], x}
			remove(m, gate)
			return
		}
	})
	return nil
}

// activationOf is the name of the activation that a value is; "" for others.
func activationOf(v *ir.Value) string {
	switch o := v.Op.(type) {
	case op.SiLU:
		return "silu"
	case op.Activation:
		return o.Function
	}
	return ""
}

// fuseResidual turns x + W·y into a linear that adds x at its end.
func fuseResidual(m *ir.Module, _ *Options) error {
	uses := ir.Uses(m)
	each(m, func(r *ir.Region, v *ir.Value) {
		if _, ok := v.Op.(op.Add); !ok {
			return
		}
		for _, i := range []int{1, 0} {
			linear, x := v.Args[i], v.Args[1-i]
			o, ok := linear.Op.(op.Linear)
			if !ok || o.Residual || x == linear || !only(m, uses, linear) || position(r, linear) < 0 {
				continue
			}
			v.Op, v.Args, v.Params = op.Linear{Residual: true}, []*ir.Value{linear.Args[0], x}, linear.Params
			remove(m, linear)
			return
		}
	})
	return nil
}
