package lower

import (
	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
)

func init() { register(op.Concat{}.OpName(), rule{lower: lowerConcat}) }

// lowerConcat copies the parts that are not made where they belong.
func lowerConcat(l *lowering, v *ir.Value) error {
	y, at := l.at(v), 0
	for _, a := range v.Args {
		to, from := view{y.buffer, y.column + at, a.Type.Width}, l.at(a)
		if from.buffer != to.buffer || from.column != to.column {
			l.copyColumns(to, from, a.Type.Width)
		}
		at += a.Type.Width
	}
	return nil
}

// besideOthers places a value that is a part of a concat and nothing else among
// the other parts. It owns the padding behind its columns, so only the last part
// may be no whole number of panels.
func (p *placement) besideOthers(v *ir.Value) (view, bool) {
	if len(p.uses[v]) != 1 || v == p.output {
		return view{}, false
	}
	concat := p.uses[v][0]
	if _, ok := concat.Op.(op.Concat); !ok || concat == p.output || p.crosses(concat) || p.crosses(v) {
		return view{}, false
	}
	if o, ok := v.Op.(op.Linear); ok && o.Residual {
		return view{}, false // its residual would have to lie alike
	}
	at, rest := 0, concat.Type.Width
	for _, a := range concat.Args {
		rest -= a.Type.Width
		if a == v {
			break
		}
		at += a.Type.Width
	}
	if at%kernel.PanelRows != 0 || rest > 0 && v.Type.Width%kernel.PanelRows != 0 {
		return view{}, false
	}
	return view{p.concat(concat), at, kernel.Pad(v.Type.Width)}, true
}

// concat is the buffer of a concat whose parts are made in place.
func (p *placement) concat(v *ir.Value) *plan.Buffer {
	b := p.concats[v]
	if b == nil {
		b = p.temporary(p.region[v], plan.Arena, p.name(bufferName(v)), v.Type.Width, kernel.Pad(v.Type.Width))
		p.concats[v] = b
	}
	return b
}
