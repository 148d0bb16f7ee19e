package arm64

import "fmt"

// Instruction is one instruction with its operands in the order of Go's
// assembler: sources, then the destination.
type Instruction struct {
	mnemonic string
	operands []fmt.Stringer
}

// node is an Instruction, a label or a comment, in the order of the text.
type node any

// comment is lines for the reader before what follows.
type comment []string

// Function is the code of one kernel.
type Function struct {
	name      string
	signature string // as in a Go declaration
	bytes     int    // of the arguments
	nodes     []node
}

// put appends an instruction.
func (a *asm) put(mnemonic string, operands ...fmt.Stringer) {
	a.code.nodes = append(a.code.nodes, Instruction{mnemonic, operands})
}

// place puts a label here.
func (a *asm) place(l label) { a.code.nodes = append(a.code.nodes, l) }

// The instructions that kernels consist of. Sources come first, as in the
// text; what is subtracted or divided by comes second.

func (a *asm) mov(from, to general)        { a.put("MOVD", from, to) }
func (a *asm) set(n int, to general)       { a.put("MOVD", immediate(n), to) }
func (a *asm) load(p parameter, r general) { a.put("MOVD", p, r) }
func (a *asm) add(n, to general)           { a.put("ADD", n, to) }
func (a *asm) shift(n int, r general)      { a.put("LSL", immediate(n), r) }
func (a *asm) sub(n int, r general)        { a.put("SUB", immediate(n), r) }

// addConstant adds it in place; nothing where it is zero.
func (a *asm) addConstant(n int, r general) {
	if n != 0 {
		a.put("ADD", immediate(n), r)
	}
}

// offset is from + n in another register.
func (a *asm) offset(from general, n int, to general) {
	if n == 0 {
		a.mov(from, to)
		return
	}
	a.put("ADD", immediate(n), from, to)
}

func (a *asm) jump(to label)                 { a.put("JMP", to) }
func (a *asm) ifZero(r general, to label)    { a.put("CBZ", r, to) }
func (a *asm) ifNotZero(r general, to label) { a.put("CBNZ", r, to) }

// ifLess jumps where r < n.
func (a *asm) ifLess(r general, n int, to label) {
	a.put("CMP", immediate(n), r)
	a.put("BLT", to)
}

// loads reads neighbouring registers and moves the pointer behind them.
func (a *asm) loads(from general, list []vector) {
	a.put("VLD1.P", advancing{from, 16 * len(list)}, registers{list, words})
}

// loadsAt reads neighbouring registers where a pointer points.
func (a *asm) loadsAt(from general, list []vector) {
	a.put("VLD1", memory{from, 0}, registers{list, words})
}

// loadsEvery reads neighbouring registers and moves the pointer by a stride.
func (a *asm) loadsEvery(from, stride general, list []vector) {
	a.put("VLD1.P", striding{from, stride}, registers{list, words})
}

func (a *asm) stores(list []vector, to general) {
	a.put("VST1.P", registers{list, words}, advancing{to, 16 * len(list)})
}

func (a *asm) storesAt(list []vector, to general) {
	a.put("VST1", registers{list, words}, memory{to, 0})
}

// loadLanes reads the first n lanes of a register and leaves the others.
func (a *asm) loadLanes(from general, n int, v vector) {
	if n == lanes {
		a.loads(from, []vector{v})
		return
	}
	for i := range n {
		a.put("VLD1.P", advancing{from, 4}, element{v, i})
	}
}

// loadPart reads the first n lanes of a register and clears the others.
func (a *asm) loadPart(from general, n int, v vector) {
	if n < lanes {
		a.zero(v)
	}
	a.loadLanes(from, n, v)
}

// storeLanes writes the first n lanes of a register.
func (a *asm) storeLanes(v vector, n int, to general) {
	if n == lanes {
		a.stores([]vector{v}, to)
		return
	}
	for i := range n {
		a.put("VST1.P", element{v, i}, advancing{to, 4})
	}
}

