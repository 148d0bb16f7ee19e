package heat

import (
	_ "embed"
	"fmt"
	"html"
	"io"
	"strconv"
	"strings"
	"unicode"
)

// Style is the style sheet of heat maps, which the page of a server has too.
//
//go:embed heat.css
var Style string

// file is what surrounds the map in a file of its own. It loads nothing and runs
// nothing, whatever the text says.
const file = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>What %[1]s chose to remember</title>
<style>
%[2]sbody { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif }
main { max-width: 60rem; margin: 0 auto; padding: 1rem }
h1 { font-size: 1.4rem; line-height: 1.25; margin: .5rem 0; overflow-wrap: anywhere }
</style>
<main>
<h1>What %[1]s chose to remember</h1>
%[3]s</main>
`

// WriteHTML writes a file that shows the map by itself.
func (m *Map) WriteHTML(w io.Writer) error {
	var b strings.Builder
	m.explain(&b)
	m.text(&b)
	m.table(&b)
	_, err := fmt.Fprintf(w, file, escape(m.Model), Style, b.String())
	return err
}

// explain is the legend.
func (m *Map) explain(b *strings.Builder) {
	b.WriteString("<p>Every layer decides, token by token, how much of it to write into its state: by its step Δ. " +
		"A shade is the rank of a token’s Δ among all tokens of the same layer.</p>\n" +
		"<p class=\"legend\"><span>small: passed by</span><span class=\"scale\">")
	for i := range Steps {
		fmt.Fprintf(b, `<i class="s%d"></i>`, i)
	}
	b.WriteString("</span><span>large: written into the state</span></p>\n")
	if n := m.without(); n > 0 {
		fmt.Fprintf(b, "<p>%d of %d layers have no Δ, attention among them: they keep every token or none.</p>\n", n, len(m.Layers))
	}
}

// without counts the layers that have no Δ.
func (m *Map) without() int {
	n := 0
	for _, row := range m.Delta {
		if row == nil {
			n++
		}
	}
	return n
}

// text is the text, shaded by the mean over the layers.
func (m *Map) text(b *strings.Builder) {
	b.WriteString("<p class=\"heated\">")
	for i, token := range m.Tokens {
		fmt.Fprintf(b, `<span class="%s">%s</span>`, class(m.Overall, i), escape(marked(token)))
	}
	b.WriteString("</p>\n")
}

// label is a token in one line, of which one sees something.
func label(text string) string {
	if strings.TrimSpace(text) == "" {
		text = strings.ReplaceAll(text, " ", "␣")
	}
	return strings.NewReplacer("\n", "↵", "\t", "⇥").Replace(text)
}

// class is that of a token's shade.
func class(shades []int, token int) string {
	if shades == nil {
		return "none"
	}
	return "s" + strconv.Itoa(shades[token])
}

// marked shows where lines end.
func marked(text string) string { return strings.ReplaceAll(text, "\n", "↵\n") }

// table has a row for every token, so that a phone can scroll through it, and a
// column for every layer.
func (m *Map) table(b *strings.Builder) {
	b.WriteString("<table class=\"layers\">\n<caption>Layers, the first on the left; a token a row.</caption>\n<thead><tr><th>layer</th>")
	for i := 0; i < len(m.Layers); i += columns(len(m.Layers)) {
		fmt.Fprintf(b, `<th colspan="%d">%d</th>`, min(columns(len(m.Layers)), len(m.Layers)-i), i)
	}
	b.WriteString("</tr></thead>\n<tbody>\n")
	for t, token := range m.Tokens {
		fmt.Fprintf(b, `<tr title="%d: Δ %s"><th>%s</th>`, t, strconv.FormatFloat(m.mean(t), 'g', 3, 64), escape(label(token)))
		for _, shades := range m.Shades {
			b.WriteString("<td class=" + class(shades, t) + ">")
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</tbody></table>\n")
}

// columns is how many layers stand under one number.
func columns(layers int) int {
	if layers <= 12 {
		return 1
	}
	return (layers + 7) / 8
}

// mean is Δ of a token over the layers.
func (m *Map) mean(token int) float64 {
	sum := 0.0
	for _, row := range m.Delta {
		if row != nil {
			sum += float64(row[token])
		}
	}
	return sum / float64(max(len(m.Delta)-m.without(), 1))
}

// escape makes text of a model text of HTML. Controls become their pictures.
func escape(text string) string {
	return html.EscapeString(strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r < ' ':
			return r + '␀'
		case unicode.IsControl(r):
			return unicode.ReplacementChar
		}
		return r
	}, text))
}
