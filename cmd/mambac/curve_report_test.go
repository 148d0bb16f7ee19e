package main

import (
	"fmt"
	"strings"
	"testing"
)

// contextMarks are around the summary in the README.
var contextMarks = marks{"<!-- context: made by make context-curve -->\n", "<!-- end of context -->\n"}

// markdown is the whole document of a curve.
func (c *curve) markdown() string {
	var b strings.Builder
	b.WriteString("# Speed and memory by the length of the text\n\n<!-- Made by make context-curve; DO NOT EDIT. -->\n\n![Decode, first token, memory and loss by length](context.svg)\n")
	if len(c.Models) > 0 {
		c.writeMeans(&b)
		c.writeSizes(&b)
		c.writeTable(&b, "Decode, tokens per second", func(p *curvePoint) string { return p.marked(spreadOf(p.Decode, "%.1f")) })
		c.writeTable(&b, "First token, seconds", func(p *curvePoint) string { return p.marked(fmt.Sprintf("%.2f", p.FirstToken)) })
		c.writeTable(&b, "State of the sequence, MiB", func(p *curvePoint) string { return fmt.Sprintf("%.1f", mebis(p.State)) })
		c.writeTable(&b, "Highest resident memory of the program until then, MiB", func(p *curvePoint) string { return mebibytes(float64(p.Highest)) })
	}
	c.writeTrained(&b)
	writeNotes(&b, c.Notes)
	return b.String()
}

func mebis(n int64) float64 { return float64(n) / (1 << 20) }

// writeMeans says how the figures came about.
func (c *curve) writeMeans(b *strings.Builder) {
	cache := "as built by default"
	if c.Cache != "" {
		cache = "in " + c.Cache
	}
	fmt.Fprintf(b, `
%s, %d cores, with %s; %s. Programs run level %s with %s;
weights in %s, %s math, keys and values %s.

Four models of about the same size, with random weights, built by the same compiler.
Each program reads one text as far as the longest length and decodes on the way: a
figure of decoding is the median of %s of %d tokens, with the least and
the greatest in brackets. The first token takes all of the text and one step. A length
during which other processes kept more than a tenth of a processor busy was measured
again; of %d figures %d stayed disturbed and carry a mark (†). The same as numbers:
[context.csv](context.csv).

`, c.CPU, c.Cores, c.Flags, c.System, c.Level, count(c.Threads, "thread"), c.Weights, c.Math, cache, count(c.Repeats, "sample"), c.Gen, c.Samples, c.Disturbed)
}

func (c *curve) writeSizes(b *strings.Builder) {
	writeRow(b, "model", "", "parameters, millions", "layers", "with attention", "heads of keys and values", "weights, MiB", "fixed state, KiB", "cache, bytes per token")
	writeRule(b, 9)
	for _, m := range c.Models {
		heads := "–"
		if m.Attention > 0 {
			heads = fmt.Sprint(m.Heads)
		}
		writeRow(b, m.Name, m.Kind, fmt.Sprintf("%.1f", float64(m.Parameters)/1e6), fmt.Sprint(m.Layers), fmt.Sprint(m.Attention), heads,
			fmt.Sprintf("%.1f", mebis(m.Weights)), fmt.Sprintf("%.0f", float64(m.FixedBytes)/1024), fmt.Sprint(m.TokenBytes))
	}
}

// writeTable is a line for each model and a column for each length.
func (c *curve) writeTable(b *strings.Builder, title string, cell func(p *curvePoint) string) {
	fmt.Fprintf(b, "\n## %s\n\n", title)
	head := []string{""}
	for _, n := range c.contexts() {
		head = append(head, thousands(n))
	}
	writeRow(b, head...)
	writeRule(b, len(head))
	for i := range c.Models {
		m := &c.Models[i]
		cells := []string{m.Kind}
		for _, n := range c.contexts() {
			cells = append(cells, m.cell(n, cell))
		}
		writeRow(b, cells...)
	}
}

func (m *curveModel) cell(context int, text func(p *curvePoint) string) string {
	p := m.at(context)
	if p == nil {
		return "–"
	}
	return text(p)
}

func (p *curvePoint) disturbed() bool { return p.Others >= disturbed }

// marked is the text of a speed, with a mark if others disturbed it.
func (p *curvePoint) marked(speed string) string {
	if p.disturbed() {
		return speed + " †"
	}
	return speed
}

// thousands is a number with commas.
func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}

func (c *curve) writeTrained(b *strings.Builder) {
	if len(c.Trained) == 0 {
		return
	}
	b.WriteString(`
## Loss by position

Models of about five million parameters, trained for this project on the same Go source at
a length of 512, on single files that they have not seen: mean negative log-likelihood in
nats per token, by the position in the text, measured by built programs with the weights as
they are stored. The last column is the largest difference to what the reference
implementation finds in any of its ranges of positions.

`)
	head := []string{"model", ""}
	for _, k := range c.Trained[0].Buckets {
		head = append(head, fmt.Sprintf("%s–%s", thousands(k.From), thousands(k.To-1)))
	}
	writeRow(b, append(head, "difference")...)
	writeRule(b, len(head)+1)
	for _, m := range c.Trained {
		cells := []string{m.Name, m.Kind}
		for _, k := range m.Buckets {
			cells = append(cells, fmt.Sprintf("%.4f", k.NLL))
		}
		writeRow(b, append(cells, fmt.Sprintf("%.5f", m.Largest))...)
	}
}

