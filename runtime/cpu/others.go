package cpu

import (
	"strconv"
	"strings"
)

// tick is the unit of times in /proc, in seconds: the same on every Linux.
const tick = 0.01

// others is the processor time, in seconds since the system was started, that
// was neither idle nor taken by this process and the children that it has
// waited for.
func (read files) others() (seconds float64, ok bool) {
	stat, _ := read("/proc/stat")
	own, _ := read("/proc/self/stat")
	first, _, _ := strings.Cut(stat, "\n")
	machine := strings.Fields(first)
	// The name, in brackets, may have brackets and spaces of its own.
	self := strings.Fields(own[strings.LastIndexByte(own, ')')+1:])
	if len(machine) < 9 || len(self) < 15 {
		return 0, false
	}
	busy := append(machine[1:4:4], machine[6:9]...) // user nice system, irq softirq steal
	return tick * (sum(busy) - sum(self[11:15])), true
}

// sum adds numbers up; what is none counts as 0.
func sum(fields []string) float64 {
	total := 0.0
	for _, field := range fields {
		n, _ := strconv.ParseInt(field, 10, 64)
		total += float64(n)
	}
	return total
}
