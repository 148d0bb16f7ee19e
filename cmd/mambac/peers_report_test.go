package main

import (
	"fmt"
	"strings"
	"testing"
)

// markdown is the whole document of a comparison.
func (c *comparison) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, `# mambac and llama.cpp on one machine

<!-- Made by make bench-peers; DO NOT EDIT. -->

![Tokens per second of both](peers.svg)

%s, %d cores, with %s; our programs run level %s.
%s. %s.

Both have the same weights and threads, prompts of the same length, and a warm page
cache. Decoding goes on from the prompt here and from an empty state in llama-bench.
They take turns, and a figure is the median of all rounds with the least and the
greatest in brackets. A sample during which other processes kept more than a tenth of
a processor busy was taken again. Both warm up before a speed is measured; the first
token is that of llama-completion without a warm-up, which is faster.

`, c.CPU, c.Cores, c.Flags, c.Level, c.System, c.Llama)
	c.writeLimits(&b)
	for i := range c.Models {
		c.writeModel(&b, &c.Models[i])
	}
	c.writeQuality(&b)
	c.writeVerdicts(&b)
	writeNotes(&b, c.Notes)
	return b.String()
}

func (c *comparison) writeLimits(b *strings.Builder) {
	if len(c.Limits) == 0 {
		return
	}
	b.WriteString("| limits of this machine | read GB/s | f32 Gflop/s | int8 Gop/s |\n|---|---|---|---|\n")
	for _, l := range c.Limits {
		fmt.Fprintf(b, "| %s | %.1f | %.0f | %.0f |\n", count(l.Threads, "thread"), l.Read, l.FMA, l.Dot)
	}
}

// threads are the numbers of threads of the limits, which are those of all.
func (c *comparison) threads() []int {
	var list []int
	for _, l := range c.Limits {
		list = append(list, l.Threads)
	}
	return list
}

func (c *comparison) writeModel(b *strings.Builder, m *comparedModel) {
	fmt.Fprintf(b, "\n## %s\n\n%.1f million parameters, random weights; %s on %s, of whose\n%d samples %d stayed disturbed. Tokens per second; in italics the share of the read\nlimit, or of the peak of the arithmetic that is used.\n\n",
		m.Name, float64(m.Parameters)/1e6, count(m.Rounds, "round"), m.Day, m.Samples, m.Disturbed)
	if m.Context > 0 {
		fmt.Fprintf(b, "Decode after %d is of one sequence that has read as many tokens; both\nkeep keys and values in f16.\n\n", m.Context)
	}
	columns := m.columns()
	head := []string{"", "weights"}
	for _, column := range columns {
		for _, t := range c.threads() {
			head = append(head, column.title+", "+count(t, "thread"))
		}
	}
	writeRow(b, append(head, "first token, ms", "resident, MiB", "file, MiB")...)
	writeRule(b, len(head)+3)
	for _, s := range m.Subjects {
		cells := []string{s.side(), s.Format}
		for _, column := range columns {
			for _, t := range c.threads() {
				cells = append(cells, s.cell(column.key(t), column.share(t)))
			}
		}
		first, resident := s.of(firstKey), s.of(residentKey)
		writeRow(b, append(cells, spreadOf(first, "%.0f"), mebibytes(resident.Median), mebibytes(float64(s.File)))...)
	}
	c.writeBatches(b, m)
}

// speedColumn is a kind of work; its keys are by threads.
type speedColumn struct {
	title      string
	key, share func(threads int) string
}

// columns are the kinds of work that were measured of a model.
func (m *comparedModel) columns() []speedColumn {
	list := []speedColumn{
		{"decode", decodeKey, decodeShareKey},
		{fmt.Sprintf("prefill of %d", m.Prompt), prefillKey, prefillShareKey},
	}
	if m.Context > 0 {
		list = append(list, speedColumn{fmt.Sprintf("decode after %d", m.Context), contextKey, func(int) string { return "" }})
	}
	return list
}

// cell is a median with its spread and, in italics, its share of a limit.
func (s *subject) cell(key, share string) string {
	text := spreadOf(s.of(key), "%.1f")
	if of := s.of(share).Median; of != 0 {
		text += fmt.Sprintf(" *%.0f %%*", 100*of)
	}
	return text
}

// batchSizes are how many sequences are decoded at once.
var batchSizes = []int{1, 4, 8, 16}

