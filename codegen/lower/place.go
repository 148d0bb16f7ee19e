package lower

import (
	"slices"
	"strconv"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
)

// view is where a value lies: some columns of a buffer.
type view struct {
	buffer *plan.Buffer
	column int
	width  int
}

// placement gives every value of a module a place. Values that live from
// region to region have buffers of their own; the temporaries of different
// regions share memory, those of one region never do, so that steps of one
// phase cannot collide.
type placement struct {
	views    map[*ir.Value]view
	private  map[*ir.Value]view         // what every worker computes a copy of for itself
	concats  map[*ir.Value]*plan.Buffer // of concats whose parts are made in place
	segments map[*ir.Value][]int        // linears whose rows are padded in parts
	uses     map[*ir.Value][]*ir.Value
	order    map[*ir.Value]int // position in the module
	region   map[*ir.Value]int
	output   *ir.Value
	tapped   map[*ir.Value]bool
	carried  []*plan.Buffer
	local    [][]*plan.Buffer // temporaries of each region
	copies   [][]*plan.Buffer // private buffers of each region
	taken    map[string]int   // buffer names in use in the region at hand
}

func place(m *ir.Module) *placement {
	p := &placement{
		views: map[*ir.Value]view{}, private: map[*ir.Value]view{}, concats: map[*ir.Value]*plan.Buffer{}, segments: map[*ir.Value][]int{},
		uses: map[*ir.Value][]*ir.Value{}, order: map[*ir.Value]int{}, region: map[*ir.Value]int{},
		output: m.Output, tapped: map[*ir.Value]bool{}, local: make([][]*plan.Buffer, len(m.Regions)), copies: make([][]*plan.Buffer, len(m.Regions)),
	}
	for _, v := range m.Taps {
		p.tapped[v] = true
	}
	for i, r := range m.Regions {
		for _, v := range r.Body {
			p.order[v], p.region[v] = len(p.order), i
			for _, a := range v.Args {
				p.uses[a] = append(p.uses[a], v)
			}
		}
	}
	for _, r := range m.Regions {
		p.taken = map[string]int{}
		for _, v := range r.Body {
			p.segment(v)
			p.place(v)
		}
	}
	return p
}

// crosses reports whether a value is used outside its region.
func (p *placement) crosses(v *ir.Value) bool {
	return slices.ContainsFunc(p.uses[v], func(u *ir.Value) bool { return p.region[u] != p.region[v] })
}

// segment decides whether a linear's rows are padded in parts: when slices
// divide them and a kernel wants whole groups of channels of one of them. A
// residual would have to be padded alike.
func (p *placement) segment(v *ir.Value) {
	if o, ok := v.Op.(op.Linear); !ok || o.Residual || v == p.output || p.tapped[v] || p.crosses(v) {
		return
	}
	slicesOf := slices.Clone(p.uses[v])
	var widths []int
	at, wanted := 0, false
	slices.SortFunc(slicesOf, func(a, b *ir.Value) int { return sliceLo(a) - sliceLo(b) })
	for _, s := range slicesOf {
		slice, ok := s.Op.(op.Slice)
		if !ok || slice.Lo != at {
			return
		}
		at = slice.Hi
		widths = append(widths, slice.Hi-slice.Lo)
		wanted = wanted || p.wantsLanes(s) || p.wants(s, func(r rule) []int { return r.aligned })
	}
	if wanted && at == v.Type.Width {
		p.segments[v] = widths
	}
}

func sliceLo(v *ir.Value) int {
	if s, ok := v.Op.(op.Slice); ok {
		return s.Lo
	}
	return -1
}

// wantsLanes reports whether a kernel reads v in whole groups of channels.
func (p *placement) wantsLanes(v *ir.Value) bool {
	return p.wants(v, func(r rule) []int { return r.lanes })
}

// wants reports whether an op lists v among some of its arguments.
func (p *placement) wants(v *ir.Value, list func(rule) []int) bool {
	return slices.ContainsFunc(p.uses[v], func(u *ir.Value) bool {
		return slices.ContainsFunc(list(rules[u.Op.OpName()]), func(i int) bool { return i < len(u.Args) && u.Args[i] == v })
	})
}

