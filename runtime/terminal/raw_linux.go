package terminal

import "syscall"

const (
	getTermios = syscall.TCGETS
	setTermios = syscall.TCSETS
	disabled   = 0 // instead of a key
)
