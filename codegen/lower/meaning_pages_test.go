package lower_test

import (
	"math"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/plan"
)

// maxPages is the number of pages that a sequence of a test fills at most.
const maxPages = 4

// share of heads and tokens of the worker at hand, as schedules divide them.
func (j *job) heads(s *plan.Step) (units []unit) {
	blocks := 1
	if !s.Apart {
		blocks = (j.machine.tokens + kernel.AttendRows - 1) / kernel.AttendRows
	}
	first, n := j.share(s.Panels * blocks)
	for u := first; u < first+n; u++ {
		row := u % blocks * kernel.AttendRows
		units = append(units, unit{u / blocks, row, min(kernel.AttendRows, j.machine.tokens-row)})
	}
	return units
}

// unit is a head of keys and a run of tokens.
type unit struct{ head, row, rows int }

// paged runs a kernel of pages for the worker's share.
func (j *job) paged(s *plan.Step) {
	if s.Split == plan.ByTokens {
		for h := range s.Panels {
			j.pagedUnit(s, unit{h, j.token, j.tokens})
		}
		return
	}
	for _, u := range j.heads(s) {
		if !s.Apart {
			j.pagedUnit(s, u)
			continue
		}
		for i := range j.machine.tokens {
			j.sequence = i
			j.pagedUnit(s, unit{u.head, i, 1})
		}
	}
}

func (j *job) pagedUnit(s *plan.Step, u unit) {
	j.panel, j.token, j.tokens = u.head, u.row, u.rows
	for t := range u.rows {
		at := j.positions[j.sequence] + t
		if !s.Apart {
			at += u.row
		}
		switch k := s.Spec.(type) {
		case kernel.Keep:
			for d := range k.HeadDim {
				m, i := j.onPage("page", at, keptAt(&k, at%kernel.PageTokens, d))
				j.store(m, i, j.get("x", k.StrideX, t, d), "page")
			}
		case kernel.Attend:
			for g := range k.Group {
				j.attend(&k, t, g, at)
			}
		}
	}
}

func keptAt(k *kernel.Keep, slot, d int) int {
	if k.Columns {
		return d*kernel.PageTokens + slot
	}
	return slot*k.HeadDim + d
}

// onPage is an element of the head's part of the page of a position.
func (j *job) onPage(name string, position, i int) (*memory, int) {
	a := j.args[name]
	slot := &j.call.States[a.Slot].Slot
	if i += j.panel * a.Advance; i >= slot.Elements {
		j.fail("%s: element %d of %d", name, i, slot.Elements)
	}
	page := j.plan.Caches[slot.Cache].Page
	return j.pages[slot.Cache][j.sequence], position/kernel.PageTokens*page + j.call.States[a.Slot].Offset + i
}

func (j *job) attend(k *kernel.Attend, t, g, at int) {
	from := 0
	if k.Window > 0 {
		from = max(0, at-k.Window+1)
	}
	keys, values := kernel.Keep{HeadDim: k.HeadDim, Columns: true}, kernel.Keep{HeadDim: k.HeadDim}
	sum, y := 0.0, make([]float64, k.HeadDim)
	for p := from; p <= at; p++ {
		s := 0.0
		for d := range k.HeadDim {
			m, i := j.onPage("keys", p, keptAt(&keys, p%kernel.PageTokens, d))
			s += j.load(m, i, "keys") * j.get("q", k.StrideQ, t, g*k.HeadDim+d)
		}
		e := math.Exp(s * float64(k.Scale()))
		sum += e
		for d := range y {
			m, i := j.onPage("values", p, keptAt(&values, p%kernel.PageTokens, d))
			y[d] += e * j.load(m, i, "values")
		}
	}
	j.scratch(k.AttendStats() + kernel.AttendScratch)
	for d, v := range y {
		j.put("y", k.StrideY, t, g*k.HeadDim+d, v/sum)
	}
}
