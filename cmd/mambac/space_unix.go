//go:build linux || darwin || freebsd

package main

import "golang.org/x/sys/unix"

// freeSpace is what an ordinary user may still write on the disk of a folder;
// ok is false where nothing tells.
func freeSpace(folder string) (bytes int64, ok bool) {
	var st unix.Statfs_t
	if err := unix.Statfs(folder, &st); err != nil {
		return 0, false
	}
	return int64(st.Bavail) * int64(st.Bsize), true
}
