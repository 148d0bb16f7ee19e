//go:build !linux

package cpu

// OthersSeconds is not known here.
func OthersSeconds() (float64, bool) { return 0, false }
