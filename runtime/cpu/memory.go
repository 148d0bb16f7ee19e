package cpu

import (
	"strconv"
	"strings"
)

// freeMemory is how many bytes the process may take without anything being
// swapped out or killed: what the system has available, within the limits of
// its cgroups; 0 where nothing tells.
func (read files) freeMemory() int64 {
	free := read.available()
	for _, g := range read.groups("memory") {
		limit, used := "/memory.limit_in_bytes", "/memory.usage_in_bytes"
		if g.v2 {
			limit, used = "/memory.max", "/memory.current"
		}
		most, limited := read.number(g.folder + limit) // "max" is none
		if now, ok := read.number(g.folder + used); limited && ok {
			free = min(free, max(0, most-now))
		}
	}
	return free
}

// available is what the system would give to a new program.
func (read files) available() int64 {
	text, _ := read("/proc/meminfo")
	for line := range strings.Lines(text) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "MemAvailable:" {
			kib, _ := strconv.ParseInt(fields[1], 10, 64)
			return kib << 10
		}
	}
	return 0
}

func (read files) number(path string) (int64, bool) {
	text, _ := read(path)
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	return n, err == nil
}
