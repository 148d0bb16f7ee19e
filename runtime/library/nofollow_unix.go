//go:build unix

package library

import (
	"fmt"
	"io/fs"
	"syscall"
)

// noFollow is for opening what must be a file: no link is followed, no pipe waited
// for.
const noFollow = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

// private refuses what others than its owner may read or change.
func private(path string, st fs.FileInfo, mode string) error {
	if perm := st.Mode().Perm(); perm&0o077 != 0 {
		return fmt.Errorf("%s: is open to others (mode %#o), and states tell of what was read; chmod %s %s", path, perm, mode, path)
	}
	return nil
}
