package cpu

import (
	"path"
	"strings"
)

// group is a cgroup that the process is in, or one above it.
type group struct {
	folder string
	v2     bool
}

// groups lists the cgroups that may limit the process by a controller, each
// with those above it up to the root. An empty list of controllers is cgroup
// v2.
func (read files) groups(controller string) []group {
	text, _ := read("/proc/self/cgroup")
	var list []group
	for line := range strings.Lines(text) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) != 3 {
			continue
		}
		mount, v2 := "/sys/fs/cgroup", fields[1] == ""
		if !v2 {
			if !strings.Contains(","+fields[1]+",", ","+controller+",") {
				continue
			}
			mount += "/" + fields[1]
		}
		for name := path.Clean("/" + fields[2]); ; name = path.Dir(name) {
			list = append(list, group{path.Join(mount, name), v2})
			if name == "/" {
				break
			}
		}
	}
	return list
}
