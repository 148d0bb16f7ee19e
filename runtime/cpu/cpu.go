// Package cpu says which features this machine's processor has, what it is
// called, how many cores and bytes the process may use and how much of them
// others take; it sees nothing of ours.
package cpu

import (
	"fmt"
	"maps"
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
	if name := strings.TrimSpace(systemName()); name != "" {
		return name
	}
	return runtime.GOARCH
}

// Model is the name, and what tells the processor from others of that name where
// the system says more: some have the name of a whole line of models.
func Model() string { return strings.TrimSpace(Name() + " " + systemModel()) }

// modelName finds the name in the text of Linux's cpuinfo.
func modelName(cpuinfo string) string { return field(cpuinfo, "model name") }

// modelKeys are what numbers a model in cpuinfo: those of x86, then those of Arm.
var modelKeys = []string{
	"cpu family", "model", "stepping",
	"CPU implementer", "CPU variant", "CPU part", "CPU revision",
}

// modelNumbers finds them in the text of Linux's cpuinfo.
func modelNumbers(cpuinfo string) string {
	var list []string
	for _, key := range modelKeys {
		if value := field(cpuinfo, key); value != "" {
			words := strings.Fields(key)
			list = append(list, words[len(words)-1], value)
		}
	}
	return strings.Join(list, " ")
}

// field is the first value of a key of Linux's cpuinfo.
func field(cpuinfo, wanted string) string {
	for line := range strings.Lines(cpuinfo) {
		key, value, _ := strings.Cut(line, ":")
		if value = strings.TrimSpace(value); strings.TrimSpace(key) == wanted && value != "" {
			return value
		}
	}
	return ""
}
