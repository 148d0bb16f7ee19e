package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// run is n neighbouring elements, treated some vectors a turn; those past the
// last whole turn are masked.
type run struct {
	asm        *asm
	n, vectors int
	tail       []tailMask
}

// run prepares the masks of a run, for the function at hand.
func (a *asm) run(n, vectors int) *run {
	return &run{a, n, vectors, a.tail(n%(vectors*a.level.lanes), vectors)}
}

// element addresses a vector of the run: in an array from a pointer and a
// displacement in bytes on.
type element func(base reg.GPVirtual, displacement int) operand.Mem

// each emits body for every vector: number i of a turn, of which some elements
// may be absent.
func (r *run) each(sentence string, body func(i int, present tailMask, at element), roles ...role) {
	a, turn := r.asm, 4*r.vectors*r.asm.level.lanes
	whole := 4 * r.n / turn * turn
	if whole > 0 {
		at, loop := a.GP64(), a.label("elements")
		a.XORQ(at, at)
		a.legend(sentence, append(roles, holds("byte", at))...)
		a.Label(loop)
		for i := range r.vectors {
			body(i, tailMask{all: true}, func(base reg.GPVirtual, displacement int) operand.Mem {
				return operand.Mem{Base: base, Index: at, Scale: 1, Disp: displacement + i*a.bytes()}
			})
		}
		a.ADDQ(operand.U32(uint32(turn)), at)
		a.CMPQ(at, operand.U32(uint32(whole)))
		a.JLT(operand.LabelRef(loop))
	}
	for i, m := range r.tail {
		if !m.none {
			body(i, m, func(base reg.GPVirtual, displacement int) operand.Mem {
				return operand.Mem{Base: base, Disp: displacement + whole + i*a.bytes()}
			})
		}
	}
}

// groups emits body for each of n groups of elements of a row, with pointers
// that move from group to group; a single group has those of the row.
func (a *asm) groups(n, elements int, pointers []reg.GPVirtual, body func(p []reg.GPVirtual)) {
	if n == 1 {
		body(pointers)
		return
	}
	moving, left, loop := make([]reg.GPVirtual, len(pointers)), a.GP64(), a.label("group")
	for i, p := range pointers {
		moving[i] = a.GP64()
		a.MOVQ(p, moving[i])
	}
	a.MOVQ(operand.U32(uint32(n)), left)
	a.legend("One group a turn.", holds("its arrays", moving...), holds("groups left", left))
	a.Label(loop)
	body(moving)
	for _, p := range moving {
		a.ADDQ(operand.U32(uint32(4*elements)), p)
	}
	a.DECQ(left)
	a.JNZ(operand.LabelRef(loop))
}

// row is an array of which every token has a row.
type row struct {
	name    string
	pointer reg.GPVirtual
	stride  int
}

// rows emits body once per token, with pointers that move from row to row;
// prepare is what comes before the first.
func (a *asm) rows(list []row, prepare, body func()) {
	tokens, done, loop := a.integer("tokens"), a.label("done"), a.label("token")
	a.TESTQ(tokens, tokens)
	a.JZ(operand.LabelRef(done))
	prepare()
	roles := []role{}
	for _, r := range list {
		roles = append(roles, holds(r.name, r.pointer))
	}
	a.legend("One token a turn.", append(roles, holds("tokens left", tokens))...)
	a.Label(loop)
	body()
	for _, r := range list {
		a.ADDQ(operand.U32(uint32(4*r.stride)), r.pointer)
	}
	a.DECQ(tokens)
	a.JNZ(operand.LabelRef(loop))
	a.Label(done)
}