func (c *comparison) writeBatches(b *strings.Builder, m *comparedModel) {
	var rows [][]string
	for _, s := range m.Subjects {
		for _, t := range c.threads() {
			cells := []string{s.side(), s.Format, fmt.Sprint(t)}
			found := false
			for _, n := range batchSizes {
				found = found || s.of(batchKey(t, n)).Median != 0
				cells = append(cells, s.cell(batchKey(t, n), batchShareKey(t, n)))
			}
			if found {
				rows = append(rows, cells)
			}
		}
	}
	if len(rows) == 0 {
		return
	}
	b.WriteString("\nSequences decoded at once, all their tokens per second; in italics the share of\nwhat memory and arithmetic together allow.\n\n")
	head := []string{"", "weights", "threads"}
	for _, n := range batchSizes {
		head = append(head, fmt.Sprint(n))
	}
	writeRow(b, head...)
	writeRule(b, len(head))
	for _, r := range rows {
		writeRow(b, r...)
	}
}

func (c *comparison) writeQuality(b *strings.Builder) {
	if len(c.Quality) == 0 {
		return
	}
	fmt.Fprintf(b, `
## What rounding costs

Trained models on Go source that they have not seen, in windows of %d tokens of
which the second half counts, as llama-perplexity does it. Each format is held
against float32 on its own side, on the same tokens; "all tokens" is the change
over every token of the validation windows.

`, qualityWindow)
	for _, line := range c.Greedy {
		fmt.Fprintf(b, "%s\n\n", line)
	}
	writeRow(b, "model", "", "weights", "bits per weight", "NLL", "change", "change, all tokens", "mean KL divergence", "same likeliest token")
	writeRule(b, 9)
	for _, q := range c.Quality {
		all := "–"
		if q.AllChange != nil {
			all = fmt.Sprintf("%+.5f", *q.AllChange)
		}
		side := (&subject{Ours: q.Ours}).side()
		writeRow(b, q.Model, side, q.Format, fmt.Sprintf("%.2f", q.Bits), fmt.Sprintf("%.5f", q.NLL), fmt.Sprintf("%+.5f", q.NLLChange),
			all, fmt.Sprintf("%.6f", q.KL), fmt.Sprintf("%.2f %%", 100*q.SameTop))
	}
}

// qualityWindow is the length of the sequences that quality is measured on.
const qualityWindow = 512

func (c *comparison) writeVerdicts(b *strings.Builder) {
	b.WriteString("\n## The bars\n\n")
	writeRow(b, "model", "", "bar", "measured", "")
	writeRule(b, 5)
	for _, v := range c.verdicts() {
		writeRow(b, v.Model, v.What, v.Want, v.Have, v.Found)
	}
}

// peersMarks are around the summary in the README.
var peersMarks = marks{"<!-- peers: made by make bench-peers -->\n", "<!-- end of peers -->\n"}

// summary is what the README shows: the first model, one thread, and the
// machine.
func (c *comparison) summary() string {
	var b strings.Builder
	m := &c.Models[0]
	fmt.Fprintf(&b, "%s, tokens per second with one thread on %s\n(%s); [all figures](docs/peers.md).\n\n", m.Name, c.CPU, c.Llama)
	fmt.Fprint(&b, "![Tokens per second of both](docs/peers.svg)\n\n")
	writeRow(&b, "mambac", "decode", fmt.Sprintf("prefill of %d", m.Prompt), "llama.cpp", "decode", fmt.Sprintf("prefill of %d", m.Prompt))
	writeRule(&b, 6)
	for _, p := range pairs {
		ours, theirs := m.find(p.ours), m.find(p.theirs)
		if ours == nil || theirs == nil {
			continue
		}
		writeRow(&b, p.ours, oneDecimal(ours, decodeKey(1)), oneDecimal(ours, prefillKey(1)),
			p.theirs, oneDecimal(theirs, decodeKey(1)), oneDecimal(theirs, prefillKey(1)))
	}
	return b.String()
}

func oneDecimal(s *subject, key string) string {
	if s.of(key).Median == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f", s.of(key).Median)
}

// TestPeersReport renders an invented comparison: every table, and each thing
// that can be found of a bar.
func TestPeersReport(t *testing.T) {
	c := inventedComparison()
	requireRendered(t, "peers", map[string]string{"peers.md": c.markdown(), "peers.svg": c.chart(), "summary.md": c.summary()})
	found := map[string]int{}
	for _, v := range c.verdicts() {
		found[v.Found]++
	}
	if found[met] == 0 || found[missed] == 0 || found[notMeasured] == 0 {
		t.Errorf("verdicts %v", found)
	}
}

