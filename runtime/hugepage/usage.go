package hugepage

import (
	"slices"
	"strconv"
	"strings"
)

// usage is what a text of /proc/PID/smaps tells of a range of addresses.
type usage struct {
	resident, huge int64 // bytes
	file           bool  // all of it is mapped from a file
}

// hugeLines are the lines of smaps that count pages of 2 MiB.
var hugeLines = []string{"AnonHugePages", "FilePmdMapped", "ShmemPmdMapped"}

// parseUsage adds up the mappings that begin in [first, end) or around it.
func parseUsage(smaps string, first, end uintptr) usage {
	u := usage{file: true}
	inside := false
	for line := range strings.Lines(smaps) {
		fields := strings.Fields(line)
		if from, to, ok := header(fields); ok {
			inside = from < end && first < to
			u.file = u.file && (!inside || fields[4] != "0")
			continue
		}
		if !inside || len(fields) < 2 {
			continue
		}
		kib, _ := strconv.ParseInt(fields[1], 10, 64)
		switch name := strings.TrimSuffix(fields[0], ":"); {
		case name == "Rss":
			u.resident += kib << 10
		case slices.Contains(hugeLines, name):
			u.huge += kib << 10
		}
	}
	return u
}

// header reads the line that begins a mapping: range, permissions, offset,
// device, inode and perhaps a path.
func header(fields []string) (from, to uintptr, ok bool) {
	if len(fields) < 5 {
		return 0, 0, false
	}
	low, high, ok := strings.Cut(fields[0], "-")
	a, err := strconv.ParseUint(low, 16, 64)
	b, err2 := strconv.ParseUint(high, 16, 64)
	return uintptr(a), uintptr(b), ok && err == nil && err2 == nil
}
