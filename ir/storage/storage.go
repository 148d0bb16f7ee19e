// Package storage holds the formats in which an artifact keeps its matrices,
// one file each: what becomes of a value, and how many bits it takes. It sees
// tensor.
package storage

import (
	"fmt"
	"slices"
	"strings"
)

// Format is one way to keep the values of a matrix.
type Format interface {
	// Name is how recipes, modules and payloads call it.
	Name() string
	// Bits is the size of an element in a long row, with its share of scales.
	Bits() float64
	// RowBits is the size of a row of some columns, without padding.
	RowBits(columns int) int
	// Round replaces a row by what the format keeps of it; it fails on values
	// that the format has no number for.
	Round(row []float32) error
	// Bound is how far Round may move any value of a row.
	Bound(row []float32) float64
}

var formats = map[string]Format{}

// register adds a format; called from init of the file that defines it.
func register(f Format) {
	if _, ok := formats[f.Name()]; ok {
		panic("BUG: storage format " + f.Name() + " is registered twice")
	}
	formats[f.Name()] = f
}

// Names lists the formats, those with most bits first.
func Names() []string {
	var names []string
	for name := range formats {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if c := formats[b].Bits() - formats[a].Bits(); c != 0 {
			return int(16 * c)
		}
		return strings.Compare(b, a)
	})
	return names
}

// Lookup finds a format by name.
func Lookup(name string) (Format, error) {
	if f, ok := formats[name]; ok {
		return f, nil
	}
	return nil, fmt.Errorf("unknown weight format %q; known are %s", name, strings.Join(Names(), ", "))
}

// LookupCoded finds a format that keeps codes and scales.
func LookupCoded(name string) (*Coded, bool) {
	c, ok := formats[name].(*Coded)
	return c, ok
}
