//go:build !purego

package probe

import "github.com/mambac/mambac/runtime/cpu"

// The loops of probe_arm64.s; what they do stands there.
//
//go:noescape
func readNEON(b []byte)

func fmaNEON(rounds int)

const chains = 24 // accumulators of fmaNEON

func readers() []func([]byte) {
	if cpu.Has("asimd") {
		return []func([]byte){readNEON}
	}
	return []func([]byte){readGeneric}
}

func fma() arithmetic {
	if cpu.Has("asimd") {
		return arithmetic{fmaNEON, 2 * 4 * chains}
	}
	return genericFMA
}

func dot() arithmetic { return genericDot }

func roundedDot() arithmetic { return fma() }
