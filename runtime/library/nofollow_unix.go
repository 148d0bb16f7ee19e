//go:build unix

package library

import "syscall"

// noFollow is for opening what must be a file: no link is followed, no pipe waited
// for.
const noFollow = syscall.O_NOFOLLOW | syscall.O_NONBLOCK
