package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// The measures of the chart, in pixels: two plots beside each other.
const (
	plotWidth  = 290
	plotHeight = 200
	plotLeft   = 62 // for the figures of its axis
	plotTop    = 36 // for its title
	plotSpace  = plotHeight + 76
)

// plot is lines over the length of the text. Places are those of its axes.
type plot struct {
	X, Y           float64 // where the axes are
	Title          string
	XTicks, YTicks []plotTick
	Lines          []plotLine
}

type plotTick struct{ At, Text string }

type plotLine struct{ Colour, Points string }

var plotsTemplate = newChart(fmt.Sprintf(`{{template "head" .Head}}
{{- range .Plots}}
<g transform="translate({{.X}} {{.Y}})">
<text x="0" y="-12" font-weight="bold">{{.Title}}</text>
{{- range .YTicks}}
<path d="M0 {{.At}}h%[1]d" stroke="#dddddd"/><text x="-6" y="{{.At}}" dy="4" text-anchor="end">{{.Text}}</text>
{{- end}}
{{- range .XTicks}}
<path d="M{{.At}} 0v%[2]d" stroke="#eeeeee"/><text x="{{.At}}" y="%[2]d" dy="16" text-anchor="middle" font-size="10">{{.Text}}</text>
{{- end}}
{{- range .Lines}}
<polyline points="{{.Points}}" fill="none" stroke="{{.Colour}}" stroke-width="2"/>
{{- end}}
</g>
{{- end}}
</svg>
`, plotWidth, plotHeight))

// axis takes values to places on it.
type axis struct {
	min, max, length float64
	log              bool
}

func (a axis) at(v float64) float64 {
	low, high := a.min, a.max
	if a.log {
		v, low, high = math.Log(v), math.Log(low), math.Log(high)
	}
	return a.length * (v - low) / (high - low)
}

// pixels is a place with one decimal.
func pixels(v float64) string { return fmt.Sprint(math.Round(10*v) / 10) }

// chart draws speeds and memory by the length of the text, and the loss of the
// trained models by position.
func (c *curve) chart() string {
	var legend []string
	for _, kind := range c.kinds() {
		legend = append(legend, c.colour(kind), kind)
	}
	var plots []plot
	if len(c.Models) > 0 {
		plots = append(plots,
			c.plot("decode, tokens per second", func(p curvePoint) float64 { return p.Decode.Median }),
			c.plot("first token, seconds", func(p curvePoint) float64 { return p.FirstToken }),
			c.plot("state of the sequence, MiB", func(p curvePoint) float64 { return mebis(p.State) }))
	}
	if len(c.Trained) > 0 {
		plots = append(plots, c.losses())
	}
	const top = 76
	for i := range plots {
		plots[i].X, plots[i].Y = float64(i%2*chartWidth/2+plotLeft), float64(top+i/2*plotSpace+plotTop)
	}
	return draw(plotsTemplate, map[string]any{"Plots": plots, "Head": chartHead{
		Width: chartWidth, Height: float64(top + (len(plots)+1)/2*plotSpace), Title: "By the length of the text, in tokens", From: c.CPU,
		Legend: newLegend(legend...),
	}})
}

// kinds are all that figures are of.
func (c *curve) kinds() []string {
	var list []string
	for _, m := range c.Models {
		list = append(list, m.Kind)
	}
	for _, m := range c.Trained {
		if !slices.Contains(list, m.Kind) {
			list = append(list, m.Kind)
		}
	}
	return list
}

func (c *curve) colour(kind string) string {
	colours := []string{"#1f6feb", "#1a7f37", "#d4a72c", "#cf222e"}
	return colours[slices.Index(c.kinds(), kind)%len(colours)]
}

// plot draws a value of all models, both axes logarithmic.
func (c *curve) plot(title string, value func(p curvePoint) float64) plot {
	lengths := c.contexts()
	x := axis{float64(lengths[0]), float64(lengths[len(lengths)-1]), plotWidth, true}
	var all []float64
	for _, m := range c.Models {
		for _, p := range m.Points {
			all = append(all, value(p))
		}
	}
	y, ticks := decades(slices.Min(all), slices.Max(all))
	drawn := plot{Title: title, YTicks: ticks}
	for _, n := range lengths {
		drawn.XTicks = append(drawn.XTicks, plotTick{pixels(x.at(float64(n))), thousands(n)})
	}
	for _, m := range c.Models {
		var points []string
		for _, p := range m.Points {
			points = append(points, point(x.at(float64(p.Context)), y.at(value(p))))
		}
		drawn.Lines = append(drawn.Lines, plotLine{c.colour(m.Kind), strings.Join(points, " ")})
	}
	return drawn
}

// point is a place in a plot, whose axis y goes up.
func point(x, y float64) string { return pixels(x) + "," + pixels(plotHeight-y) }

// decades is a logarithmic axis that holds two values, with ticks at round
// numbers; at those between powers of ten as well where there is room.
func decades(low, high float64) (axis, []plotTick) {
	steps := []float64{1, 2, 5}
	if high/low > 500 {
		steps = steps[:1]
	}
	var round []float64
	for e := math.Floor(math.Log10(low)); e <= math.Ceil(math.Log10(high)); e++ {
		for _, s := range steps {
			round = append(round, s*math.Pow(10, e))
		}
	}
	for len(round) > 2 && round[1] <= low {
		round = round[1:]
	}
	for len(round) > 2 && round[len(round)-2] >= high {
		round = round[:len(round)-1]
	}
	return ticked(axis{round[0], round[len(round)-1], plotHeight, true}, round)
}

func ticked(a axis, values []float64) (axis, []plotTick) {
	var ticks []plotTick
	for _, v := range values {
		ticks = append(ticks, plotTick{pixels(plotHeight - a.at(v)), fmt.Sprint(v)})
	}
	return a, ticks
}

// losses draws the loss of the trained models, level over each bucket.
func (c *curve) losses() plot {
	buckets := c.Trained[0].Buckets
	x := axis{0, float64(buckets[len(buckets)-1].To), plotWidth, false}
	low, high := math.Inf(1), math.Inf(-1)
	for _, m := range c.Trained {
		for _, b := range m.Buckets {
			low, high = min(low, math.Floor(b.NLL)), max(high, math.Ceil(b.NLL))
		}
	}
	var round []float64
	for v := low; v <= high; v++ {
		round = append(round, v)
	}
	y, ticks := ticked(axis{low, high, plotHeight, false}, round)
	drawn := plot{Title: "loss of trained models by position, nats", YTicks: ticks, XTicks: []plotTick{{"0", "0"}}}
	for _, b := range buckets {
		drawn.XTicks = append(drawn.XTicks, plotTick{pixels(x.at(float64(b.To))), thousands(b.To)})
	}
	for _, m := range c.Trained {
		var points []string
		for _, b := range m.Buckets {
			points = append(points, point(x.at(float64(b.From)), y.at(b.NLL)), point(x.at(float64(b.To)), y.at(b.NLL)))
		}
		drawn.Lines = append(drawn.Lines, plotLine{c.colour(m.Kind), strings.Join(points, " ")})
	}
	return drawn
}
