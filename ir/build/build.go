// Package build appends ops to a module with typed functions; families and
// passes make IR with it. It sees ir and op.
package build

import (
	"fmt"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
)

// Builder appends to one module. The first error sticks and is returned by
// Finish; after it, every value is a placeholder.
type Builder struct {
	module *ir.Module
	region *ir.Region
	params map[string]*ir.Param
	next   int
	err    error
}

// New starts a module of that name, with its input.
func New(name string) *Builder {
	m := &ir.Module{Name: name, Input: &ir.Value{Name: "ids", Type: ir.Type{Elem: ir.ID}}}
	return &Builder{module: m, params: map[string]*ir.Param{}}
}

// Input is the module's token ids.
func (b *Builder) Input() *ir.Value { return b.module.Input }

// Region starts a region; what follows belongs to it.
func (b *Builder) Region(name string) {
	b.region = &ir.Region{Name: name}
	b.module.Regions = append(b.module.Regions, b.region)
}

// Param declares a parameter; declaring the same one again is allowed, so that
// a tied matrix can be asked for twice.
func (b *Builder) Param(p *ir.Param) *ir.Param {
	if p == nil {
		return nil
	}
	if have := b.params[p.Name]; have != nil {
		return have
	}
	b.params[p.Name] = p
	b.module.Params = append(b.module.Params, p)
	return p
}

// State declares a state.
func (b *Builder) State(name string, kind ir.StateKind, shape ...int) *ir.State {
	s := &ir.State{Name: name, Kind: kind, Shape: shape}
	b.module.States = append(b.module.States, s)
	return s
}

// Op appends any op; the typed functions below are the way to call it.
func (b *Builder) Op(o ir.Op, args []*ir.Value, params []*ir.Param, states []*ir.State) *ir.Value {
	v := &ir.Value{Name: fmt.Sprintf("v%d", b.next), Op: o, Args: args, Params: params, States: states}
	b.next++
	if b.err != nil {
		return v
	}
	for i, p := range params {
		params[i] = b.Param(p)
	}
	types := make([]ir.Type, len(args))
	for i, a := range args {
		types[i] = a.Type
	}
	var err error
	if v.Type, err = o.Infer(types, params, states); err != nil {
		b.err = fmt.Errorf("%s: %s: %w", b.region.Name, o.OpName(), err)
		return v
	}
	b.region.Body = append(b.region.Body, v)
	return v
}

// Embed looks ids up in w [V,D].
func (b *Builder) Embed(ids *ir.Value, w *ir.Param) *ir.Value {
	return b.Op(op.Embed{}, []*ir.Value{ids}, []*ir.Param{w}, nil)
}

// RMSNorm norms x by the weight w [D], or without one.
func (b *Builder) RMSNorm(x *ir.Value, w *ir.Param, eps float32) *ir.Value {
	return b.Op(op.RMSNorm{Eps: eps}, []*ir.Value{x}, []*ir.Param{w}, nil)
}

// Linear is W·x + bias; the bias may be nil.
func (b *Builder) Linear(x *ir.Value, w, bias *ir.Param) *ir.Value {
	return b.Op(op.Linear{}, []*ir.Value{x}, []*ir.Param{w, bias}, nil)
}

// Split cuts x into slices of the given widths.
func (b *Builder) Split(x *ir.Value, widths ...int) []*ir.Value {
	var list []*ir.Value
	at := 0
	for _, w := range widths {
		list = append(list, b.Op(op.Slice{Lo: at, Hi: at + w}, []*ir.Value{x}, nil, nil))
		at += w
	}
	return list
}

// Conv is the causal depthwise convolution without activation.
func (b *Builder) Conv(x *ir.Value, w, bias *ir.Param, taps int, window *ir.State) *ir.Value {
	return b.Op(op.Conv{Taps: taps}, []*ir.Value{x}, []*ir.Param{w, bias}, []*ir.State{window})
}

// SiLU is x·σ(x).
func (b *Builder) SiLU(x *ir.Value) *ir.Value { return b.Op(op.SiLU{}, []*ir.Value{x}, nil, nil) }

// Softplus is log(1+eˣ).
func (b *Builder) Softplus(x *ir.Value) *ir.Value {
	return b.Op(op.Softplus{}, []*ir.Value{x}, nil, nil)
}

// Add is x + y.
func (b *Builder) Add(x, y *ir.Value) *ir.Value { return b.Op(op.Add{}, []*ir.Value{x, y}, nil, nil) }

// Mul is x·y, element by element.
func (b *Builder) Mul(x, y *ir.Value) *ir.Value { return b.Op(op.Mul{}, []*ir.Value{x, y}, nil, nil) }

