//go:build !linux && !darwin && !freebsd

package terminal

import (
	"errors"
	"os"
	"syscall"
)

// Ends are the signals that end a program, but interrupts.
var Ends = []os.Signal{syscall.SIGTERM}

// Raw fails here: the system has its own way to edit lines.
func Raw(*os.File) (restore func() error, err error) { return nil, errors.ErrUnsupported }

// Size is how much a terminal shows, which nobody asks for without Raw.
func Size(*os.File) (columns, rows int) { return usual(0, 0) }
