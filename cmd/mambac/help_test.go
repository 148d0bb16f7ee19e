package main

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestHelpWidth: what --help prints fits a terminal of 80 columns.
func TestHelpWidth(t *testing.T) {
	var out bytes.Buffer
	root := newRoot(&console{out: &out, err: &out})
	for _, name := range append(commandNames(root), "") {
		out.Reset()
		root.SetArgs([]string{name, "--help"})
		if name == "" {
			root.SetArgs([]string{"--help"})
		}
		if err := root.Execute(); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), "\nUsage:\n") {
			t.Errorf("mambac %s --help prints no usage:\n%s", name, out.String())
		}
		for line := range strings.Lines(out.String()) {
			if utf8.RuneCountInString(strings.TrimSuffix(line, "\n")) > 80 {
				t.Errorf("mambac %s --help: more than 80 columns: %s", name, line)
			}
		}
	}
}
