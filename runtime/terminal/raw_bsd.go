//go:build darwin || freebsd

package terminal

import "syscall"

const (
	getTermios = syscall.TIOCGETA
	setTermios = syscall.TIOCSETA
	disabled   = 0xff // instead of a key
)