// inventedMachine was never built.
var inventedMachine = machine{CPU: "A processor", Flags: "avx2 fma", Cores: 2, System: "a system"}

// inventedComparison has round figures that nobody has measured.
func inventedComparison() *comparison {
	ours := &subject{Ours: true, Format: "f32", Math: "exact", Bytes: 500 << 20, File: 510 << 20}
	theirs := &subject{Format: "F32", Bytes: 500 << 20, File: 505 << 20}
	for i, s := range []*subject{ours, theirs} {
		for _, threads := range []int{1, 2} {
			speed := float64(100*threads) / float64(i+1)
			s.add(decodeKey(threads), speed, speed+3, speed-1)
			s.add(prefillKey(threads), 10*speed)
			s.add(batchKey(threads, 4), 3*speed)
		}
		s.add(contextKey(1), 50/float64(i+1))
		s.add(firstKey, 20, 30)
		s.add(residentKey, 1<<29)
	}
	ours.add(decodeShareKey(1), 0.95)
	ours.add(prefillShareKey(1), 0.5)
	ours.add(batchShareKey(2, 4), 0.75)
	change := 0.0005
	return &comparison{
		machine: inventedMachine, Level: "v3", Llama: "llama.cpp of some version",
		Limits: []machineLimit{{1, 10, 100, 400}, {2, 18, 200, 800}},
		Models: []comparedModel{
			{"mamba-130m", 129135360, 512, 0, "2025-01-02", 3, 12, 1, []*subject{ours, theirs}},
			{"llama-160m-like", 162417408, 512, longContext, "2025-01-03", 5, 10, 0, []*subject{ours, theirs}},
		},
		Quality: []comparedQuality{
			{Model: "go-mamba-5m", Format: "int8", Ours: true, Tokens: 1000, Bits: 8.5, NLL: 1.5, NLLChange: 0.0004, KL: 0.0001, SameTop: 0.99, AllChange: &change},
			{Model: "go-mamba-5m", Format: "int4", Ours: true, Tokens: 1000, Bits: 4.5, NLL: 1.6, NLLChange: 0.1, KL: 0.02, SameTop: 0.9},
			{Model: "go-mamba-5m", Format: "Q4_K_M", Tokens: 1000, Bits: 4.9, NLL: 1.6, NLLChange: 0.1, KL: 0.01, SameTop: 0.91},
		},
		Greedy: []string{"go-mamba-5m: 8 of 8 greedy texts are equal."},
		Notes:  []string{"int2: there is no such format"},
	}
}

// TestPeersKept: what another run has measured stays, in the order of the document,
// unless this one measures it or the machine is another.
func TestPeersKept(t *testing.T) {
	old := inventedComparison()
	for _, c := range []struct {
		measured        []string
		llama           string
		models, quality int
	}{{[]string{"mamba-130m"}, old.Llama, 1, 3}, {[]string{"go-mamba-5m"}, old.Llama, 2, 0}, {nil, "another", 0, 0}} {
		now := &comparison{machine: old.machine, Llama: c.llama}
		now.keepFrom(old, c.measured)
		if len(now.Models) != c.models || len(now.Quality) != c.quality || (len(now.Greedy) == 1) != (c.quality == 3) {
			t.Errorf("%v: kept %+v", c.measured, now)
		}
		for _, name := range c.measured {
			now.Models = append(now.Models, comparedModel{Name: name})
		}
		now.sort()
		if len(c.measured) == 1 && now.Models[0].Name != "mamba-130m" {
			t.Errorf("%v: %s is first", c.measured, now.Models[0].Name)
		}
	}
}

func TestAtLevel(t *testing.T) {
	for _, c := range []struct {
		want, level string
		bar         float64
		ok          bool
	}{{"0.9", "v3", 0.9, true}, {"v3 0.65, 0.75", "v3", 0.65, true}, {"v3 0.65, 0.75", "v4", 0.75, true}, {"v4b 4", "v3", 0, false}} {
		if bar, ok := atLevel(c.want, c.level); bar != c.bar || ok != c.ok {
			t.Errorf("%s at %s: %v %v", c.want, c.level, bar, ok)
		}
	}
}
