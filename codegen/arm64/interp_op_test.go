package arm64

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/mambac/mambac/ir/tensor"
	"github.com/mambac/mambac/runtime/kerneltest"
)

// execute is one instruction that does not branch. Operands of another kind
// than an instruction takes are a panic.
func (m *machine) execute(i Instruction) {
	o := i.operands
	switch i.mnemonic {
	case "MOVD":
		m.general[o[1].(general)] = m.integer(o[0])
	case "ADD":
		m.general[o[len(o)-1].(general)] = m.integer(o[0]) + m.integer(o[1])
	case "SUB":
		m.general[o[1].(general)] -= m.integer(o[0])
	case "LSL":
		m.general[o[1].(general)] <<= m.integer(o[0])
	case "LSR":
		m.general[o[1].(general)] >>= m.integer(o[0])
	case "VLD1", "VLD1.P":
		m.load(o[0], o[1])
	case "VST1", "VST1.P":
		m.store(o[0], o[1])
	case "FMOVQ":
		m.moveVector(o[0], o[1])
	case "VDUP":
		m.spread(o[0], o[1].(arranged))
	case "VEXT":
		m.extract(o)
	default:
		m.arithmetic(i)
	}
}

// integer is the value of an operand.
func (m *machine) integer(o fmt.Stringer) uint64 {
	switch o := o.(type) {
	case general:
		return m.general[o]
	case immediate:
		return uint64(o)
	case pattern:
		return uint64(o)
	case parameter:
		return m.frame[o.offset]
	}
	panic(fmt.Sprintf("BUG: %v is no integer", o))
}

// address is where an access of n bytes takes place; the pointer moves.
func (m *machine) address(o fmt.Stringer, n int) uint64 {
	switch o := o.(type) {
	case memory:
		return m.general[o.base] + uint64(o.offset)
	case advancing:
		if o.by != n {
			panic(fmt.Sprintf("BUG: %v moves by other than %d bytes", o, n))
		}
		at := m.general[o.base]
		m.general[o.base] += uint64(n)
		return at
	case striding:
		at := m.general[o.base]
		m.general[o.base] += m.general[o.by]
		return at
	}
	panic(fmt.Sprintf("BUG: %v is no memory", o))
}

func (m *machine) load(from, to fmt.Stringer) {
	if e, ok := to.(element); ok {
		m.vectors[e.vector][e.lane] = m.word(m.address(from, 4))
		return
	}
	list := to.(registers).list
	at := m.address(from, 16*len(list))
	for _, v := range list {
		m.loadVector(at, v)
		at += 16
	}
}

func (m *machine) loadVector(at uint64, v vector) {
	for lane := range lanes {
		m.vectors[v][lane] = m.word(at + 4*uint64(lane))
	}
}

func (m *machine) store(from, to fmt.Stringer) {
	if e, ok := from.(element); ok {
		m.setWord(m.address(to, 4), m.vectors[e.vector][e.lane])
		return
	}
	list := from.(registers).list
	at := m.address(to, 16*len(list))
	for _, v := range list {
		m.storeVector(v, at)
		at += 16
	}
}

func (m *machine) storeVector(v vector, at uint64) {
	for lane, w := range m.vectors[v] {
		m.setWord(at+4*uint64(lane), w)
	}
}

func (m *machine) moveVector(from, to fmt.Stringer) {
	if v, ok := to.(scalar); ok {
		m.loadVector(m.address(from, 16), vector(v))
		return
	}
	m.storeVector(vector(from.(scalar)), m.address(to, 16))
}

func (m *machine) spread(from fmt.Stringer, to arranged) {
	var w uint32
	switch from := from.(type) {
	case element:
		w = m.vectors[from.vector][from.lane]
	default:
		w = uint32(m.integer(from))
	}
	m.vectors[to.vector] = [lanes]uint32{w, w, w, w}
}

// extract is bytes n … n+15 of the second source followed by the first.
func (m *machine) extract(o []fmt.Stringer) {
	high, low := m.getBytes(o[1].(arranged).vector), m.getBytes(o[2].(arranged).vector)
	var result [16]byte
	copy(result[:], append(low[:], high[:]...)[m.integer(o[0]):])
	m.setBytes(o[3].(arranged).vector, result)
}

func (m *machine) getBytes(v vector) (b [16]byte) {
	for lane, w := range m.vectors[v] {
		binary.LittleEndian.PutUint32(b[4*lane:], w)
	}
	return b
}

func (m *machine) setBytes(v vector, b [16]byte) {
	for lane := range lanes {
		m.vectors[v][lane] = binary.LittleEndian.Uint32(b[4*lane:])
	}
}

// arithmetic computes each lane of the destination from those of the sources;
// a scalar destination has one lane, and the others become zero.
func (m *machine) arithmetic(i Instruction) {
	sources, last := i.operands[:len(i.operands)-1], i.operands[len(i.operands)-1]
	to, n := destination(last)
	var result [lanes]uint32
	for lane := range n {
		result[lane] = m.lane(i.mnemonic, sources, m.vectors[to][lane], lane)
	}
	m.vectors[to] = result
}

// destination is a register and the number of its lanes that are computed.
func destination(o fmt.Stringer) (vector, int) {
	if s, ok := o.(scalar); ok {
		return vector(s), 1
	}
	return o.(arranged).vector, lanes
}

// lane is one lane of a result; before is what the destination holds there.
func (m *machine) lane(mnemonic string, sources []fmt.Stringer, before uint32, lane int) uint32 {
	bits := func(i int) uint32 { return m.source(sources[i], lane) }
	number := func(i int) float32 { return math.Float32frombits(bits(i)) }
	var y float32
	switch mnemonic {
	case "VEOR":
		return bits(0) ^ bits(1)
	case "VAND":
		return bits(0) & bits(1)
	case "VMOV":
		return bits(0)
	case "VSHL":
		return bits(1) << bits(0)
	case "FNEG":
		return bits(0) ^ 1<<31
	case "FABS":
		return bits(0) &^ (1 << 31)
	case "FCVTL":
		y = m.half(sources[0], lane)
	case "FCVTL2":
		y = m.half(sources[0], lanes+lane)
	case "VFMLA", "FMLA":
		y = kerneltest.FMA32(number(1), number(0), math.Float32frombits(before))
	case "VFMLS":
		y = kerneltest.FMA32(-number(1), number(0), math.Float32frombits(before))
	case "FADD", "FADDS":
		y = number(1) + number(0)
	case "FSUB":
		y = number(1) - number(0)
	case "FMUL":
		y = number(1) * number(0)
	case "FDIV", "FDIVS":
		y = number(1) / number(0)
	case "FSQRTS":
		y = float32(math.Sqrt(float64(number(0))))
	case "FMAX":
		y = max(number(1), number(0))
	case "FMIN":
		y = min(number(1), number(0))
	default:
		panic("BUG: the interpreter does not know " + mnemonic)
	}
	return math.Float32bits(y)
}

// source is a lane of an operand, the one lane that an element names, or a
// constant.
func (m *machine) source(o fmt.Stringer, lane int) uint32 {
	switch o := o.(type) {
	case arranged:
		return m.vectors[o.vector][lane]
	case element:
		return m.vectors[o.vector][o.lane]
	case scalar:
		return m.vectors[o][lane]
	}
	return uint32(m.integer(o))
}

// half is a half of a register, widened.
func (m *machine) half(o fmt.Stringer, i int) float32 {
	w := m.vectors[o.(arranged).vector][i/2]
	return tensor.F16ToF32(uint16(w >> (16 * (i % 2))))
}
