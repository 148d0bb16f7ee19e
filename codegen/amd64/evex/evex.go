// Package evex encodes instructions of AVX-512 that neither avo nor Go's assembler
// knows. It sees avo only.
package evex

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// VDPBF16PS takes its operands in avo's order: pairs of bf16 in memory or in the
// first register times those of the second are added to the float32 of the third.
func VDPBF16PS(ops ...operand.Op) *ir.Instruction {
	return &ir.Instruction{
		Opcode: "VDPBF16PS", Operands: ops, Inputs: slices.Clone(ops), Outputs: slices.Clone(ops[2:]), ISA: []string{"AVX512BF16"},
	}
}

// Encode replaces those instructions of a compiled file by their bytes.
func Encode(file *ir.File) error {
	for _, f := range file.Functions() {
		for i, n := range f.Nodes {
			instruction, ok := n.(*ir.Instruction)
			if !ok || instruction.Opcode != "VDPBF16PS" {
				continue
			}
			code, err := encodeVDPBF16PS(instruction.Operands)
			if err != nil {
				return fmt.Errorf("%s: %w", f.Name, err)
			}
			f.Nodes[i] = &ir.Instruction{Opcode: data(code) + " // " + text(instruction)}
		}
	}
	return nil
}

// data is bytes as the assembler takes them.
func data(code []byte) string {
	parts := []string{fmt.Sprintf("LONG $%#08x", binary.LittleEndian.Uint32(code))}
	for _, b := range code[4:] {
		parts = append(parts, fmt.Sprintf("BYTE $%#02x", b))
	}
	return strings.Join(parts, "; ")
}

func text(i *ir.Instruction) string {
	var ops []string
	for _, o := range i.Operands {
		ops = append(ops, o.Asm())
	}
	return i.Opcode + " " + strings.Join(ops, ", ")
}

// encodeVDPBF16PS encodes EVEX.512.F3.0F38.W0 52 /r: operand 2 is the
// destination (ModRM.reg), 1 the first source (vvvv), 0 the second, a register
// or memory (ModRM.rm). The bits that extend register numbers are inverted.
func encodeVDPBF16PS(ops []operand.Op) ([]byte, error) {
	destination, source := number(ops[2]), number(ops[1])
	const map0F38, prefixF3, fixed, length512 = 2, 2, 1 << 2, 2 << 5
	extended, modRM, err := operandBytes(ops[0])
	if err != nil {
		return nil, err
	}
	inverted := func(n, bit, to byte) byte { return (^n >> bit & 1) << to }
	return append([]byte{
		0x62,
		inverted(destination, 3, 7) | extended | inverted(destination, 4, 4) | map0F38,
		(^source&15)<<3 | fixed | prefixF3,
		length512 | inverted(source, 4, 3),
		0x52,
		modRM[0] | destination&7<<3,
	}, modRM[1:]...), nil
}

// operandBytes encodes the operand of ModRM.rm: its bits X and B of the prefix,
// and ModRM without its register, SIB and displacement.
func operandBytes(o operand.Op) (extended byte, code []byte, err error) {
	const x, b, direct, disp8, disp32 = 1 << 6, 1 << 5, 3 << 6, 1 << 6, 2 << 6
	if r, ok := o.(reg.Register); ok {
		n := number(r)
		return (^n>>4&1)<<6 | (^n>>3&1)<<5, []byte{direct | n&7}, nil
	}
	m, ok := o.(operand.Mem)
	if !ok || m.Index != nil || m.Symbol.Name != "" || m.Base == nil {
		return 0, nil, fmt.Errorf("operand %s: want a register, or memory at a register", o.Asm())
	}
	base := number(m.Base)
	extended, code = x|(^base>>3&1)<<5, []byte{base & 7}
	if base&7 == 4 { // the number that announces a SIB: base alone
		code = append(code, 0x24)
	}
	switch {
	case m.Disp == 0 && base&7 != 5: // that number without displacement is no base
	case m.Disp%vectorBytes == 0 && m.Disp/vectorBytes == int(int8(m.Disp/vectorBytes)):
		code[0] |= disp8
		code = append(code, byte(m.Disp/vectorBytes))
	default:
		code[0] |= disp32
		code = binary.LittleEndian.AppendUint32(code, uint32(m.Disp))
	}
	return extended, code, nil
}

// vectorBytes is the unit of displacements of one byte.
const vectorBytes = 64

// number is that of a register.
func number(o operand.Op) byte { return byte(reg.ToPhysical(o.(reg.Register)).PhysicalIndex()) }
