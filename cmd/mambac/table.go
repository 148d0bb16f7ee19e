package main

import (
	"fmt"
	"io"
	"strings"
)

// table is lines of a name and a value, for reading.
type table struct{ b strings.Builder }

func (t *table) line(name, format string, args ...any) {
	fmt.Fprintf(&t.b, "%-22s %s\n", name, oneLine(fmt.Sprintf(format, args...)))
}

// text adds a line as it is.
func (t *table) text(format string, args ...any) {
	t.b.WriteString(printable(fmt.Sprintf(format, args...)) + "\n")
}

func (t *table) print(w io.Writer) error {
	_, err := io.WriteString(w, t.b.String())
	return err
}
