//go:build !windows

package app

import (
	"errors"
	"syscall"
)

// brokenPipe tells that nobody reads what we write any more.
func brokenPipe(err error) bool { return errors.Is(err, syscall.EPIPE) }
