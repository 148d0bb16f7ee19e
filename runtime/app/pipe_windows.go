package app

import "syscall"

// errPipe is the system's error of a pipe that nobody reads any more:
// ERROR_NO_DATA.
const errPipe = syscall.Errno(232)
