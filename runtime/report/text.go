package report

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Format shows a report, which is JSON, as text for reading.
func Format(data []byte) (string, error) {
	var r Report
	if err := json.Unmarshal(data, &r); err != nil {
		return "", fmt.Errorf("equivalence report: %w", err)
	}
	var b strings.Builder
	r.header(&b)
	r.storage(&b)
	fmt.Fprintf(&b, "\nlogits against the evaluator, %d seeded ids and %d greedy ones\n", r.Inputs.Tokens, r.Inputs.Greedy)
	b.WriteString(FormatRungs(r.Rungs))
	r.text(&b)
	return b.String(), nil
}

func (r *Report) header(b *strings.Builder) {
	fmt.Fprintf(b, "%s, weights %s, %s math\n", r.Family, r.Weights, r.Math)
	if r.Cache != "" {
		fmt.Fprintf(b, "keys and values in %s\n", r.Cache)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Choices)) {
		fmt.Fprintf(b, "%s %s, which the config does not say\n", name, r.Choices[name])
	}
	if r.Calibration != "" {
		fmt.Fprintf(b, "codes of weights chosen for %s\n", r.Calibration)
	}
	m := &r.Machine
	fmt.Fprintf(b, "compared on %s (%s), %s, %d threads\n", m.CPU, strings.Join(m.Flags, " "), m.Target, m.Threads)
	for _, a := range r.Absent {
		fmt.Fprintf(b, "not compared: level %s, for this processor lacks %s\n", a.CPU, strings.Join(a.Lacks, ", "))
	}
}

func (r *Report) storage(b *strings.Builder) {
	fmt.Fprintf(b, "\n%-8s %13s %13s %12s\n", "storage", "parameters", "bytes", "bits/weight")
	all := Storage{Format: "all"}
	for _, s := range r.Storage {
		s.print(b)
		all.Parameters, all.Bytes = all.Parameters+s.Parameters, all.Bytes+s.Bytes
	}
	if len(r.Storage) > 1 {
		all.BitsPerWeight = 8 * float64(all.Bytes) / float64(all.Parameters)
		all.print(b)
	}
}

func (s *Storage) print(b *strings.Builder) {
	fmt.Fprintf(b, "%-8s %13d %13d %12.3f\n", s.Format, s.Parameters, s.Bytes, s.BitsPerWeight)
}

// FormatRungs shows rungs as a table.
func FormatRungs(rungs []Rung) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-10s %-8s %-10s %-6s %-8s %10s  %-7s\n", "rung", "cpu", "weights", "math", "by", "error", "greedy")
	for _, r := range rungs {
		verdict := "ok"
		if !r.OK {
			verdict = "FAILED"
		}
		level := r.CPU
		if level == "" {
			level = "-"
		}
		greedy := fmt.Sprintf("%d/%d", r.GreedyEqual, r.GreedyTotal)
		fmt.Fprintf(&b, "%-10s %-8s %-10s %-6s %-8s %10.2e  %-7s %s\n", r.Rung, level, r.Weights, r.Math, r.By, r.LogitsError, greedy, verdict)
	}
	return b.String()
}

func (r *Report) text(b *strings.Builder) {
	t := &r.Text
	fmt.Fprintf(b, "\ntext: %q, %d tokens, from a fresh state every %d\n", t.Source, t.Tokens, t.Window)
	for _, p := range t.Programs {
		fmt.Fprintf(b, "%-13s level %s, weights %s, %s math", p.Name, p.CPU, p.Weights, p.Math)
		if p.NLL != nil {
			fmt.Fprintf(b, "; mean nll %.6f nats a token", *p.NLL)
		}
		b.WriteByte('\n')
	}
	if !slices.ContainsFunc(t.Programs, func(p Program) bool { return p.NLL != nil }) {
		b.WriteString("no likelihood: these ids are no text, it would mean nothing\n")
	}
	if len(t.Comparisons) == 0 {
		b.WriteString("no f32 program beside it: its weights are those of the checkpoint, unrounded\n")
		return
	}
	fmt.Fprintf(b, "\n%-13s %-12s %9s %11s %9s %10s %10s %11s\n", "program", "against", "error", "top-1", "greedy", "mean KL", "max KL", "nll change")
	for _, c := range t.Comparisons {
		change := "-"
		if c.NLLChange != nil {
			change = fmt.Sprintf("%+.6f", *c.NLLChange)
		}
		fmt.Fprintf(b, "%-13s %-12s %9.2e %11s %9s %10.3e %10.3e %11s\n", c.Of, c.Against, c.LogitsError,
			fmt.Sprintf("%d/%d", c.Top1Equal, c.Positions), fmt.Sprintf("%d/%d", c.GreedyEqual, c.GreedyTotal), c.MeanKL, c.MaxKL, change)
	}
}
