package app

import (
	"errors"
	"syscall"
)

// pipeErrors are what the system says of a pipe that nobody reads any more:
// ERROR_BROKEN_PIPE, ERROR_NO_DATA and ERROR_PIPE_NOT_CONNECTED.
var pipeErrors = []syscall.Errno{109, 232, 233}

// brokenPipe tells that nobody reads what we write any more.
func brokenPipe(err error) bool {
	for _, e := range pipeErrors {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
