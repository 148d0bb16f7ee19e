//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package atomicfile

import (
	"errors"
	"os"
	"syscall"
)

// hold locks a file until it is closed, if only by the end of its writer. Where a
// file system has no locks nobody gets the one that it takes to remove the file.
func hold(f *os.File) { _ = lock(f, syscall.LOCK_EX) }

// rename lets go of the file when it has its name.
func rename(f *os.File, path string) error {
	if err := move(f, path); err != nil {
		return err
	}
	return f.Close()
}

// removeAbandoned removes a file that nobody holds.
func removeAbandoned(path string) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return
	}
	defer f.Close()
	if lock(f, syscall.LOCK_EX|syscall.LOCK_NB) == nil && there(f) {
		os.Remove(path)
	}
}

func lock(f *os.File, how int) error {
	for {
		if err := syscall.Flock(int(f.Fd()), how); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
