//go:build !linux

package disktest

import "testing"

// Full reports whether an error is that of a disk without room.
func Full(error) bool { return false }

// Run is skipped here.
func Run(t *testing.T, _ int, _ func(t *testing.T, d *Disk)) { t.Skip(errNone) }
