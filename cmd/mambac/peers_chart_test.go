package main

import "fmt"

// The measures of the bars, in pixels.
const (
	chartLeft  = 130 // where bars begin
	chartRight = 90  // room for the figure behind the longest
	barHeight  = 13
	pairHeight = 2*barHeight + 12
	titleSpace = 44
)

// Whose bars are which.
const ourColour, theirColour = "#1f6feb", "#9aa4b1"

// chartBar is one bar of the chart.
type chartBar struct {
	Y, Width, TextX, TextY float64
	Colour, Figure         string
}

type chartLabel struct {
	Y    float64
	Text string
}

// chartPanel is all bars of one kind of work.
type chartPanel struct {
	Y      float64
	Title  string
	Labels []chartLabel
	Bars   []chartBar
}

// barsTemplate is plain SVG: no library draws two sets of bars in fewer lines.
var barsTemplate = newChart(`{{template "head" .Head}}
{{- range .Panels}}
<text x="16" y="{{.Y}}" font-weight="bold">{{.Title}}</text>
{{- range .Labels}}
<text x="122" y="{{.Y}}" text-anchor="end">{{.Text}}</text>
{{- end}}
{{- range .Bars}}
<rect x="130" y="{{.Y}}" width="{{.Width}}" height="13" fill="{{.Colour}}"/><text x="{{.TextX}}" y="{{.TextY}}">{{.Figure}}</text>
{{- end}}
{{- end}}
</svg>
`)

// chart draws decode and prefill of the first model with one thread.
func (c *comparison) chart() string {
	m := &c.Models[0]
	y := 76.0
	var panels []chartPanel
	for _, p := range []struct{ title, key string }{
		{"decode, 1 thread", decodeKey(1)}, {fmt.Sprintf("prefill of %d, 1 thread", m.Prompt), prefillKey(1)},
	} {
		panel := m.panel(p.title, p.key, y)
		y += titleSpace + float64(len(panel.Labels)*pairHeight)
		panels = append(panels, panel)
	}
	return draw(barsTemplate, map[string]any{"Panels": panels, "Head": chartHead{
		Width: chartWidth, Height: y + 8, Title: m.Name + ": tokens per second", From: c.CPU,
		Legend: newLegend(ourColour, "mambac", theirColour, "llama.cpp"),
	}})
}

// panel draws the pairs of which both sides were measured, below y.
func (m *comparedModel) panel(title, key string, y float64) chartPanel {
	panel := chartPanel{Y: y + 26, Title: title}
	most := 0.0
	for _, s := range m.Subjects {
		most = max(most, s.of(key).Median)
	}
	y += titleSpace
	for _, p := range pairs {
		ours, theirs := m.find(p.ours).of(key).Median, m.find(p.theirs).of(key).Median
		if ours == 0 || theirs == 0 {
			continue
		}
		panel.Labels = append(panel.Labels, chartLabel{y + barHeight + 4, p.ours + " : " + p.theirs})
		panel.Bars = append(panel.Bars, newBar(y, ours/most, ours, ourColour), newBar(y+barHeight, theirs/most, theirs, theirColour))
		y += pairHeight
	}
	return panel
}

func newBar(y, share, figure float64, colour string) chartBar {
	const room = chartWidth - chartLeft - chartRight
	width := float64(int(share * room))
	return chartBar{Y: y, Width: width, TextX: chartLeft + width + 6, TextY: y + barHeight - 2, Colour: colour, Figure: fmt.Sprintf("%.1f", figure)}
}
