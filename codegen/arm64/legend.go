package arm64

import (
	"fmt"
	"slices"
	"strings"
)

// role is what some registers hold, for the reader of the assembly.
type role struct {
	name      string
	registers []string
}

// holds makes a role of registers of one class.
func holds[R general | vector](name string, list ...R) role {
	r := role{name: name}
	neighbours := len(list) > 2
	for i, v := range list {
		r.registers = append(r.registers, fmt.Sprint(v))
		neighbours = neighbours && v == list[0]+R(i)
	}
	if neighbours {
		r.registers = []string{r.registers[0] + "…" + r.registers[len(list)-1]}
	}
	return r
}

// legend puts a comment here: a sentence, and who holds what.
func (a *asm) legend(sentence string, roles ...role) {
	a.code.nodes = append(a.code.nodes, legendOf(sentence, roles))
}

// legendAt puts one before what was emitted since there were so many nodes.
func (a *asm) legendAt(nodes int, sentence string, roles ...role) {
	a.code.nodes = slices.Insert(a.code.nodes, nodes, node(legendOf(sentence, roles)))
}

func legendOf(sentence string, roles []role) comment {
	lines := comment{sentence}
	var parts []string
	for _, r := range roles {
		if len(r.registers) > 0 {
			parts = append(parts, strings.Join(r.registers, " ")+" "+r.name)
		}
	}
	if parts != nil {
		lines = append(lines, strings.Join(parts, ", "))
	}
	return lines
}