// csv has a line for each model and length.
func (c *curve) csv() string {
	var b strings.Builder
	b.WriteString("model,kind,parameters,attention_layers,threads,context,decode_tokens_s_min,decode_tokens_s_median,decode_tokens_s_max,first_token_s,state_bytes,highest_bytes,others_cpu\n")
	for _, m := range c.Models {
		for _, p := range m.Points {
			fmt.Fprintf(&b, "%s,%s,%d,%d,%d,%d,%.3f,%.3f,%.3f,%.4f,%d,%d,%.3f\n", m.Name, m.Kind, m.Parameters, m.Attention, c.Threads, p.Context,
				p.Decode.Min, p.Decode.Median, p.Decode.Max, p.FirstToken, p.State, p.Highest, p.Others)
		}
	}
	return b.String()
}

// summary is what the README shows: the chart, and what the longest text costs
// against the shortest.
func (c *curve) summary() string {
	var b strings.Builder
	lengths := c.contexts()
	short, long := lengths[0], lengths[len(lengths)-1]
	fmt.Fprintf(&b, "Four models of about the same size with weights in %s, built by the same compiler, with %s\non %s; [all figures](docs/context.md).\n\n", c.Weights, count(c.Threads, "thread"), c.CPU)
	fmt.Fprint(&b, "![Decode, first token, memory and loss by the length of the text](docs/context.svg)\n\n")
	writeRow(&b, "", "decode after "+thousands(short), "after "+thousands(long), "of that", "state after "+thousands(short), "after "+thousands(long))
	writeRule(&b, 6)
	for i := range c.Models {
		m := &c.Models[i]
		first, last := m.at(short), m.at(long)
		if first == nil || last == nil {
			continue
		}
		speed := func(p *curvePoint) string { return p.marked(fmt.Sprintf("%.1f", p.Decode.Median)) }
		state := func(p *curvePoint) string { return fmt.Sprintf("%.1f MiB", mebis(p.State)) }
		writeRow(&b, m.Kind, m.cell(short, speed), m.cell(long, speed), fmt.Sprintf("%.0f %%", 100*last.Decode.Median/first.Decode.Median), state(first), state(last))
	}
	return b.String()
}

// TestCurveReport renders an invented curve.
func TestCurveReport(t *testing.T) {
	c := inventedCurve()
	requireRendered(t, "curve", map[string]string{"context.md": c.markdown(), "context.svg": c.chart(), "context.csv": c.csv(), "summary.md": c.summary()})
}

// inventedCurve has round figures that nobody has measured: one model that
// stays as it is and one that does not.
func inventedCurve() *curve {
	c := &curve{
		machine: inventedMachine, Weights: "int8", Level: "v3", Math: "fast", Threads: 2, Gen: 32, Repeats: 5, Samples: 6, Disturbed: 1,
		Models: []curveModel{
			{Name: "even", Kind: "Mamba", Parameters: 129135360, Layers: 24, FixedBytes: 2801664, Weights: 130 << 20},
			{Name: "steep", Kind: "transformer", Parameters: 128877312, Layers: 12, Attention: 12, Heads: 3, TokenBytes: 18432, Weights: 128 << 20},
		},
		Trained: []trainedModel{
			{"go-even", "Mamba", []positionBucket{{0, 512, 1.9, 512}, {512, 1024, 1.8, 512}, {1024, 2048, 1.75, 1024}}, 0.00004},
			{"go-steep", "transformer", []positionBucket{{0, 512, 1.7, 512}, {512, 1024, 4.1, 512}, {1024, 2048, 4.9, 1024}}, 0.00003},
		},
		Notes: []string{"go-other: there is no such model"},
	}
	for _, n := range []int{512, 4096, 65536} {
		even := curvePoint{n, quantity{98, 100, 101}, float64(n) / 1000, 2801664, 200 << 20, 0.01}
		steep := curvePoint{n, quantity{90000 / float64(n), 100000 / float64(n), 101000 / float64(n)}, float64(n*n) / 1e6, 18432 * int64(n), 200<<20 + 18432*int64(n), 0}
		if n == 4096 {
			steep.Others = 0.5
		}
		c.Models[0].Points = append(c.Models[0].Points, even)
		c.Models[1].Points = append(c.Models[1].Points, steep)
	}
	return c
}

// TestOver: buckets of one measurement make up those of another.
func TestOver(t *testing.T) {
	buckets := []positionBucket{{0, 4, 1, 8}, {4, 8, 2, 8}, {8, 16, 4, 16}}
	for _, c := range []struct {
		from, to int
		want     float64
		ok       bool
	}{{0, 4, 1, true}, {0, 8, 1.5, true}, {4, 16, 10. / 3, true}, {0, 6, 1, false}, {16, 32, 0, false}} {
		got, ok := over(buckets, c.from, c.to)
		if ok != c.ok || ok && (got < c.want-1e-12 || got > c.want+1e-12) {
			t.Errorf("[%d, %d): %v (%v), want %v (%v)", c.from, c.to, got, ok, c.want, c.ok)
		}
	}
}
