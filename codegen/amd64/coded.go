package amd64

import (
	"iter"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/kernel"
)

// vnni is the feature from which on products are added to sums in one
// instruction, those of bytes among them.
const vnni = "avx512vnni"

// coder is how panels of a storage with codes are read: how their groups follow
// each other, and what codes become before they are multiplied.
type coder interface {
	products
	// open moves w from the start of a panel to its first group. Where the panel
	// begins with scales of rows it keeps their place in rows, if that is not nil.
	open(w, rows reg.GPVirtual)
	// eachGroup emits a loop over n groups at w: group for each, with w at its
	// codes. group must move w past them.
	eachGroup(n, w reg.GPVirtual, group func(s scales))
	// begin makes what sums of a group begin with, for one token: x is where its
	// inputs of the group are, pairs what the coder gives for each vector of sums.
	begin(sums []reg.VecVirtual, x operand.Mem, pairs func(i int) [2]operand.Op)
	// pairs is what begin multiplies sums of inputs with, for a vector of rows.
	pairs(s scales, at int) [2]operand.Op
	// firstTurn and nextTurn prepare for the next columns of a group.
	firstTurn()
	nextTurn()
	// multiple is what products of a turn's columns are multiplied with, as add
	// takes it, for a vector of rows.
	multiple(s scales, at int) reg.VecVirtual
	// lanes makes of a vector of a unit, which lies at bytes behind the unit's
	// start, what add multiplies: ascending columns, one vector after the other.
	lanes(m operand.Mem, s scales, at int) iter.Seq[reg.VecVirtual]
	// scale is what the sums of a group are multiplied with beside the scale of
	// the inputs; nil if there is nothing.
	scale(s scales, at int) reg.VecVirtual
	// finish makes sums of what all groups have given; row is the scale of rows.
	finish(sums reg.VecVirtual, row operand.Mem)
	// walk runs unit for every unit of some columns, and moves w with it, to the
	// end of their groups at last.
	walk(w reg.GPVirtual, columns int, unit func(s scales, columns int))
	// widened gives the first n columns of a vector of a unit as float32, exact.
	widened(m operand.Mem, s scales, at int, rows reg.GPVirtual, n int) iter.Seq2[int, reg.VecVirtual]
}

// scales is the unit that holds the scales of a group, and which of the groups
// behind it this is.
type scales struct {
	unit  reg.GPVirtual
	group int
}

// at is a vector of the unit.
func (s scales) at(at int) operand.Mem { return operand.Mem{Base: s.unit, Disp: at} }

// products is how a level multiplies what codes have become with the numbers of a
// quantised row: in what width the two meet, and by which instructions.
type products interface {
	// columns is how many columns of a row share a lane of 32 bits.
	columns() int
	// groups is those of a quantised row whose numbers have that width.
	groups(r kernel.QuantisedRow) kernel.QuantisedGroups
	// input is the numbers at m for all lanes, in the form that add takes.
	input(m operand.Mem) operand.Op
	// add adds the products of vectors of rows with one input, and with multiples
	// where weights have them, to their sums.
	add(lanes []reg.VecVirtual, input operand.Op, multiples []operand.Op, sums []reg.VecVirtual)
}

// products is how the level multiplies what codes of a storage become: small
// values are bytes, those of int8 where it has an instruction for them.
func (a *asm) products(s kernel.Storage) products {
	switch {
	case s == kernel.Int4:
		return inMultiples{a}
	case a.level.has(vnni):
		return inBytes{a}
	}
	return inWords{a}
}

// newCoder loads what a run of units needs for products; its registers are free
// again after it.
func newCoder(a *asm, s kernel.Storage) coder {
	if s == kernel.Int4 {
		return newInt4(a, int4Offset)
	}
	return newInt8(a)
}

// newExactCoder is newCoder for widening.
func newExactCoder(a *asm, s kernel.Storage) coder {
	if s == kernel.Int4 {
		return newInt4(a, 0)
	}
	return newInt8(a)
}

// turnColumns is the number of columns of a turn of a loop over the codes of a
// group.
const turnColumns = 16

// turnMultiples is the number of multiples that they have.
func turnMultiples(s kernel.Storage) int {
	if format, _ := s.Coded(); format.Multiples {
		return 1
	}
	return 0
}

// turnUnits is the number of units that they take.
func turnUnits(s kernel.Storage) int { return turnColumns / s.UnitColumns() }

// eachTurn emits a loop over the columns of a group, some a turn.
func (a *asm) eachTurn(c coder, s kernel.Storage, roles []role, turn func()) {
	format, _ := s.Coded()
	n, loop := a.GP64(), a.label("turn")
	a.MOVQ(operand.U32(uint32(format.Inputs/turnColumns)), n)
	c.firstTurn()
	a.legend("16 columns a turn.", append(roles, holds("turns left", n))...)
	a.Label(loop)
	turn()
	c.nextTurn()
	a.DECQ(n)
	a.JNZ(operand.LabelRef(loop))
}

// rowScales is where the one panel of a matrix product has the scales of its
// rows; nil if it has none.
func (a *asm) rowScales(s kernel.Storage) reg.GPVirtual {
	if format, _ := s.Coded(); !format.Multiples {
		return nil
	}
	return a.pointer("w")
}
