package main

import (
	"strings"
	"text/template"
)

// chartWidth is that of all charts, in pixels.
const chartWidth = 760

// chartHead is what all charts begin with: a title, the machine that figures
// are from, and what colours mean.
type chartHead struct {
	Width, Height float64
	Title, From   string
	Legend        []legendEntry
}

type legendEntry struct {
	X, TextX     int
	Colour, Text string
}

const headTemplate = `{{define "head"}}<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{.Width}} {{.Height}}" width="{{.Width}}" height="{{.Height}}" font-family="sans-serif" font-size="12">
<title>{{html .Title}}</title>
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="16" y="24" font-size="15" font-weight="bold">{{html .Title}}</text>
<text x="16" y="42" fill="#555555">{{html .From}}</text>
{{- range .Legend}}
<rect x="{{.X}}" y="54" width="12" height="12" fill="{{.Colour}}"/><text x="{{.TextX}}" y="64">{{html .Text}}</text>
{{- end}}
{{- end}}`

// newChart is a template that has the head.
func newChart(text string) *template.Template {
	return template.Must(template.Must(template.New("chart").Parse(headTemplate)).Parse(text))
}

// newLegend takes colours and what they mean, in turn.
func newLegend(entries ...string) []legendEntry {
	var list []legendEntry
	for x := 16; len(entries) > 0; entries = entries[2:] {
		list = append(list, legendEntry{x, x + 18, entries[0], entries[1]})
		x += 34 + 10*len(entries[1])
	}
	return list
}

func draw(t *template.Template, data any) string {
	var b strings.Builder
	if err := t.Execute(&b, data); err != nil {
		panic("BUG: " + err.Error())
	}
	return b.String()
}
