package kerneltest

import (
	"fmt"
	"iter"
)

// Gather is y[i] = x[rows[i]].
type Gather struct{ Width, StrideX, StrideY int }

// Scatter is y[rows[i]] += x[i].
type Scatter struct{ Width, StrideX, StrideY int }

// Weigh is y[i] = y[i]·w[rows[i]·StrideW].
type Weigh struct{ Width, StrideY, StrideW int }

// chosen is a few of all rows, in ascending order.
func chosen(all int) []int32 {
	var list []int32
	for i := range all {
		if i%3 != 1 {
			list = append(list, int32(i))
		}
	}
	return list
}

// rowCases makes cases of several numbers of rows and flavours of values.
func rowCases(newCase func(all int, f flavour) *Case) iter.Seq[*Case] {
	return func(yield func(*Case) bool) {
		for _, all := range []int{0, 1, 2, 5, 17} {
			for _, f := range flavours {
				if !yield(newCase(all, f)) {
					return
				}
			}
		}
	}
}

// Cases implements Kernel.
func (g Gather) Cases() iter.Seq[*Case] { return rowCases(g.newCase) }

// Cases implements Kernel.
func (s Scatter) Cases() iter.Seq[*Case] { return rowCases(s.newCase) }

// Cases implements Kernel.
func (w Weigh) Cases() iter.Seq[*Case] { return rowCases(w.newCase) }

func (g Gather) axes() []axis {
	return []axis{{"tokens", map[string]int{"y": g.StrideY, "rows": 1}}}
}

func (s Scatter) axes() []axis {
	return []axis{{"tokens", map[string]int{"x": s.StrideX, "rows": 1}}}
}

func (w Weigh) axes() []axis {
	return []axis{{"tokens", map[string]int{"y": w.StrideY, "rows": 1}}}
}

func (g Gather) newCase(all int, f flavour) *Case {
	c := &Case{Name: fmt.Sprintf("rows=%d/%s", all, f), kernel: g}
	v, list := newValues(c.Name, f), chosen(all)
	y, x := v.f32(rows(len(list), g.StrideY, g.Width)), v.f32(rows(all, g.StrideX, g.Width))
	c.inputs = []input{{"y", y}, {"x", x}, {"rows", list}, {"tokens", len(list)}}
	return c.expect(outputs{"y": y}, func(want outcomes) {
		out := want["y"]
		for i, r := range list {
			for j := range g.Width {
				out.exact(i*g.StrideY+j, x[int(r)*g.StrideX+j])
			}
		}
	})
}

func (s Scatter) newCase(all int, f flavour) *Case {
	c := &Case{Name: fmt.Sprintf("rows=%d/%s", all, f), kernel: s}
	v, list := newValues(c.Name, f), chosen(all)
	y, x := v.f32(rows(all, s.StrideY, s.Width)), v.f32(rows(len(list), s.StrideX, s.Width))
	c.inputs = []input{{"y", y}, {"x", x}, {"rows", list}, {"tokens", len(list)}}
	return c.expect(outputs{"y": y}, func(want outcomes) {
		out := want["y"]
		for i, r := range list {
			for j := range s.Width {
				at := int(r)*s.StrideY + j
				out.exact(at, y[at]+x[i*s.StrideX+j])
			}
		}
	})
}

func (w Weigh) newCase(all int, f flavour) *Case {
	c := &Case{Name: fmt.Sprintf("rows=%d/%s", all, f), kernel: w}
	v, list := newValues(c.Name, f), chosen(all)
	y, weights := v.f32(rows(len(list), w.StrideY, w.Width)), v.f32(rows(all, w.StrideW, 1))
	c.inputs = []input{{"y", y}, {"w", weights}, {"rows", list}, {"tokens", len(list)}}
	return c.expect(outputs{"y": y}, func(want outcomes) {
		out := want["y"]
		for i, r := range list {
			for j := range w.Width {
				out.exact(i*w.StrideY+j, y[i*w.StrideY+j]*weights[int(r)*w.StrideW])
			}
		}
	})
}
