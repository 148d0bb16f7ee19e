package cpu

import "syscall"

func systemName() string {
	name, _ := syscall.Sysctl("machdep.cpu.brand_string")
	return name
}
