package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/kernel"
)

// updateUnroll is the number of states of one turn of the loop over states.
const updateUnroll = 4

// As many chains of sums as updateVectors keep a processor busy; the states of
// groups of rows, updateStates in all, leave room in the first-level cache.
const (
	updateVectors = 4
	updateStates  = 256
)

// update emits kernel.Update over all tokens for one head after the other. It
// walks the tokens for a few groups of rows at a time, whose states rest in the
// first-level cache meanwhile.
type update struct {
	asm *asm
	kernel.Update
	ready, keys, y  source
	inputs, queries []int         // floats from a row of keys to k of every input, q of every output
	state           reg.GPVirtual // byte offset of the head's state
	column, h       reg.GPVirtual // of the rows at hand: byte offset in ready and y, states
	row, key, out   reg.GPVirtual // of the token at hand
	decay           reg.VecVirtual
	weights, sums   [][]reg.VecVirtual // of every input and output; weights may stay in memory
}

// source is a slice that holds a row per token.
type source struct {
	name   string
	offset reg.GPVirtual // of the head at hand, bytes; nil for 0
	stride int           // floats
}

// headBytes is the size of a head's state.
func (u *update) headBytes() int { return 4 * u.Rows() * u.States }

// groups is the number of groups of rows that registers hold the sums of.
func (u *update) groups() int {
	if u.Outputs > 1 {
		return 1
	}
	return max(1, min(updateVectors/u.vectors(), updateStates/u.States))
}

// vectors is the number of registers of a group of channels.
func (u *update) vectors() int { return kernel.GroupChannels / u.asm.level.lanes }

// updateFits reports whether the sums of a level's registers leave room for the
// rest.
func updateFits(l *Level, u kernel.Update) bool {
	vectors := kernel.GroupChannels / l.lanes
	return u.States > 0 && u.HeadDim > 0 && vectors*(u.Outputs+1)+4 <= l.registers
}

// head emits the update of the head at hand.
func (u *update) head() {
	u.h = u.asm.pointer("h")
	u.asm.ADDQ(u.state, u.h)
	u.column = u.asm.GP64()
	u.asm.XORQ(u.column, u.column)
	width := u.groups() * kernel.GroupChannels
	if whole := u.HeadDim / width * width; whole > 0 {
		loop := u.asm.label("rows")
		u.asm.legend("Some rows of a head a turn.", holds("their states", u.h), holds("their byte", u.column))
		u.asm.Label(loop)
		u.part(wholeVectors(u.groups() * u.vectors()))
		u.asm.ADDQ(operand.U32(uint32(4*width*u.States)), u.h)
		u.asm.ADDQ(operand.U32(uint32(4*width)), u.column)
		u.asm.CMPQ(u.column, operand.U32(uint32(4*whole)))
		u.asm.JLT(operand.LabelRef(loop))
	}
	if rest := u.HeadDim % width; rest > 0 {
		u.part(u.asm.tail(rest, kernel.PadGroup(rest)/u.asm.level.lanes))
	}
}

// part runs all tokens for the rows at hand, as many vectors as there are masks.
func (u *update) part(masks []tailMask) {
	u.row, u.key, u.out = u.at(u.ready), u.at(u.keys), u.at(u.y)
	u.asm.ADDQ(u.column, u.out)
	u.asm.tokens("One token a turn.", []move{{u.row, u.ready.stride}, {u.key, u.keys.stride}, {u.out, u.y.stride}},
		nil, func() { u.token(masks) },
		holds("what depends on no state", u.row), holds("inputs and queries", u.key), holds("y", u.out))
}

// at is a source's pointer for the head at hand.
func (u *update) at(s source) reg.GPVirtual {
	if s.offset == nil {
		return u.asm.pointer(s.name)
	}
	return u.asm.pointerFrom(s.name, s.offset)
}

