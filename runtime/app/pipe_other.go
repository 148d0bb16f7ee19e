//go:build !windows

package app

import "syscall"

// errPipe is the system's error of a pipe that nobody reads any more.
const errPipe = syscall.EPIPE
