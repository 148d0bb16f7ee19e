//go:build !(darwin || freebsd || windows)

package cpu

import "os"

func systemName() string { return modelName(cpuinfo()) }

func systemModel() string { return modelNumbers(cpuinfo()) }

func cpuinfo() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	return string(text)
}
