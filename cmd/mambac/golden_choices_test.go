package main

import (
	"path/filepath"
	"strings"

	"github.com/mambac/mambac/importer"
)

// goldenChoices is what a golden was made with and no config says: those of
// Mamba-3 with several ranks turn neighbours (families.md §4).
func goldenChoices(folder string) importer.Options {
	if strings.HasPrefix(filepath.Base(folder), "mamba3-mimo") {
		return importer.Options{"mimo-rotary": "interleaved"}
	}
	return nil
}

// choiceFlags is the same as arguments of a command.
func choiceFlags(choices importer.Options) []string {
	var flags []string
	for name, value := range choices {
		flags = append(flags, "--"+name, value)
	}
	return flags
}
