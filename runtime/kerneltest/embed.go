package kerneltest

import (
	"fmt"
	"iter"
)

// Embed copies rows of packed panels, widened: y[t·StrideY+k] = W[ids[t], k].
type Embed struct {
	Storage string
	Width   int
	StrideY int
}

// Cases implements Kernel.
func (e Embed) Cases() iter.Seq[*Case] {
	return func(yield func(*Case) bool) {
		for _, tokens := range []int{0, 1, 2, 7} {
			for _, f := range flavours {
				if !yield(e.newCase(tokens, f)) {
					return
				}
			}
		}
	}
}

func (e Embed) axes() []axis {
	return []axis{{"tokens", map[string]int{"y": e.StrideY, "ids": 1}}}
}

func (e Embed) newCase(tokens int, f flavour) *Case {
	const panelCount = 3
	c := &Case{Name: fmt.Sprintf("tokens=%d/%s", tokens, f), kernel: e}
	v := newValues(c.Name, f)
	y, w := v.f32(rows(tokens, e.StrideY, e.Width)), makeWeights(v, e.Storage, e.Width, panelCount)
	ids := []int32{0, panelCount*panelRows - 1, panelRows - 1, panelRows}
	for range tokens {
		ids = append(ids, int32(v.IntN(panelCount*panelRows)))
	}
	ids = ids[:tokens]
	c.inputs = []input{{"y", y}, {"w", w.packed()}, {"ids", ids}, {"tokens", tokens}}
	return c.expect(outputs{"y": y}, func(want outcomes) {
		out := want["y"]
		for t, id := range ids {
			for k := range e.Width {
				out.exact(t*e.StrideY+k, w.at(int(id)/panelRows, int(id)%panelRows, k))
			}
		}
	})
}
