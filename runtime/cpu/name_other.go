//go:build !(darwin || freebsd || windows)

package cpu

import "os"

func systemName() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	return modelName(string(text))
}
