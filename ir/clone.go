package ir

import "slices"

// Clone copies a module: values, parameters, states and regions are new, the
// sources of parameters and the ops are shared.
func Clone(m *Module) *Module {
	params, states, values := map[*Param]*Param{}, map[*State]*State{}, map[*Value]*Value{}
	c := &Module{Name: m.Name}
	for _, p := range m.Params {
		q := *p
		params[p] = &q
		c.Params = append(c.Params, &q)
	}
	for _, s := range m.States {
		t := *s
		states[s] = &t
		c.States = append(c.States, &t)
	}
	input := *m.Input
	c.Input, values[m.Input] = &input, &input
	for _, r := range m.Regions {
		region := &Region{Name: r.Name}
		for _, v := range r.Body {
			w := &Value{Name: v.Name, Type: v.Type, Op: v.Op}
			w.Args = mapped(v.Args, values)
			w.Params = mapped(v.Params, params)
			w.States = mapped(v.States, states)
			values[v] = w
			region.Body = append(region.Body, w)
		}
		c.Regions = append(c.Regions, region)
	}
	c.Taps = mapped(m.Taps, values)
	c.Output = values[m.Output]
	return c
}

func mapped[T any](list []*T, to map[*T]*T) []*T {
	out := slices.Clone(list)
	for i, v := range out {
		if v != nil {
			out[i] = to[v]
		}
	}
	return out
}

// Uses maps every value to the values that have it as an argument, once per
// argument, in order.
func Uses(m *Module) map[*Value][]*Value {
	uses := map[*Value][]*Value{}
	for _, r := range m.Regions {
		for _, v := range r.Body {
			for _, a := range v.Args {
				uses[a] = append(uses[a], v)
			}
		}
	}
	return uses
}
