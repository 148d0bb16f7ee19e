package lower_test

import (
	"math"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/ir/storage"
	"github.com/mambac/mambac/ir/tensor"
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
			j.keep(&k, t, at)
		case kernel.Attend:
			for g := range k.Group {
				j.attend(&k, t, g, at)
			}
		}
	}
}

// keep stores what a cache keeps of a row, in words of several elements.
func (j *job) keep(k *kernel.Keep, t, at int) {
	row, scale := make([]float32, k.HeadDim), float32(1)
	for d := range row {
		row[d] = float32(j.get("x", k.StrideX, t, d))
	}
	storage.RoundCache(string(k.Storage), row)
	if k.Storage == kernel.Int8 {
		most := float32(0)
		for _, v := range row {
			most = max(most, v, -v)
		}
		scale = most / 127
		j.keepWord(at, at%kernel.PageTokens, math.Float32bits(scale))
	}
	words := make([]uint32, k.Row())
	for d, v := range row {
		bits := math.Float32bits(v)
		switch k.Storage {
		case kernel.F16:
			bits = uint32(tensor.F32ToF16(v)) << (d % 2 * 16)
		case kernel.Int8:
			bits = uint32(uint8(int8(v/scale))) << (d % 4 * 8)
		}
		words[d/k.Storage.PerWord()] |= bits
	}
	for w := range (k.HeadDim + k.Storage.PerWord() - 1) / k.Storage.PerWord() {
		j.keepWord(at, k.Word(at%kernel.PageTokens, w), words[w])
	}
}

func (j *job) keepWord(at, i int, bits uint32) {
	m, i := j.onPage("page", at, i)
	j.store(m, i, 0, "page")
	m.values[i] = math.Float32frombits(bits) // which no conversion may touch
}

// kept is element d of the row of a position.
func (j *job) kept(k *kernel.Keep, name string, position, d int) float64 {
	slot, n := position%kernel.PageTokens, k.Storage.PerWord()
	bits := j.keptWord(name, position, k.Word(slot, d/n))
	switch k.Storage {
	case kernel.F16:
		return float64(tensor.F16ToF32(uint16(bits >> (d % n * 16))))
	case kernel.Int8:
		return float64(int8(bits>>(d%n*8))) * float64(math.Float32frombits(j.keptWord(name, position, slot)))
	}
	return float64(math.Float32frombits(bits))
}

func (j *job) keptWord(name string, position, i int) uint32 {
	m, i := j.onPage(name, position, i)
	j.load(m, i, name)
	return math.Float32bits(m.values[i])
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
	keys, values := k.Keys(), k.Values()
	sum, y := 0.0, make([]float64, k.HeadDim)
	for p := from; p <= at; p++ {
		s := 0.0
		for d := range k.HeadDim {
			s += j.kept(&keys, "keys", p, d) * j.get("q", k.StrideQ, t, g*k.HeadDim+d)
		}
		e := math.Exp(s * float64(k.Scale()))
		sum += e
		for d := range y {
			y[d] += e * j.kept(&values, "values", p, d)
		}
	}
	j.scratch(k.AttendStats() + kernel.AttendScratch)
	for d, v := range y {
		j.put("y", k.StrideY, t, g*k.HeadDim+d, v/sum)
	}
}
