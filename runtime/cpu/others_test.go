package cpu

import "testing"

func TestOthers(t *testing.T) {
	const stat = "cpu  100 20 30 9000 500 4 6 40 0 0\ncpu0 1 2 3 4\n"
	const self = "7 (a) name) S 1 7 7 0 -1 4194560 1 2 3 4 11 22 33 44 20 0 1 0 5\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  float64
		ok    bool
	}{
		"unknown": {map[string]string{}, 0, false},
		"half":    {map[string]string{"/proc/stat": stat}, 0, false},
		"known":   {map[string]string{"/proc/stat": stat, "/proc/self/stat": self}, 0.9, true},
	} {
		if got, ok := fake(c.files).others(); ok != c.ok || got < c.want-1e-9 || got > c.want+1e-9 {
			t.Errorf("%s: %v seconds (%v), want %v", name, got, ok, c.want)
		}
	}
}
