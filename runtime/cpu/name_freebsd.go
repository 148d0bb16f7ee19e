package cpu

import "syscall"

func systemName() string {
	name, _ := syscall.Sysctl("hw.model")
	return name
}
