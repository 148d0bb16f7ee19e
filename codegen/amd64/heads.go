package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// headGroups follows a run of heads, from number first of the layer on, through
// the groups that they share rows of something in.
type headGroups struct {
	asm            *asm
	perGroup, step int           // heads of a group, floats from its rows to the next
	offset         reg.GPVirtual // of the rows, bytes
	left           reg.GPVirtual // heads left of the group
}

// headGroups finds the group of the first head.
func (a *asm) headGroups(perGroup, step int) *headGroups {
	g := &headGroups{asm: a, perGroup: perGroup, step: step, offset: a.GP64(), left: a.GP64()}
	loop, found, past := a.label("group"), a.label("found"), a.integer("first")
	a.XORQ(g.offset, g.offset)
	a.Label(loop)
	a.CMPQ(past, operand.U32(uint32(perGroup)))
	a.JLT(operand.LabelRef(found))
	a.SUBQ(operand.U32(uint32(perGroup)), past)
	a.ADDQ(operand.U32(uint32(4*step)), g.offset)
	a.JMP(operand.LabelRef(loop))
	a.Label(found)
	a.MOVQ(operand.U32(uint32(perGroup)), g.left)
	a.SUBQ(past, g.left)
	return g
}

// next moves on by a head.
func (g *headGroups) next() {
	same := g.asm.label("same")
	g.asm.DECQ(g.left)
	g.asm.JNZ(operand.LabelRef(same))
	g.asm.MOVQ(operand.U32(uint32(g.perGroup)), g.left)
	g.asm.ADDQ(operand.U32(uint32(4*g.step)), g.offset)
	g.asm.Label(same)
}
