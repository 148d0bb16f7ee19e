package arm64

import (
	"fmt"
	"strings"
)

// encodings are the instructions that Go's assembler has no name for, by
// mnemonic and kind of operands: the word with all registers zero, from the
// Arm Architecture Reference Manual (C7.2). A test disassembles every one.
var encodings = map[string]uint32{
	"FADD S4 S4 S4":   0x4e20d400,
	"FSUB S4 S4 S4":   0x4ea0d400,
	"FMUL S4 S4 S4":   0x6e20dc00,
	"FDIV S4 S4 S4":   0x6e20fc00,
	"FMAX S4 S4 S4":   0x4e20f400,
	"FMIN S4 S4 S4":   0x4ea0f400,
	"FABS S4 S4":      0x4ea0f800,
	"FNEG S4 S4":      0x6ea0f800,
	"FCVTL H4 S4":     0x0e217800,
	"FCVTL2 H8 S4":    0x4e217800,
	"FMLA lane S4 S4": 0x4f801000,
	"FMUL lane S4 S4": 0x4f809000,
}

// form is the instruction without its registers, as encodings has it.
func (i Instruction) form() string {
	form := i.mnemonic
	for _, o := range i.operands {
		switch o := o.(type) {
		case arranged:
			form += " " + string(o.as)
		case element:
			form += " lane"
		}
	}
	return form
}

// word is the encoding of an instruction that Go's assembler lacks; false for
// those that it has.
func (i Instruction) word() (uint32, bool) {
	word, ok := encodings[i.form()]
	if !ok {
		return 0, false
	}
	// Destination, first and second source lie in bits 0, 5 and 16.
	last := len(i.operands) - 1
	for at, o := range i.operands {
		position := []int{0, 5, 16}[last-at]
		switch o := o.(type) {
		case arranged:
			word |= uint32(o.vector) << position
		case element:
			word |= uint32(o.vector)<<position | uint32(o.lane&1)<<21 | uint32(o.lane>>1)<<11
		}
	}
	return word, true
}

// manual is the instruction in the notation of the manual, destination first.
func (i Instruction) manual() string {
	var names []string
	for _, o := range i.operands {
		name := o.String()
		if r, ok := o.(arranged); ok {
			name = fmt.Sprintf("%v.%s%s", r.vector, r.as[1:], r.as[:1])
		}
		names = append([]string{name}, names...)
	}
	return i.mnemonic + " " + strings.Join(names, ", ")
}
