//go:build (!amd64 && !arm64) || purego

package probe

func readers() []func([]byte) { return []func([]byte){readGeneric} }
func fma() arithmetic         { return genericFMA }
func dot() arithmetic         { return genericDot }
func roundedDot() arithmetic  { return genericFMA }
