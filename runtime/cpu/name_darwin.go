package cpu

import "syscall"

func systemName() string {
	name, _ := syscall.Sysctl("machdep.cpu.brand_string")
	return name
}

// systemModel has nothing to add: the name is that of one model.
func systemModel() string { return "" }
