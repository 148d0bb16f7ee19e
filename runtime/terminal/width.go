package terminal

import (
	"unicode"

	"golang.org/x/text/width"
)

// tab is as many columns as a tab takes here, wherever it stands.
const tab = 4

// columns is how many columns a character takes.
func columns(r rune) int {
	switch {
	case r == '\t':
		return tab
	case joins(r):
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// joins reports whether a character is drawn on the one before it.
func joins(r rune) bool {
	return r >= 0x300 && unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf)
}
