package main

import (
	"slices"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
	"github.com/mambac/mambac/ir/storage"
)

// sizes is what a module holds, moves and computes, without padding.
type sizes struct {
	Parameters int64 `json:"parameters"`
	// ActiveParameters is those that one token needs: of experts, the chosen.
	ActiveParameters int64 `json:"active_parameters"`
	WeightBytes      int64 `json:"weight_bytes"`
	StateBytes       int64 `json:"state_bytes"` // windows and recurrences: fixed
	// CacheBytes is what every token of the text adds to the state.
	CacheBytes int64 `json:"cache_bytes_per_token"`
	// DecodeBytes is read and written for one token: parameters once, fixed
	// states both ways. What grows with the text is apart.
	DecodeBytes int64 `json:"decode_bytes_per_token"`
	PrefillFlop int64 `json:"prefill_flop_per_token"` // products of matrices without the head
	HeadFlop    int64 `json:"head_flop"`
	// CachedFlop is for every token of the text that a token looks back on.
	CachedFlop int64 `json:"flop_per_cached_token"`
}

// measure adds a module up, by what its ops cost. A parameter of several ops is
// read once.
func measure(m *ir.Module) sizes {
	var s sizes
	read := map[*ir.Param]int{}      // rows
	computed := map[*ir.Param]bool{} // of no checkpoint: the frequencies of rotary embeddings
	for _, r := range m.Regions {
		for _, v := range r.Body {
			c := costOf(v)
			for p, n := range readBy(v, c) {
				read[p] = max(read[p], n)
			}
			if _, ok := v.Op.(op.Angles); ok {
				computed[v.Params[0]] = true
			}
			s.CachedFlop += int64(c.CachedFlops)
			s.CacheBytes += cacheBytes(v)
			switch {
			case !multiplies(v.Op):
			case r == m.Regions[len(m.Regions)-1]: // the one of the logits
				s.HeadFlop += int64(c.Flops)
			default:
				s.PrefillFlop += int64(c.Flops)
			}
		}
	}
	for _, p := range m.Params {
		s.WeightBytes += paramBytes(p, p.Shape.Rows())
		s.DecodeBytes += paramBytes(p, read[p])
		if !computed[p] {
			s.Parameters += int64(p.Shape.Elements())
			s.ActiveParameters += int64(read[p]) * int64(p.Shape.Row())
		}
	}
	for _, st := range m.States {
		if st.Kind != ir.Cache {
			s.StateBytes += 4 * int64(st.Shape.Elements())
		}
	}
	s.DecodeBytes += 2 * s.StateBytes
	return s
}

// multiplies reports whether an op is products of matrices, which is what the
// flops of prefill are said in.
func multiplies(o ir.Op) bool {
	switch o.(type) {
	case op.Linear, op.Experts:
		return true
	}
	return false
}

// costOf is the cost of a value.
func costOf(v *ir.Value) ir.Cost {
	types := make([]ir.Type, len(v.Args))
	for i, a := range v.Args {
		types[i] = a.Type
	}
	return v.Op.Cost(types, v.Params, v.States)
}

// readBy is how many rows of each parameter a value needs for one token, of all
// of them the same share.
func readBy(v *ir.Value, c ir.Cost) map[*ir.Param]int {
	total := int64(0)
	for _, p := range v.Params {
		if p != nil {
			total += int64(p.Shape.Elements())
		}
	}
	read := map[*ir.Param]int{}
	for _, p := range v.Params {
		if p != nil {
			read[p] = int(int64(p.Shape.Rows()) * int64(c.ParamElements) / max(total, 1))
		}
	}
	return read
}

// paramBytes is the size of some rows of a parameter in the artifact, or in the
// checkpoint while no storage is chosen: elements and scales, without padding.
func paramBytes(p *ir.Param, rows int) int64 {
	if p.Storage == "" {
		return int64(rows) * int64(p.Shape.Row()) * int64(p.DType.Size())
	}
	format, err := storage.Lookup(p.Storage)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return int64(rows) * int64((format.RowBits(p.Shape.Row())+7)/8)
}

// cache is the caches of a module that are alike.
type cache struct {
	Window       int    `json:"window"` // tokens that it is bounded by; 0 for none
	Count        int    `json:"count"`  // of pairs, keys and values
	BytesPer     int64  `json:"bytes_per_token"`
	BytesPerHalf int64  `json:"bytes_per_token_f16"`
	BytesPerByte int64  `json:"bytes_per_token_int8"`
	Format       string `json:"format"` // of BytesPer
}

// cachesOf groups the caches of a module by their windows: what a token adds to
// the state, up to that many tokens.
func cachesOf(m *ir.Module) []cache {
	list := []cache{}
	for _, r := range m.Regions {
		for _, v := range r.Body {
			o, ok := v.Op.(op.Attention)
			if !ok {
				continue
			}
			i := slices.IndexFunc(list, func(c cache) bool { return c.Window == o.Window })
			if i < 0 {
				i, list = len(list), append(list, cache{Window: o.Window, Format: o.CacheFormat()})
			}
			list[i].Count++
			list[i].BytesPer += cacheBytes(v)
			list[i].BytesPerHalf += cacheBytesIn(v, "f16")
			list[i].BytesPerByte += cacheBytesIn(v, "int8")
		}
	}
	return list
}

// cacheBytes is what a token adds to the caches of a value; nothing if it has none.
func cacheBytes(v *ir.Value) int64 {
	o, ok := v.Op.(op.Attention)
	if !ok {
		return 0
	}
	return cacheBytesIn(v, o.CacheFormat())
}

// cacheBytesIn is the same in some format.
func cacheBytesIn(v *ir.Value, format string) int64 {
	n := int64(0)
	for _, s := range v.States {
		last := len(s.Shape) - 1
		n += int64(s.Shape[:last].Elements()) * int64(storage.CacheBytes(format, s.Shape[last]))
	}
	return n
}

// bytes is the size of the caches after a text of so many tokens.
func (c *cache) bytes(tokens int64) int64 { return within(tokens, c.Window) * c.BytesPer }

// within is how many tokens are in a window; all of them if it is 0.
func within(tokens int64, window int) int64 {
	if window > 0 {
		return min(tokens, int64(window))
	}
	return tokens
}

// contextFlop is the products of attention for a token after so many others: of
// each that it looks back on, its own included.
func contextFlop(m *ir.Module, tokens int64) int64 {
	n := int64(0)
	for _, r := range m.Regions {
		for _, v := range r.Body {
			if o, ok := v.Op.(op.Attention); ok {
				n += within(tokens+1, o.Window) * int64(costOf(v).CachedFlops)
			}
		}
	}
	return n
}

// contextBytes is that of all caches of a module.
func contextBytes(m *ir.Module, tokens int64) int64 {
	n := int64(0)
	for _, c := range cachesOf(m) {
		n += c.bytes(tokens)
	}
	return n
}
