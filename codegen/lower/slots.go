package lower

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/ir"
)

// packKey identifies packed bytes: a parameter packed the same way twice (a
// tied embedding and head) is stored once.
type packKey struct {
	param    *ir.Param
	layout   plan.Layout
	segments string
}

// slotName makes an identifier of a parameter's name: the last word before
// .weight, or with .bias kept: backbone.layers.0.mixer.dt_proj.bias → dtProjBias.
func slotName(param string) string {
	param = strings.TrimSuffix(param, ".weight")
	parts := strings.Split(param, ".")
	last := parts[len(parts)-1]
	if last == "bias" && len(parts) > 1 {
		last = parts[len(parts)-2] + "_bias"
	}
	return identifier(last)
}

// weight returns the arguments' slot for a parameter in a layout, packing it
// if this is its first use. segments are its rows; columns as in plan.Slot.
func (l *lowering) weight(p *ir.Param, layout plan.Layout, segments []int, columns int) (int, *plan.Slot) {
	key := packKey{p, layout, fmt.Sprint(segments)}
	w := l.packed[key]
	if w == nil {
		w = &plan.Weight{Param: p, Offset: l.plan.Bytes}
		w.Slot = plan.Slot{Name: slotName(p.Name), Layout: layout, Storage: storage(p, layout), Segments: segments, Columns: columns}
		w.Slot.Elements = elements(&w.Slot)
		l.packed[key] = w
		l.plan.Weights = append(l.plan.Weights, w)
		l.plan.Bytes += w.Bytes()
	}
	for i, have := range l.weights {
		if have == w {
			return i, &l.block.Weights[i]
		}
	}
	slot := w.Slot
	slot.Name = l.unique(slot.Name)
	l.weights = append(l.weights, w)
	l.block.Weights = append(l.block.Weights, slot)
	return len(l.weights) - 1, &l.block.Weights[len(l.weights)-1]
}

// state is the same for a state whose segments are its channels, or of Heads
// those of each head.
func (l *lowering) state(s *ir.State, layout plan.Layout, columns int, segments ...int) int {
	for i, have := range l.states {
		if have.State == s {
			return i
		}
	}
	st := &plan.State{State: s, Offset: l.plan.State}
	st.Slot = plan.Slot{Name: l.unique(slotName(s.Name)), Layout: layout, Storage: kernel.F32,
		Segments: segments, Columns: columns}
	st.Slot.Elements = elements(&st.Slot)
	l.plan.State += st.Slot.Elements
	l.plan.States = append(l.plan.States, st)
	l.states = append(l.states, st)
	l.block.States = append(l.block.States, st.Slot)
	return len(l.states) - 1
}

// cache is the same for a cache, whose pages it shares with the others of its
// window.
func (l *lowering) cache(s *ir.State, k kernel.Keep) int {
	for i, have := range l.states {
		if have.State == s {
			return i
		}
	}
	heads, layout, kept := s.Shape[0], plan.Values, kernel.F32
	if k.Columns {
		layout = plan.Keys
	}
	if k.Storage != "" {
		kept = k.Storage
	}
	st := &plan.State{State: s}
	st.Slot = plan.Slot{Name: l.unique(slotName(s.Name)), Layout: layout, Storage: kept, Segments: []int{heads}, Columns: k.HeadDim,
		Elements: heads * k.HeadWords(), Cache: l.cacheOf(s.Window)}
	pages := &l.plan.Caches[st.Slot.Cache]
	st.Offset = pages.Page
	pages.Page += st.Slot.Elements
	l.plan.States = append(l.plan.States, st)
	l.states = append(l.states, st)
	l.block.States = append(l.block.States, st.Slot)
	return len(l.states) - 1
}

// cacheOf is the index of the pages that reach back a window.
func (l *lowering) cacheOf(window int) int {
	for i, c := range l.plan.Caches {
		if c.Window == window {
			return i
		}
	}
	l.plan.Caches = append(l.plan.Caches, plan.Cache{Window: window})
	return len(l.plan.Caches) - 1
}

// unique numbers a slot name that the block already has.
func (l *lowering) unique(name string) string {
	base := name
	for n := 2; l.names[name]; n++ {
		name = base + strconv.Itoa(n)
	}
	l.names[name] = true
	return name
}

// storage is what a parameter is packed as: only linear weights are narrowed.
func storage(p *ir.Param, layout plan.Layout) kernel.Storage {
	if layout == plan.Panels && p.Storage != "" {
		return kernel.Storage(p.Storage)
	}
	return kernel.F32
}

func elements(s *plan.Slot) int {
	if s.Layout == plan.Panels {
		return s.PaddedRows() / kernel.PanelRows * s.Storage.PanelElements(s.Columns)
	}
	return s.PaddedRows() * s.Columns
}
