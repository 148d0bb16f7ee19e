package amd64

import (
	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/reg"
)

// part is a register of a function, by number, and what of it is meant: a bit
// for every width that the register has.
type part struct {
	register int
	bits     uint16
}

// traffic is what an instruction reads and writes.
type traffic struct{ reads, writes []part }

// stretch is a run of instructions that are executed one after the other.
type stretch struct {
	from, to int        // instructions
	next     []*stretch // that may follow
	entry    *liveness  // before its first instruction
}

// liveness is the set of what is read later before it is written.
type liveness struct {
	bits  []uint16 // by register
	list  []int    // registers with bits
	place []int    // of a register in list
}

func newLiveness(registers int) *liveness {
	return &liveness{bits: make([]uint16, registers), place: make([]int, registers)}
}

func (l *liveness) add(p part) {
	if l.bits[p.register] == 0 && p.bits != 0 {
		l.place[p.register] = len(l.list)
		l.list = append(l.list, p.register)
	}
	l.bits[p.register] |= p.bits
}

func (l *liveness) remove(p part) {
	if l.bits[p.register] == 0 {
		return
	}
	l.bits[p.register] &^= p.bits
	if l.bits[p.register] == 0 {
		at, last := l.place[p.register], l.list[len(l.list)-1]
		l.list[at], l.place[last] = last, at
		l.list = l.list[:len(l.list)-1]
	}
}

// addAll reports whether anything is new.
func (l *liveness) addAll(other *liveness) bool {
	changed := false
	for _, r := range other.list {
		changed = changed || other.bits[r]&^l.bits[r] != 0
		l.add(part{r, other.bits[r]})
	}
	return changed
}

// step goes from after an instruction to before it.
func (l *liveness) step(t traffic) {
	for _, p := range t.writes {
		l.remove(p)
	}
	for _, p := range t.reads {
		l.add(p)
	}
}

// exit is what is live after a stretch.
func (b *stretch) exit(registers int) *liveness {
	l := newLiveness(registers)
	for _, next := range b.next {
		l.addAll(next.entry)
	}
	return l
}

// flow is a function as the choice of registers sees it.
type flow struct {
	numbers   map[reg.ID]int
	ids       []reg.ID // by number
	traffic   []traffic
	stretches []*stretch
}

// flowOf needs a function with successors, after avo's pass.CFG.
func flowOf(fn *ir.Function) *flow {
	f := &flow{numbers: map[reg.ID]int{}}
	code := fn.Instructions()
	for _, in := range code {
		f.parts(in.Registers()) // those of operands that are neither read nor written
		f.traffic = append(f.traffic, traffic{f.parts(in.InputRegisters()), f.parts(in.OutputRegisters())})
	}
	f.divide(code)
	f.settle()
	return f
}

func (f *flow) parts(registers []reg.Register) []part {
	list := make([]part, len(registers))
	for i, r := range registers {
		n, ok := f.numbers[r.ID()]
		if !ok {
			n = len(f.ids)
			f.numbers[r.ID()] = n
			f.ids = append(f.ids, r.ID())
		}
		list[i] = part{n, r.Mask()}
	}
	return list
}

// divide finds the stretches.
func (f *flow) divide(code []*ir.Instruction) {
	starts := map[*ir.Instruction]*stretch{}
	for i, in := range code {
		if i == 0 || len(in.Pred) != 1 || in.Pred[0] != code[i-1] || len(code[i-1].Succ) != 1 {
			starts[in] = &stretch{from: i}
			f.stretches = append(f.stretches, starts[in])
		}
		f.stretches[len(f.stretches)-1].to = i + 1
	}
	for _, b := range f.stretches {
		for _, in := range code[b.to-1].Succ {
			if in != nil { // nil is the end of the function
				b.next = append(b.next, starts[in])
			}
		}
	}
}

// settle finds what is live before every stretch.
func (f *flow) settle() {
	for _, b := range f.stretches {
		b.entry = newLiveness(len(f.ids))
	}
	for changed := true; changed; {
		changed = false
		for i := len(f.stretches) - 1; i >= 0; i-- {
			b := f.stretches[i]
			l := b.exit(len(f.ids))
			for j := b.to - 1; j >= b.from; j-- {
				l.step(f.traffic[j])
			}
			changed = b.entry.addAll(l) || changed
		}
	}
}

// each calls visit with every instruction and what is live after it.
func (f *flow) each(visit func(t traffic, after *liveness)) {
	for _, b := range f.stretches {
		l := b.exit(len(f.ids))
		for j := b.to - 1; j >= b.from; j-- {
			visit(f.traffic[j], l)
			l.step(f.traffic[j])
		}
	}
}
