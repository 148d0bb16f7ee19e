//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package app

import "os"

func residentBytes(*os.ProcessState) int64 { return 0 }

func ownResidentBytes() int64 { return 0 }
