// Package cpu says which features this machine's processor has, what it is
// called and how many cores the process may use; it sees nothing of ours.
package cpu

import (
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
)

var features = map[string]bool{}

// register is called from init of the file that defines a feature.
func register(name string, present bool) {
	if _, ok := features[name]; ok {
		panic(fmt.Sprintf("BUG: feature %s is registered twice", name))
	}
	features[name] = present
}

// Has reports whether processor and operating system support a feature; a
// name that this platform does not know is absent.
func Has(feature string) bool { return features[feature] }

// Flags lists the features that are present, sorted.
func Flags() []string {
	list := []string{}
	for _, name := range slices.Sorted(maps.Keys(features)) {
		if features[name] {
			list = append(list, name)
		}
	}
	return list
}

// Name is what the processor calls itself, or the architecture where nothing
// tells.
func Name() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	return modelName(string(text), runtime.GOARCH)
}

func modelName(cpuinfo, unknown string) string {
	for line := range strings.Lines(cpuinfo) {
		key, value, _ := strings.Cut(line, ":")
		if value = strings.TrimSpace(value); strings.TrimSpace(key) == "model name" && value != "" {
			return value
		}
	}
	return unknown
}
