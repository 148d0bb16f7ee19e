package amd64

import (
	"strings"

	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/reg"
)

// role is what some registers hold, for the reader of the assembly.
type role struct {
	name      string
	registers []reg.Register
}

// holds makes a role of registers of any class; nil for a parameter that the
// spec does without.
func holds[R reg.Register](name string, registers ...R) role {
	r := role{name: name}
	for _, v := range registers {
		if any(v) != nil {
			r.registers = append(r.registers, v)
		}
	}
	return r
}

// legend puts a comment here: a sentence and, once registers are chosen, who
// holds what.
func (a *asm) legend(sentence string, roles ...role) {
	a.legends[sentence] = append(a.legends[sentence], roles)
	a.Comment(sentence)
}

// resolveLegends adds the chosen registers to the comments of compiled
// functions; comments with one sentence come in the order they were made.
func (a *asm) resolveLegends(file *ir.File) {
	for _, f := range file.Functions() {
		for _, n := range f.Nodes {
			c, ok := n.(*ir.Comment)
			if !ok || len(a.legends[c.Lines[0]]) == 0 {
				continue
			}
			sentence := c.Lines[0]
			roles := a.legends[sentence][0]
			a.legends[sentence] = a.legends[sentence][1:]
			if text := legendText(f.Allocation, roles); text != "" {
				c.Lines = append(c.Lines, text)
			}
		}
	}
}

// legendText is "Z0…Z23 sums, SI weights".
func legendText(chosen reg.Allocation, roles []role) string {
	var parts []string
	for _, r := range roles {
		var held []reg.Physical
		for _, v := range r.registers {
			if p := chosen.LookupRegister(v); p != nil {
				held = append(held, p)
			}
		}
		if len(held) > 0 {
			parts = append(parts, registerList(held)+" "+r.name)
		}
	}
	return strings.Join(parts, ", ")
}

// registerList is "Z0…Z23" for neighbours, else one name after the other.
func registerList(list []reg.Physical) string {
	var names []string
	neighbours := len(list) > 2
	for i, p := range list {
		names = append(names, p.Asm())
		neighbours = neighbours && p.PhysicalIndex() == list[0].PhysicalIndex()+reg.Index(i)
	}
	if neighbours {
		return names[0] + "…" + names[len(names)-1]
	}
	return strings.Join(names, " ")
}
