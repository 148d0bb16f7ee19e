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
	list := make([]move, len(pointers))
	for i, p := range pointers {
		list[i] = move{p, elements}
	}
	a.groupsOf(n, list, body)
}

// groupsOf is groups of arrays with different numbers of elements to a group.
func (a *asm) groupsOf(n int, list []move, body func(p []reg.GPVirtual)) {
	moving := make([]reg.GPVirtual, len(list))
	if n == 1 {
		for i, m := range list {
			moving[i] = m.row
		}
		body(moving)
		return
	}
	left, loop := a.GP64(), a.label("group")
	for i, m := range list {
		moving[i] = a.GP64()
		a.MOVQ(m.row, moving[i])
	}
	a.MOVQ(operand.U32(uint32(n)), left)
	a.legend("One group a turn.", holds("its arrays", moving...), holds("groups left", left))
	a.Label(loop)
	body(moving)
	for i, m := range list {
		a.ADDQ(operand.U32(uint32(4*m.stride)), moving[i])
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

// rows is tokens whose pointers have names.
func (a *asm) rows(list []row, prepare, body func()) {
	roles, moves := []role{}, []move{}
	for _, r := range list {
		roles, moves = append(roles, holds(r.name, r.pointer)), append(moves, move{r.pointer, r.stride})
	}
	a.tokens("One token a turn.", moves, prepare, body, roles...)
}

// move says how far apart the rows of a pointer are, in floats.
type move struct {
	row    reg.GPVirtual
	stride int
}

// tokens emits a loop over all tokens, with pointers that move from row to row;
// prepare, which may be nil, is what comes before the first, if there is one.
func (a *asm) tokens(sentence string, moves []move, prepare, body func(), roles ...role) {
	left, done, loop := a.integer("tokens"), a.label("done"), a.label("token")
	a.TESTQ(left, left)
	a.JZ(operand.LabelRef(done))
	if prepare != nil {
		prepare()
	}
	a.legend(sentence, append(roles, holds("tokens left", left))...)
	a.Label(loop)
	body()
	for _, m := range moves {
		a.ADDQ(operand.U32(uint32(4*m.stride)), m.row)
	}
	a.DECQ(left)
	a.JNZ(operand.LabelRef(loop))
	a.Label(done)
}