// Scan1 is Mamba-1's selective scan with Δ, B and C given and no gate.
func (b *Builder) Scan1(u, delta, bIn, c *ir.Value, a, d *ir.Param, h *ir.State) *ir.Value {
	return b.Op(op.Scan1{States: bIn.Type.Width}, []*ir.Value{u, delta, bIn, c}, []*ir.Param{a, d, nil}, []*ir.State{h})
}

// LayerNorm norms x by w and b, which may be nil.
func (b *Builder) LayerNorm(x *ir.Value, w, bias *ir.Param, eps float32) *ir.Value {
	return b.Op(op.LayerNorm{Eps: eps}, []*ir.Value{x}, []*ir.Param{w, bias}, nil)
}

// GroupNorm is RMSNorm over groups of neighbouring elements.
func (b *Builder) GroupNorm(x *ir.Value, w *ir.Param, group int, eps float32) *ir.Value {
	return b.Op(op.RMSNorm{Eps: eps, Group: group}, []*ir.Value{x}, []*ir.Param{w}, nil)
}

// GatedNorm is any of the gated norms, by its attributes.
func (b *Builder) GatedNorm(o op.GatedNorm, x, z *ir.Value, w *ir.Param) *ir.Value {
	return b.Op(o, []*ir.Value{x, z}, []*ir.Param{w}, nil)
}

// Activate applies an activation by name; "silu" too.
func (b *Builder) Activate(x *ir.Value, function string) *ir.Value {
	if function == "silu" {
		return b.SiLU(x)
	}
	return b.Op(op.Activation{Function: function}, []*ir.Value{x}, nil, nil)
}

// GLU is act(gate)·up.
func (b *Builder) GLU(gate, up *ir.Value, function string) *ir.Value {
	return b.Op(op.GLU{Function: function}, []*ir.Value{gate, up}, nil, nil)
}

// Scale is x times a constant; x itself if that is 1.
func (b *Builder) Scale(x *ir.Value, by float32) *ir.Value {
	if by == 1 {
		return x
	}
	return b.Op(op.Scale{By: by}, []*ir.Value{x}, nil, nil)
}

// Concat is the values one after the other.
func (b *Builder) Concat(list ...*ir.Value) *ir.Value {
	return b.Op(op.Concat{}, list, nil, nil)
}

// SSD is the scan of Mamba-2 with everything given.
func (b *Builder) SSD(o op.SSD, u, bIn, c, dt *ir.Value, a, dtBias, d *ir.Param, h *ir.State) *ir.Value {
	return b.Op(o, []*ir.Value{u, bIn, c, dt}, []*ir.Param{a, dtBias, d}, []*ir.State{h})
}

// Angles is what rotary embeddings turn by at each position.
func (b *Builder) Angles(frequencies *ir.Param, factor float32) *ir.Value {
	return b.Op(op.Angles{Factor: factor}, nil, []*ir.Param{frequencies}, nil)
}

// RoPE turns the heads of x by angles.
func (b *Builder) RoPE(x, angles *ir.Value, headDim int, interleaved bool) *ir.Value {
	return b.Op(op.RoPE{HeadDim: headDim, Interleaved: interleaved}, []*ir.Value{x, angles}, nil, nil)
}

// Cache declares the keys or values that attention keeps of each token.
func (b *Builder) Cache(name string, window int, shape ...int) *ir.State {
	s := b.State(name, ir.Cache, shape...)
	s.Window = window
	return s
}

// Attention is attention over caches of keys and values.
func (b *Builder) Attention(o op.Attention, q, k, v *ir.Value, keys, values *ir.State) *ir.Value {
	return b.Op(o, []*ir.Value{q, k, v}, nil, []*ir.State{keys, values})
}

// Route chooses experts by router logits; the bias may be nil.
func (b *Builder) Route(o op.Route, logits *ir.Value, bias *ir.Param) *ir.Value {
	return b.Op(o, []*ir.Value{logits}, []*ir.Param{bias}, nil)
}

// Experts is the weighted sum of the chosen experts.
func (b *Builder) Experts(o op.Experts, x, weights *ir.Value, in, down *ir.Param) *ir.Value {
	return b.Op(o, []*ir.Value{x, weights}, []*ir.Param{in, down}, nil)
}

// Finish verifies the module, whose output is the given value.
func (b *Builder) Finish(output *ir.Value) (*ir.Module, error) {
	if b.err != nil {
		return nil, b.err
	}
	b.module.Output = output
	return b.module, ir.Verify(b.module)
}
