package heat

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// bars are the shades in a terminal.
var bars = []rune("▁▂▃▄▅▆▇█")

// WriteText writes the map for a terminal: a line for every token, in which each
// layer has a character.
func (m *Map) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Δ of %s by token (lines) and layer (columns): ▁ passed by, █ written into the state, each by its rank in the layer", strconv.Quote(m.Model))
	if n := m.without(); n > 0 {
		fmt.Fprintf(&b, "; · is one of %d layers without Δ", n)
	}
	b.WriteByte('\n')
	for t, token := range m.Tokens {
		for _, shades := range m.Shades {
			b.WriteRune(bar(shades, t))
		}
		fmt.Fprintf(&b, " %8.3g %s\n", m.mean(t), strconv.Quote(token))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func bar(shades []int, token int) rune {
	if shades == nil {
		return '·'
	}
	return bars[shades[token]*(len(bars)-1)/(Steps-1)]
}