// segmentsOf is the row segments of a linear: one, unless it is divided.
func (p *placement) segmentsOf(v *ir.Value) []int {
	if s := p.segments[v]; s != nil {
		return s
	}
	return []int{v.Type.Width}
}

func (p *placement) place(v *ir.Value) {
	if s, ok := v.Op.(op.Slice); ok {
		if w, ok := p.sliceView(v, s); ok {
			p.views[v] = w
			if own, ok := p.private[v.Args[0]]; ok {
				p.private[v], _ = p.source(own, v.Args[0], s)
			}
			return
		}
	}
	if b := p.concats[v]; b != nil {
		p.views[v] = view{b, 0, kernel.Pad(v.Type.Width)}
		return
	}
	if w, ok := p.besideOthers(v); ok {
		p.views[v] = w
		return
	}
	if w, ok := p.takeOver(v); ok {
		p.views[v] = w
		return
	}
	width := 0
	for _, n := range p.segmentsOf(v) {
		width += kernel.Pad(n)
	}
	b := &plan.Buffer{Space: plan.Arena, Width: v.Type.Width, Stride: spread(width)}
	switch {
	case v == p.output:
		b.Name, b.Space, b.Stride = "logits", plan.Output, width
	case p.crosses(v):
		b.Name, b.Carried = "x", true
		p.carried = append(p.carried, b)
	default:
		b = p.temporary(p.region[v], plan.Arena, p.name(bufferName(v)), v.Type.Width, width)
	}
	p.views[v] = view{b, 0, width}
	p.placePrivate(v)
}

// temporary makes a buffer of a region, in the arena or in the memory that every
// worker has for itself; columns are those of a row with its padding.
func (p *placement) temporary(region int, space plan.Space, name string, width, columns int) *plan.Buffer {
	b := &plan.Buffer{Name: name, Space: space, Width: width, Stride: spread(columns)}
	if space == plan.Private {
		p.copies[region] = append(p.copies[region], b)
	} else {
		p.local[region] = append(p.local[region], b)
	}
	return b
}

// A way of a first-level cache holds wayFloats: rows a multiple of that apart
// fall into the same few lines of it. apartFloats is a block of columns of a
// matrix product.
const (
	wayFloats   = 1024
	apartFloats = kernel.KBlock
)

// spread is the distance of rows of width floats: more than the width where
// neighbouring rows would displace each other from the cache, and where a
// store to one row would seem to be the memory that a load of the next wants.
func spread(width int) int {
	for width >= wayFloats/2 && (width+apartFloats)%wayFloats < 2*apartFloats {
		width += kernel.PanelRows
	}
	return width
}

// placePrivate gives a norm, or what is turned, that only its own region uses a
// second place in every worker's private memory: for few rows it is cheaper to
// compute it everywhere than to wait for each other.
func (p *placement) placePrivate(v *ir.Value) {
	if !rules[v.Op.OpName()].private || p.crosses(v) || v == p.output {
		return
	}
	columns := kernel.Pad(v.Type.Width)
	b := p.temporary(p.region[v], plan.Private, p.views[v].buffer.Name+"Own", v.Type.Width, columns)
	p.private[v] = view{b, 0, columns}
}

// sliceView finds a slice's columns inside its argument, unless the slice
// needs memory of its own: because it outlives its region, or because a kernel
// wants lanes and the columns do not start a panel.
func (p *placement) sliceView(v *ir.Value, s op.Slice) (view, bool) {
	w, aligned := p.source(p.views[v.Args[0]], v.Args[0], s)
	if w.buffer == nil || w.buffer.Space == plan.Output || v == p.output || p.crosses(v) {
		return view{}, false
	}
	return w, aligned || !p.wantsLanes(v)
}

// source is where the columns of a slice of an argument lie that is at from, and
// whether they are whole panels.
func (p *placement) source(from view, arg *ir.Value, s op.Slice) (view, bool) {
	lo, column := 0, from.column
	for _, n := range p.segments[arg] {
		if lo == s.Lo {
			return view{from.buffer, column, kernel.Pad(n)}, true
		}
		lo += n
		column += kernel.Pad(n)
	}
	return view{from.buffer, from.column + s.Lo, s.Hi - s.Lo}, false
}

