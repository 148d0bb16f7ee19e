package cpu

import (
	"strconv"
	"strings"
)

// PhysicalCores is how many physical cores this process may use: those of its
// affinity mask, SMT siblings counted once, within its cgroup's quota; at
// least 1.
func PhysicalCores() int { return max(1, physicalCores()) }

// files reads small files of /proc and /sys; tests pass their own.
type files func(path string) (string, bool)

// distinctCores counts the cores that a list of logical processors lies on.
// Where the system does not tell, each is its own core.
func (read files) distinctCores(cpus []int) int {
	seen := map[string]bool{}
	for _, id := range cpus {
		seen[read.core(id)] = true
	}
	return len(seen)
}

// core names the core of a logical processor by the list of its siblings.
func (read files) core(id int) string {
	folder := "/sys/devices/system/cpu/cpu" + strconv.Itoa(id) + "/topology/"
	for _, name := range []string{"core_cpus_list", "thread_siblings_list"} {
		if text, ok := read(folder + name); ok {
			return strings.TrimSpace(text)
		}
	}
	return strconv.Itoa(id)
}

// quota is the smallest limit of the process's cgroups in whole cores, 0 when
// there is none. A part of a core is dropped: a worker that is throttled
// stalls all others at the next barrier.
func (read files) quota() int {
	limit := 0.0
	for _, g := range read.groups("cpu") {
		if g.v2 {
			limit = smaller(limit, read.limitV2(g.folder))
		} else {
			limit = smaller(limit, read.limitV1(g.folder))
		}
	}
	if limit == 0 {
		return 0
	}
	return max(1, int(limit))
}

func (read files) limitV2(folder string) float64 {
	text, _ := read(folder + "/cpu.max")
	quota, period, _ := strings.Cut(strings.TrimSpace(text), " ")
	return cores(quota, period)
}

func (read files) limitV1(folder string) float64 {
	quota, _ := read(folder + "/cpu.cfs_quota_us")
	period, _ := read(folder + "/cpu.cfs_period_us")
	return cores(strings.TrimSpace(quota), strings.TrimSpace(period))
}

// cores divides a quota by its period; "max", -1 and anything unreadable are
// no limit.
func cores(quota, period string) float64 {
	q, err := strconv.ParseFloat(quota, 64)
	p, err2 := strconv.ParseFloat(period, 64)
	if err != nil || err2 != nil || !(q > 0) || !(p > 0) {
		return 0
	}
	return q / p
}

// smaller is the smaller of two limits, 0 being none.
func smaller(a, b float64) float64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
