package interp

import (
	"errors"
	"math/bits"
)

var errNotImplemented = errors.New("this form is not implemented")

func init() {
	for names, f := range map[string]func(a, b uint32) uint32{
		"AND":  func(a, b uint32) uint32 { return a & b },
		"ANDN": func(a, b uint32) uint32 { return ^a & b },
		"OR":   func(a, b uint32) uint32 { return a | b },
		"XOR":  func(a, b uint32) uint32 { return a ^ b },
	} {
		register(4, lanes2(f), "V"+names+"PS", "VP"+names, "VP"+names+"D")
		register(8, lanes2(f), "V"+names+"PD", "VP"+names+"Q")
	}
	register(4, lanes2(func(a, b uint32) uint32 { return a + b }), "VPADDD")
	register(4, lanes2(func(a, b uint32) uint32 { return a - b }), "VPSUBD")
	register(4, lanes2(func(a, b uint32) uint32 { return a * b }), "VPMULLD")
	register(4, lanes2(func(a, b uint32) uint32 { return uint32(max(int32(a), int32(b))) }), "VPMAXSD")
	register(4, lanes2(func(a, b uint32) uint32 { return uint32(min(int32(a), int32(b))) }), "VPMINSD")
	register(4, shiftLanes(func(v uint32, by uint64) uint32 { return v << by }), "VPSLLD")
	register(4, shiftLanes(func(v uint32, by uint64) uint32 { return v >> by }), "VPSRLD")
	register(4, shiftLanes(func(v uint32, by uint64) uint32 { return uint32(int32(v) >> by) }), "VPSRAD")
	register(2, shiftLanes(func(v uint32, by uint64) uint32 {
		low, high := uint16(v)<<by, uint16(v>>16)<<by
		return uint32(low) | uint32(high)<<16
	}), "VPSLLW")
	register(2, shiftLanes(func(v uint32, by uint64) uint32 {
		low, high := uint16(int16(v)>>by), uint16(int16(v>>16)>>by)
		return uint32(low) | uint32(high)<<16
	}), "VPSRAW")
	register(4, ternary, "VPTERNLOGD")
	register(4, lanes1(func(v uint32) uint32 { return uint32(bits.LeadingZeros32(v)) }), "VPLZCNTD")
}

// shiftLanes shifts all lanes by a constant or by the low quadword of an XMM
// register or of memory.
func shiftLanes(f func(v uint32, by uint64) uint32) handler {
	return func(s *state, in *instruction) error {
		by := in.ops[0].value
		if in.ops[0].kind != immediateOp {
			if in.ops[0].kind != vectorOp {
				return errNotImplemented
			}
			by = s.vectors[in.ops[0].number].quad(0)
		}
		n := in.destination().lanes()
		v, err := s.readVector(in, &in.ops[1], n)
		if err != nil {
			return err
		}
		for i := range n {
			v[i] = f(v[i], by)
		}
		return s.writeVector(in, v)
	}
}

// ternary looks up each bit of the result in the constant, by the bits of
// destination, second and third operand.
func ternary(s *state, in *instruction) error {
	n := in.destination().lanes()
	third, err := s.readVector(in, &in.ops[1], n)
	if err != nil {
		return err
	}
	second, first := s.vectors[in.ops[2].number], s.vectors[in.ops[3].number]
	table := in.ops[0].value
	var v vector
	for i := range n {
		for bit := range 32 {
			at := first[i]>>bit&1<<2 | second[i]>>bit&1<<1 | third[i]>>bit&1
			v[i] |= uint32(table>>at&1) << bit
		}
	}
	return s.writeVector(in, v)
}
