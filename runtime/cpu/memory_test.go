package cpu

import "testing"

func TestFreeMemory(t *testing.T) {
	const mib = 1 << 20
	system := "MemTotal:  8192 kB\nMemAvailable:    4096 kB\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"unknown": {map[string]string{}, 0},
		"system":  {map[string]string{"/proc/meminfo": system}, 4 * mib},
		"v2 max": {map[string]string{"/proc/meminfo": system, "/proc/self/cgroup": "0::/a\n",
			"/sys/fs/cgroup/a/memory.max": "max\n", "/sys/fs/cgroup/a/memory.current": "1048576\n"}, 4 * mib},
		"v2 above": {map[string]string{"/proc/meminfo": system, "/proc/self/cgroup": "0::/a/b\n",
			"/sys/fs/cgroup/a/memory.max": "3145728\n", "/sys/fs/cgroup/a/memory.current": "1048576\n",
			"/sys/fs/cgroup/a/b/memory.max": "8388608\n", "/sys/fs/cgroup/a/b/memory.current": "1048576\n"}, 2 * mib},
		"v1 full": {map[string]string{"/proc/meminfo": system, "/proc/self/cgroup": "1:cpu:/x\n4:memory:/x\n",
			"/sys/fs/cgroup/memory/x/memory.limit_in_bytes": "1048576\n", "/sys/fs/cgroup/memory/x/memory.usage_in_bytes": "1048577\n"}, 0},
	} {
		if got := fake(c.files).freeMemory(); got != c.want {
			t.Errorf("%s: %d bytes, want %d", name, got, c.want)
		}
	}
}
