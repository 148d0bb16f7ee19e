//go:build !(linux || darwin || freebsd || windows)

package cpu

import "runtime"

func physicalCores() int { return runtime.NumCPU() }
