package cpu

import (
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestFlagsAreWhatHasSays(t *testing.T) {
	flags := Flags()
	if !slices.IsSorted(flags) {
		t.Errorf("flags %q are not sorted", flags)
	}
	for name := range features {
		if Has(name) != slices.Contains(flags, name) {
			t.Errorf("%s: Has says %v, Flags %q", name, Has(name), flags)
		}
	}
	if Has("no such feature") {
		t.Error("an unknown feature is present")
	}
}

// TestAgainstSystem compares with what Linux says of the same processor.
func TestAgainstSystem(t *testing.T) {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil || runtime.GOARCH != "amd64" {
		t.Skip("no /proc/cpuinfo for amd64 here")
	}
	linux := map[string]string{"avx512vnni": "avx512_vnni", "avx512bf16": "avx512_bf16"}
	words := strings.Fields(string(text))
	for name := range features {
		flag := name
		if alias := linux[name]; alias != "" {
			flag = alias
		}
		if got, want := Has(name), slices.Contains(words, flag); got != want {
			t.Errorf("%s: have %v, want %v", name, got, want)
		}
	}
}

func TestModelName(t *testing.T) {
	const text = "processor\t: 0\nmodel name\t: Example CPU 9000\n"
	if got := modelName(text); got != "Example CPU 9000" {
		t.Errorf("name %q", got)
	}
	if got := modelName("processor: 0\n"); got != "" {
		t.Errorf("name %q", got)
	}
}

// TestModelNumbers: two processors of one name are two.
func TestModelNumbers(t *testing.T) {
	for text, want := range map[string]string{
		"vendor_id\t: Example\ncpu family\t: 25\nmodel\t\t: 1\nmodel name\t: Example CPU\nstepping\t: 1\n":         "family 25 model 1 stepping 1",
		"cpu family\t: 25\nmodel\t\t: 17\nmodel name\t: Example CPU\nstepping\t: 1\n":                              "family 25 model 17 stepping 1",
		"CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x3\nCPU part\t: 0xd0c\nCPU revision\t: 1\n": "implementer 0x41 variant 0x3 part 0xd0c revision 1",
		"processor: 0\n": "",
	} {
		if got := modelNumbers(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestModelBeginsWithName(t *testing.T) {
	if !strings.HasPrefix(Model(), Name()) {
		t.Errorf("model %q of %q", Model(), Name())
	}
}

func TestPhysicalCores(t *testing.T) {
	if n := PhysicalCores(); n < 1 || n > runtime.NumCPU() {
		t.Errorf("%d physical cores of %d processors", n, runtime.NumCPU())
	}
}

func TestDistinctCores(t *testing.T) {
	read := fake(map[string]string{
		"/sys/devices/system/cpu/cpu0/topology/core_cpus_list":       "0,2\n",
		"/sys/devices/system/cpu/cpu1/topology/thread_siblings_list": "1,3\n",
		"/sys/devices/system/cpu/cpu2/topology/core_cpus_list":       "0,2\n",
	})
	if n := read.distinctCores([]int{0, 1, 2, 9}); n != 3 {
		t.Errorf("%d cores, want 3", n)
	}
}

func TestQuota(t *testing.T) {
	cases := map[string]struct {
		files map[string]string
		want  int
	}{
		"none":    {map[string]string{}, 0},
		"v2 max":  {map[string]string{"/proc/self/cgroup": "0::/a\n", "/sys/fs/cgroup/a/cpu.max": "max 100000\n"}, 0},
		"v2":      {map[string]string{"/proc/self/cgroup": "0::/a\n", "/sys/fs/cgroup/a/cpu.max": "350000 100000\n"}, 3},
		"v2 part": {map[string]string{"/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "50000 100000\n"}, 1},
		"v2 above": {map[string]string{
			"/proc/self/cgroup":          "0::/a/b\n",
			"/sys/fs/cgroup/a/cpu.max":   "200000 100000\n",
			"/sys/fs/cgroup/a/b/cpu.max": "400000 100000\n",
		}, 2},
		"v1": {map[string]string{
			"/proc/self/cgroup":                               "3:cpuset:/x\n2:cpu,cpuacct:/gone\n",
			"/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us":     "400000\n",
			"/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us":    "100000\n",
			"/sys/fs/cgroup/cpuset/x/cpu.cfs_quota_us":        "100000\n",
			"/sys/fs/cgroup/cpuset/x/cpu.cfs_period_us":       "100000\n",
			"/sys/fs/cgroup/cpu,cpuacct/gone/cpu.cfs_no_such": "1",
		}, 4},
		"v1 none": {map[string]string{
			"/proc/self/cgroup":                    "2:cpu:/\n",
			"/sys/fs/cgroup/cpu/cpu.cfs_quota_us":  "-1\n",
			"/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
		}, 0},
	}
	for name, c := range cases {
		if got := fake(c.files).quota(); got != c.want {
			t.Errorf("%s: quota %d, want %d", name, got, c.want)
		}
	}
}

func fake(m map[string]string) files {
	return func(path string) (string, bool) {
		text, ok := m[path]
		return text, ok
	}
}