// token advances the states of the rows at hand by a token.
func (u *update) token(masks []tailMask) {
	n := len(masks)
	u.decay = u.asm.vec()
	u.asm.VBROADCASTSS(operand.Mem{Base: u.row, Disp: 4 * u.Decay()}, u.decay)
	u.sums, u.weights = nil, nil
	for r := range u.Outputs {
		u.sums = append(u.sums, u.rows(u.Skip(r), n))
	}
	if (u.Inputs+u.Outputs+1)*n+3 <= u.asm.level.registers-1 {
		for j := range u.Inputs {
			u.weights = append(u.weights, u.rows(j*u.Rows(), n))
		}
	}
	u.states(n)
	for r, sums := range u.sums {
		for i, v := range sums {
			if !masks[i].none {
				u.asm.store(masks[i], v, operand.Mem{Base: u.out, Disp: 4*r*u.HeadDim + i*u.asm.bytes()})
			}
		}
	}
}

// rows loads n vectors of what is ready, from a float on.
func (u *update) rows(at, n int) []reg.VecVirtual {
	list := u.asm.vecs(n)
	for i, v := range list {
		u.asm.VMOVUPS(u.readyAt(at, i), v)
	}
	return list
}

// readyAt is vector i of the rows at hand of what is ready, from a float on.
func (u *update) readyAt(at, i int) operand.Mem {
	return operand.Mem{Base: u.row, Index: u.column, Scale: 1, Disp: 4*at + i*u.asm.bytes()}
}

// states walks the states of n vectors of rows, with the pointers set back after
// it.
func (u *update) states(n int) {
	if u.States < 2*updateUnroll {
		u.run(u.States, n)
		return
	}
	turns, left, loop := u.States/updateUnroll, u.asm.GP64(), u.asm.label("state")
	u.asm.MOVQ(operand.U32(uint32(turns)), left)
	u.asm.legend("Some states a turn.", holds("decay", u.decay), holds("turns left", left))
	u.asm.Label(loop)
	u.run(updateUnroll, n)
	u.asm.ADDQ(operand.U32(updateUnroll*groupBytes), u.h)
	u.asm.ADDQ(operand.U32(4*updateUnroll), u.key)
	u.asm.DECQ(left)
	u.asm.JNZ(operand.LabelRef(loop))
	u.run(u.States%updateUnroll, n)
	u.asm.SUBQ(operand.U32(uint32(turns*updateUnroll*groupBytes)), u.h)
	u.asm.SUBQ(operand.U32(uint32(turns*4*updateUnroll)), u.key)
}

// run advances some states of n vectors of rows.
func (u *update) run(states, n int) {
	for s := range states {
		next := u.added(s, n)
		// All are loaded before one is stored: those of two groups may lie a multiple
		// of a page apart, where a load waits for the store before it.
		for i, v := range next {
			u.asm.VFMADD231PS(u.stateAt(s, i), u.decay, v)
		}
		for i, v := range next {
			u.asm.VMOVUPS(v, u.stateAt(s, i))
		}
		for r, sums := range u.sums {
			q := u.asm.broadcast(u.key, 4*(u.queries[r]+s))
			for i, v := range next {
				u.asm.VFMADD231PS(q, v, sums[i])
			}
		}
	}
}

// added is Σ_j w_j·k_j of a state.
func (u *update) added(s, n int) []reg.VecVirtual {
	sum := u.asm.vecs(n)
	for j := range u.Inputs {
		k := u.asm.broadcast(u.key, 4*(u.inputs[j]+s))
		for i, v := range sum {
			var w operand.Op = u.readyAt(j*u.Rows(), i)
			if u.weights != nil {
				w = u.weights[j][i]
			}
			if j == 0 {
				u.asm.VMULPS(w, k, v)
			} else {
				u.asm.VFMADD231PS(w, k, v)
			}
		}
	}
	return sum
}

// stateAt is where vector i of the rows at hand has a state.
func (u *update) stateAt(s, i int) operand.Mem {
	group, within := i/u.vectors(), i%u.vectors()
	return operand.Mem{Base: u.h, Disp: (group*u.States+s)*groupBytes + within*u.asm.bytes()}
}
