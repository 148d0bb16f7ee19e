//go:build !purego

package probe

import "github.com/mambac/mambac/runtime/cpu"

// The loops of probe_amd64.s; what they do stands there.
//
//go:noescape
func readAVX2(b []byte)

//go:noescape
func readAVX512(b []byte)

func fmaAVX2(rounds int)
func fmaAVX512(rounds int)
func dotAVX2(rounds int)
func dotAVX512(rounds int)
func dotVNNI(rounds int)
func dotBF16(rounds int)

const chains = 12 // accumulators of the arithmetic loops; dotAVX2 and dotAVX512 have half

func readers() []func([]byte) {
	list := []func([]byte){}
	if cpu.Has("avx2") {
		list = append(list, readAVX2)
	}
	if cpu.Has("avx512f") {
		list = append(list, readAVX512)
	}
	if len(list) == 0 {
		return []func([]byte){readGeneric}
	}
	return list
}

func fma() arithmetic {
	switch {
	case cpu.Has("avx512f"):
		return arithmetic{fmaAVX512, 2 * 16 * chains}
	case cpu.Has("avx2") && cpu.Has("fma"):
		return arithmetic{fmaAVX2, 2 * 8 * chains}
	}
	return genericFMA
}

func dot() arithmetic {
	switch {
	case cpu.Has("avx512vnni"):
		return arithmetic{dotVNNI, 2 * 64 * chains}
	case cpu.Has("avx512bw"):
		return arithmetic{dotAVX512, 2 * 64 * chains / 2}
	case cpu.Has("avx2"):
		return arithmetic{dotAVX2, 2 * 32 * chains / 2}
	}
	return genericDot
}

func roundedDot() arithmetic {
	if cpu.Has("avx512bf16") {
		return arithmetic{dotBF16, 2 * 32 * chains}
	}
	return fma()
}