// takeOver lets a result replace an argument that nobody reads any more.
func (p *placement) takeOver(v *ir.Value) (view, bool) {
	if v == p.output {
		return view{}, false
	}
	for _, i := range rules[v.Op.OpName()].inPlace {
		if i >= len(v.Args) {
			continue
		}
		a := v.Args[i]
		w, ok := p.views[a]
		if !ok || a.Type.Width != v.Type.Width || p.private[a].buffer != nil || p.segments[a] != nil {
			continue
		}
		if p.crosses(v) && !w.buffer.Carried || w.column%kernel.PanelRows != 0 || w.width != kernel.Pad(v.Type.Width) {
			continue
		}
		if p.readLater(w, v, i) {
			continue
		}
		return w, true
	}
	return view{}, false
}

// readLater reports whether a value that shares columns with w is read after
// v, handed out after v's region, or read by v itself through another argument.
func (p *placement) readLater(w view, v *ir.Value, arg int) bool {
	for other, ow := range p.views {
		if ow.buffer != w.buffer || ow.column >= w.column+w.width || w.column >= ow.column+ow.width {
			continue
		}
		if p.tapped[other] && p.region[other] == p.region[v] {
			return true
		}
		for _, u := range p.uses[other] {
			if _, isSlice := u.Op.(op.Slice); isSlice && p.views[u].buffer == ow.buffer {
				continue // a slice that is only a view reads nothing
			}
			if p.order[u] > p.order[v] {
				return true
			}
		}
	}
	for i, a := range v.Args {
		if aw, ok := p.views[a]; ok && i != arg && aw.buffer == w.buffer &&
			aw.column < w.column+w.width && w.column < aw.column+aw.width {
			return true
		}
	}
	return false
}

// name makes a buffer name unique by a number.
func (p *placement) name(base string) string {
	p.taken[base]++
	if n := p.taken[base]; n > 1 {
		return base + strconv.Itoa(n)
	}
	return base
}

// bufferName calls a buffer after the parameter that makes its value.
func bufferName(v *ir.Value) string {
	if len(v.Params) > 0 && v.Params[0] != nil {
		return slotName(v.Params[0].Name)
	}
	return identifier(v.Op.OpName())
}

// arenaColumns is the number of float32 that one token of a chunk needs. The
// head, the last region, never sees a chunk: what it has of a whole vocabulary
// must not make chunks short.
func (p *placement) arenaColumns() int {
	n, most := 0, 0
	for _, b := range p.carried {
		n += b.Stride
	}
	for _, local := range p.local[:len(p.local)-1] {
		sum := 0
		for _, b := range local {
			sum += b.Stride
		}
		most = max(most, sum)
	}
	return n + most
}

// offsets lays the buffers out and adds them to the plan.
func (p *placement) offsets(out *plan.Plan) {
	rows := max(out.Chunk, out.Block)
	for _, b := range p.carried {
		b.Rows, b.Offset = rows, out.Arena
		out.Arena += b.Rows * b.Stride
		out.Buffers = append(out.Buffers, b)
	}
	base := out.Arena
	for i, local := range p.local {
		at := base
		for _, b := range local {
			b.Rows, b.Offset = rows, at
			if i == len(p.local)-1 {
				b.Rows = out.Block
			}
			at += b.Rows * b.Stride
			out.Buffers = append(out.Buffers, b)
		}
		out.Arena = max(out.Arena, at)
	}
	p.privateOffsets(out)
	logits := p.views[p.output].buffer
	logits.Rows = out.Block
	out.Buffers = append(out.Buffers, logits)
}

// privateOffsets lays out each worker's own memory: kernel scratch, then the
// copies, of which those of different regions share memory.
func (p *placement) privateOffsets(out *plan.Plan) {
	out.Private = out.Scratch
	for _, copies := range p.copies {
		at := out.Scratch
		for _, b := range copies {
			b.Rows, b.Offset = out.Block, at
			at += b.Rows * b.Stride
			out.Buffers = append(out.Buffers, b)
		}
		out.Private = max(out.Private, at)
	}
}
