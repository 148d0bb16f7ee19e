package main

import (
	"fmt"
	"strings"
	"testing"
)

// markdown is the whole document.
func (s *serving) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, `# What serving takes

<!-- Made by make bench-serve; DO NOT EDIT. -->

%s, %d cores, with %s; %s. %s with random
weights in %s, %s math, level %s, %s. Clients run beside the server, on
the same cores. Figures are the median of %s with the least and the greatest
in brackets; a sample during which other processes kept more than a tenth of a
processor busy was taken again, and of %d samples %d stayed disturbed.
`, s.CPU, s.Cores, s.Flags, s.System, s.Model, s.Weights, s.Math, s.Level, count(s.Threads, "thread"), count(s.Rounds, "round"), s.Samples, s.Disturbed)
	s.writeStreams(&b)
	s.writeStalls(&b)
	s.writePrefix(&b)
	writeNotes(&b, s.Notes)
	return b.String()
}

func (s *serving) writeStreams(b *strings.Builder) {
	fmt.Fprintf(b, `
## Many at once

%d streams of %d tokens over HTTP, against as many sequences that bench decodes in
the same program, in turns.

`, s.Streams, s.Tokens)
	writeRow(b, "", "tokens per second, all together")
	writeRule(b, 2)
	writeRow(b, fmt.Sprintf("`bench --batch %d`", s.Streams), spreadOf(newQuantity(s.Bench), "%.1f"))
	writeRow(b, "server", spreadOf(newQuantity(s.Served), "%.1f"))
	writeRow(b, "server by bench, each round", spreadOf(ratios(s.Served, s.Bench), "%.3f"))
	share := ratios(s.Served, s.Bench).Median
	fmt.Fprintf(b, "\nThe bar is %.0f %%: %s.\n", 100*servedBar, verdictOf(share >= servedBar))
}

func verdictOf(ok bool) string {
	if ok {
		return "reached"
	}
	return "**missed**"
}

func (s *serving) writeStalls(b *strings.Builder) {
	w := &s.Stalls
	if len(w.Longest) == 0 {
		return
	}
	fmt.Fprintf(b, `
## Beside a long prompt

While a prompt of %s tokens is read, %d tokens at a time, %d streams wait for each of
those chunks once: a token of theirs takes as long as one chunk and one step.

`, thousands(w.Prompt), s.Chunk, s.Streams-1)
	writeRow(b, "", "ms")
	writeRule(b, 2)
	for _, line := range []struct {
		name   string
		values []float64
	}{
		{"from one token to the next, before", w.Usual}, {"longest time of any stream meanwhile", w.Longest},
		{"a chunk, mean of `mambac_stall_seconds`", w.Mean}, {"longest of those, `mambac_stall_seconds_max`", []float64{w.Most}},
	} {
		writeRow(b, line.name, spreadOf(scaled(line.values, 1000), "%.0f"))
	}
}

func (s *serving) writePrefix(b *strings.Builder) {
	p := &s.Prefix
	if len(p.Again)+len(p.Kept) == 0 {
		return
	}
	fmt.Fprintf(b, `
## First token behind a long text

%s tokens and %d more, other ones in each round.

`, thousands(p.Tokens), p.Rest)
	writeRow(b, "", "first token, ms", "of that without")
	writeRule(b, 3)
	writeRow(b, "read for the first time", spreadOf(scaled(p.Without, 1000), "%.0f"), "")
	least := true
	for _, line := range []struct {
		name   string
		values []float64
	}{{"read before, by another request", p.Again}, {"kept as a state", p.Kept}} {
		if len(line.values) > 0 {
			share := ratios(line.values, p.Without)
			least = least && share.Median <= prefixBar
			writeRow(b, line.name, spreadOf(scaled(line.values, 1000), "%.1f"), fmt.Sprintf("1/%.0f", 1/share.Median))
		}
	}
	fmt.Fprintf(b, "\nThe bar is 1/%.0f: %s. Of the texts that followed, %d differ from the first.\n", 1/prefixBar, verdictOf(least), p.Different)
}

// TestServingReport renders invented figures.
func TestServingReport(t *testing.T) {
	full := inventedServing()
	part := inventedServing()
	part.Bench, part.Served, part.Prefix = []float64{500}, []float64{400}, prefix{}
	part.Notes = []string{"states: the server has none"}
	requireRendered(t, "serving", map[string]string{"full.md": full.markdown(), "part.md": part.markdown()})
}

// inventedServing has round figures that nobody has measured.
func inventedServing() *serving {
	return &serving{
		machine: inventedMachine, Model: "some-130m", Weights: "int8", Math: "fast", Level: "v3", Threads: 2, Rounds: 3, Samples: 12, Disturbed: 1,
		Chunk: 256, Streams: 16, Tokens: 100, Bench: []float64{500, 480, 520}, Served: []float64{450, 456, 458},
		Stalls: stalls{Prompt: 4096, Usual: []float64{.03, .032, .031}, Longest: []float64{.4, .5, .45}, Mean: []float64{.3, .35, .32}, Most: .41},
		Prefix: prefix{Tokens: 4096, Rest: 16, Without: []float64{5, 5.5, 6}, Again: []float64{.05, .06, .055}, Kept: []float64{.04, .05, .044}},
	}
}
