package interp

import (
	"fmt"
	"strings"

	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// handler executes one instruction.
type handler func(*state, *instruction) error

// operation is an entry of the table of opcodes.
type operation struct {
	run handler
	// element is the number of bytes that one mask bit stands for; 0 where a
	// mask register is an ordinary operand.
	element int
}

var operations = map[string]operation{}

// register adds opcodes; called from init of the file that has them.
func register(element int, run handler, opcodes ...string) {
	for _, opcode := range opcodes {
		if operations[opcode].run != nil {
			panic("BUG: opcode " + opcode + " is registered twice")
		}
		operations[opcode] = operation{run, element}
	}
}

// instruction is a decoded instruction.
type instruction struct {
	source    *ir.Instruction
	run       handler
	element   int
	ops       []op // without the mask
	masked    bool
	mask      int  // number of the mask register
	zeroing   bool // masked-out elements become zero instead of staying
	broadcast bool // a memory operand is one element for all lanes
	target    int  // of a jump
}

// String prints the instruction as assembly.
func (in *instruction) String() string {
	var ops []string
	for _, o := range in.source.Operands {
		ops = append(ops, o.Asm())
	}
	return in.source.OpcodeWithSuffixes() + " " + strings.Join(ops, ", ")
}

// op is an operand.
type op struct {
	kind   opKind
	number int // of a register
	bytes  int // of a register
	value  uint64
	mem    address
}

type opKind int

const (
	generalOp opKind = iota
	vectorOp
	maskOp
	memoryOp
	immediateOp
	labelOp
)

// address is base + index·scale + offset; a register number of −1 is none.
// An absolute base (frame, data) is in the offset already.
type address struct {
	base, index int
	scale       uint64
	offset      uint64
}

func (f *File) decode(fn *ir.Function) (*function, error) {
	d := &function{name: fn.Name, frame: fn.ArgumentBytes(), locals: fn.LocalSize}
	labels := map[string]int{}
	for _, node := range fn.Nodes {
		switch node := node.(type) {
		case ir.Label:
			labels[string(node)] = len(d.code)
		case *ir.Instruction:
			in, err := f.decodeInstruction(node)
			if err != nil {
				return nil, fmt.Errorf("instruction %d, %s: %w", len(d.code), node.OpcodeWithSuffixes(), err)
			}
			d.code = append(d.code, in)
		}
	}
	for _, in := range d.code {
		if l := in.source.TargetLabel(); l != nil {
			target, ok := labels[string(*l)]
			if !ok {
				return nil, fmt.Errorf("no label %s", *l)
			}
			in.target = target
		}
	}
	return d, nil
}

func (f *File) decodeInstruction(source *ir.Instruction) (*instruction, error) {
	operation, ok := operations[source.Opcode]
	if !ok {
		return nil, fmt.Errorf("unknown opcode")
	}
	in := &instruction{source: source, run: operation.run, element: operation.element}
	for _, o := range source.Operands {
		decoded, err := f.decodeOperand(o)
		if err != nil {
			return nil, err
		}
		in.ops = append(in.ops, decoded)
	}
	for _, suffix := range source.Suffixes {
		switch suffix {
		case "Z":
			in.zeroing = true
		case "BCST":
			in.broadcast = true
		default:
			return nil, fmt.Errorf("unknown suffix %s", suffix)
		}
	}
	if at := len(in.ops) - 2; operation.element > 0 && at >= 0 && in.ops[at].kind == maskOp {
		in.masked, in.mask = true, in.ops[at].number
		in.ops = append(in.ops[:at:at], in.ops[at+1])
	}
	return in, nil
}

func (f *File) decodeOperand(o operand.Op) (op, error) {
	switch o := o.(type) {
	case reg.Register:
		return decodeRegister(o)
	case operand.Mem:
		return f.decodeMemory(o)
	case operand.LabelRef:
		return op{kind: labelOp}, nil
	case operand.Constant:
		value, err := constantBits(o)
		return op{kind: immediateOp, value: value}, err
	}
	return op{}, fmt.Errorf("operand %s of unknown kind", o.Asm())
}

func decodeRegister(r reg.Register) (op, error) {
	p := reg.ToPhysical(r)
	if p == nil {
		return op{}, fmt.Errorf("register %s is not allocated", r.Asm())
	}
	kinds := map[reg.Kind]opKind{reg.KindGP: generalOp, reg.KindVector: vectorOp, reg.KindOpmask: maskOp}
	kind, ok := kinds[r.Kind()]
	if !ok || r.Mask() == uint16(reg.S8H) {
		return op{}, fmt.Errorf("register %s of unknown kind", r.Asm())
	}
	return op{kind: kind, number: int(p.PhysicalIndex()), bytes: int(r.Size())}, nil
}

func (f *File) decodeMemory(m operand.Mem) (op, error) {
	a := address{base: -1, index: -1, scale: uint64(m.Scale), offset: uint64(m.Disp)}
	var err error
	switch {
	case m.Base == nil:
	case m.Base == reg.FramePointer:
		a.offset += frameBase
	case m.Base == reg.StackPointer:
		a.base = int(stackPointer)
	case m.Base == reg.StaticBase:
		g := f.global(m.Symbol.Name)
		if g == nil {
			return op{}, fmt.Errorf("no data %s", m.Symbol)
		}
		a.offset += g.base
	default:
		a.base, err = generalNumber(m.Base)
	}
	if err == nil && m.Index != nil && m.Scale != 0 {
		a.index, err = generalNumber(m.Index)
	}
	return op{kind: memoryOp, mem: a}, err
}

func (f *File) global(name string) *region {
	for _, g := range f.globals {
		if g.name == name {
			return g
		}
	}
	return nil
}

func generalNumber(r reg.Register) (int, error) {
	o, err := decodeRegister(r)
	if err == nil && o.kind != generalOp {
		err = fmt.Errorf("address register %s is no general one", r.Asm())
	}
	return o.number, err
}

// constantBits is an immediate, sign-extended where it is signed.
func constantBits(c operand.Constant) (uint64, error) {
	switch c := c.(type) {
	case operand.U8:
		return uint64(c), nil
	case operand.I8:
		return uint64(c), nil
	case operand.U16:
		return uint64(c), nil
	case operand.I16:
		return uint64(c), nil
	case operand.U32:
		return uint64(c), nil
	case operand.I32:
		return uint64(c), nil
	case operand.U64:
		return uint64(c), nil
	case operand.I64:
		return uint64(c), nil
	}
	return 0, fmt.Errorf("constant %s of unknown type", c.Asm())
}
