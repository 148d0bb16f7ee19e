package kerneltest

import (
	"fmt"
	"iter"
)

// pageTokens is the number of tokens on a page of a cache.
const pageTokens = 64

// Keep stores the keys (Columns) or values of a run of tokens on a page from a
// slot on, for a run of heads.
type Keep struct {
	HeadDim, StrideX int
	Columns          bool
}

// Cases implements Kernel.
func (k Keep) Cases() iter.Seq[*Case] {
	return func(yield func(*Case) bool) {
		most := k.StrideX / k.HeadDim
		for i, tokens := range []int{0, 1, 2, 7, 31, 64} {
			for j, slot := range []int{0, 5, pageTokens - tokens} {
				if slot+tokens > pageTokens {
					continue
				}
				if !yield(k.newCase(1+(i+j)%most, slot, tokens, flavours[(i+j)%len(flavours)])) {
					return
				}
			}
		}
	}
}

func (k Keep) axes() []axis {
	return []axis{{"heads", map[string]int{"page": k.HeadDim * pageTokens, "x": k.HeadDim}}}
}

func (k Keep) newCase(heads, slot, tokens int, f flavour) *Case {
	c := &Case{Name: fmt.Sprintf("heads=%d/slot=%d/tokens=%d/%s", heads, slot, tokens, f), kernel: k}
	v := newValues(c.Name, f)
	page, x := v.f32(heads*k.HeadDim*pageTokens), v.f32(rows(tokens, k.StrideX, heads*k.HeadDim))
	c.inputs = []input{{"page", page}, {"x", x}, {"slot", slot}, {"heads", heads}, {"tokens", tokens}}
	out := unwritten(page)
	for t := range tokens {
		for i := range heads * k.HeadDim {
			h, d := i/k.HeadDim, i%k.HeadDim
			at := (h*pageTokens+slot+t)*k.HeadDim + d
			if k.Columns {
				at = i*pageTokens + slot + t
			}
			out.exact(at, x[t*k.StrideX+i])
		}
	}
	c.want = map[string]*outcome{"page": out}
	return c
}
