package probe

import (
	"encoding/binary"
	"sync/atomic"
)

// sink keeps the compiler from dropping a loop whose result nobody needs.
var sink atomic.Uint64

// readGeneric reads 32 bytes a turn; len(b) is a multiple of that.
func readGeneric(b []byte) {
	var s0, s1, s2, s3 uint64
	for ; len(b) >= 32; b = b[32:] {
		s0 += binary.LittleEndian.Uint64(b)
		s1 += binary.LittleEndian.Uint64(b[8:])
		s2 += binary.LittleEndian.Uint64(b[16:])
		s3 += binary.LittleEndian.Uint64(b[24:])
	}
	sink.Store(s0 + s1 + s2 + s3)
}

var (
	genericFMA = arithmetic{fmaGeneric, 2 * 8}
	genericDot = arithmetic{dotGeneric, 2 * 8}
)

// fmaGeneric is eight independent chains of a product and a sum.
func fmaGeneric(loops int) {
	one := float32(1 + loops>>30)
	var s0, s1, s2, s3, s4, s5, s6, s7 float32
	for range loops {
		s0 = s0*one + one
		s1 = s1*one + one
		s2 = s2*one + one
		s3 = s3*one + one
		s4 = s4*one + one
		s5 = s5*one + one
		s6 = s6*one + one
		s7 = s7*one + one
	}
	sink.Store(uint64(s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7))
}

// dotGeneric is eight products of int8 a turn.
func dotGeneric(loops int) {
	var a, b [8]int8
	for i := range a {
		a[i], b[i] = int8(loops+i), int8(loops-i)
	}
	sum := 0
	for range loops {
		for i := range a {
			sum += int(a[i]) * int(b[i])
		}
		a[0]++
	}
	sink.Store(uint64(sum))
}