func (a *asm) loadVector(base general, offset int, v vector) {
	a.put("FMOVQ", memory{base, offset}, scalar(v))
}

func (a *asm) storeVector(v vector, base general, offset int) {
	a.put("FMOVQ", scalar(v), memory{base, offset})
}

func (a *asm) zero(v vector)                  { a.bitwise("VEOR", v, v, v) }
func (a *asm) and(x, y, to vector)            { a.bitwise("VAND", y, x, to) }
func (a *asm) copy(from, to vector)           { a.put("VMOV", arranged{from, octets}, arranged{to, octets}) }
func (a *asm) spread(from general, v vector)  { a.put("VDUP", from, arranged{v, words}) }
func (a *asm) spreadLane(e element, v vector) { a.put("VDUP", e, arranged{v, words}) }

func (a *asm) bitwise(mnemonic string, operands ...vector) {
	a.put(mnemonic, arranged{operands[0], octets}, arranged{operands[1], octets}, arranged{operands[2], octets})
}

// shiftLeft shifts every lane.
func (a *asm) shiftLeft(n int, from, to vector) {
	a.put("VSHL", immediate(n), arranged{from, words}, arranged{to, words})
}

// rotate brings the lane n bytes further on to the front.
func (a *asm) rotate(n int, from, to vector) {
	a.put("VEXT", immediate(n), arranged{from, octets}, arranged{from, octets}, arranged{to, octets})
}

// fmla is acc + x·y, rounded once; fmls is acc − x·y.
func (a *asm) fmla(x, y, acc vector) { a.three("VFMLA", x, y, acc) }
func (a *asm) fmls(x, y, acc vector) { a.three("VFMLS", x, y, acc) }

func (a *asm) fadd(x, y, to vector) { a.three("FADD", x, y, to) }
func (a *asm) fsub(x, y, to vector) { a.three("FSUB", x, y, to) }
func (a *asm) fmul(x, y, to vector) { a.three("FMUL", x, y, to) }
func (a *asm) fdiv(x, y, to vector) { a.three("FDIV", x, y, to) }
func (a *asm) fmax(x, y, to vector) { a.three("FMAX", x, y, to) }
func (a *asm) fmin(x, y, to vector) { a.three("FMIN", x, y, to) }

// three is an instruction on all lanes of two sources.
func (a *asm) three(mnemonic string, x, y, to vector) {
	a.put(mnemonic, arranged{y, words}, arranged{x, words}, arranged{to, words})
}

// fmlaLane is acc + x·e, rounded once, with one e for all lanes.
func (a *asm) fmlaLane(x vector, e element, acc vector) {
	a.put("FMLA", e, arranged{x, words}, arranged{acc, words})
}

func (a *asm) fmulLane(x vector, e element, to vector) {
	a.put("FMUL", e, arranged{x, words}, arranged{to, words})
}

func (a *asm) fneg(x, to vector) { a.put("FNEG", arranged{x, words}, arranged{to, words}) }
func (a *asm) fabs(x, to vector) { a.put("FABS", arranged{x, words}, arranged{to, words}) }

// widenLow converts the first four halves to float32, widenHigh the last four;
// exact, denormals included.
func (a *asm) widenLow(x, to vector)  { a.put("FCVTL", arranged{x, "H4"}, arranged{to, words}) }
func (a *asm) widenHigh(x, to vector) { a.put("FCVTL2", arranged{x, halves}, arranged{to, words}) }

// The same on the first lane alone.
func (a *asm) addFirst(x, y, to vector) { a.put("FADDS", scalar(y), scalar(x), scalar(to)) }
func (a *asm) divFirst(x, y, to vector) { a.put("FDIVS", scalar(y), scalar(x), scalar(to)) }
func (a *asm) sqrtFirst(x, to vector)   { a.put("FSQRTS", scalar(x), scalar(to)) }
