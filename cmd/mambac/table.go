package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/mambac/mambac/runtime/payload"
)

// table is lines of a name and a value, for reading.
type table struct{ b strings.Builder }

func (t *table) line(name, format string, args ...any) {
	fmt.Fprintf(&t.b, "%-22s %s\n", name, oneLine(fmt.Sprintf(format, args...)))
}

// choices adds a line for each flag that decided what no config says.
func (t *table) choices(list map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(list)) {
		t.line(name, "%s", list[name])
	}
}

// longest adds the bound of a text, if the model has one.
func (t *table) longest(l payload.Longest) {
	if l.Tokens > 0 {
		t.line("longest text", "%d tokens: %s", l.Tokens, l.Reason)
	}
}

// text adds a line as it is.
func (t *table) text(format string, args ...any) {
	t.b.WriteString(printable(fmt.Sprintf(format, args...)) + "\n")
}

func (t *table) print(w io.Writer) error {
	_, err := io.WriteString(w, t.b.String())
	return err
}
