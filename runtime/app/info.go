package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/mambac/mambac/runtime/cpu"
	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/payload"
	"github.com/mambac/mambac/runtime/report"
)

var infoCommand = Command{
	Name:    "info",
	Summary: "what this model is and was built for",
	Run:     (*Session).info,
	Help: `Prints what the program holds: model, sizes, weight format, CPU levels.

  %[1]s info
  %[1]s info --check     read all weights and compare with their hash
  %[1]s info --report    the equivalence report of the build

  --json    one JSON object
  --check   hash the whole payload; exit status 1 if it was altered
  --report  print the report that the build left; with --json as JSON
`,
}

// description is the object of info --json.
type description struct {
	*payload.Metadata
	CPU       string   `json:"cpu"`
	Flags     []string `json:"flags"`
	Level     string   `json:"level"` // "" when this processor has none
	Threads   int      `json:"threads"`
	Vocab     int      `json:"stored_vocab_size"`
	Tokenizer bool     `json:"tokenizer"`
	Checked   bool     `json:"checked"`
	With      []string `json:"with,omitempty"` // commands that were added

	// What a sequence keeps beside state_bytes: of every token, and of the tokens
	// of a sliding window.
	BytesPerToken int `json:"state_bytes_per_token"`
	WindowBytes   int `json:"window_bytes"`
	// PackedBytes is weight_bytes as they lie in memory: panels are padded, those
	// of experts each.
	PackedBytes int `json:"packed_bytes"`
}

func (s *Session) info(args []string) error {
	f := NewFlags("info")
	asJSON := f.Bool("json", false, "")
	check := f.Bool("check", false, "")
	report := f.Bool("report", false, "")
	if _, err := Parse(f, args, 0); err != nil {
		return err
	}
	m, err := s.Load()
	if err != nil {
		return err
	}
	defer m.Close()
	if *check {
		if err := m.File.Check(); err != nil {
			return err
		}
	}
	d := m.describe()
	d.Checked = *check
	for _, c := range s.added {
		d.With = append(d.With, c.Name)
	}
	switch {
	case *report:
		return s.printReport(m, *asJSON)
	case *asJSON:
		return s.printJSON(d)
	}
	return s.printCard(d)
}

func (m *Artifact) describe() *description {
	level, err := m.compiled.Best()
	if err != nil {
		level = ""
	}
	packed, _ := m.File.Section(payload.WeightsSection)
	return &description{
		PackedBytes: len(packed), Metadata: m.Meta, CPU: cpu.Name(), Flags: cpu.Flags(), Level: level,
		Threads: cpu.PhysicalCores(), Vocab: m.compiled.Shape.Vocab, Tokenizer: m.Tokenizer != nil,
		BytesPerToken: m.compiled.Shape.BytesPerToken(), WindowBytes: m.compiled.Shape.WindowBytes(),
	}
}

func (s *Session) printReport(m *Artifact, asJSON bool) error {
	if len(m.Meta.Report) == 0 {
		return errors.New("the program was built without a report; build it with --report")
	}
	if asJSON {
		return s.printJSON(m.Meta.Report)
	}
	text, err := report.Format(m.Meta.Report)
	if err != nil {
		return err
	}
	_, err = s.Out.Write(appendEscaped(nil, []byte(text)))
	return err
}

func (s *Session) printJSON(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = s.Out.Write(append(text, '\n'))
	return err
}

func (s *Session) printCard(d *description) error {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-22s "+format+"\n", append([]any{name}, args...)...)
	}
	line("model", "%s (%s)", d.Name, d.Family)
	for _, fact := range d.Card {
		line(fact.Name, "%s", fact.Value)
	}
	line("parameters", "%d", d.Parameters)
	line("weights", "%s, %s math, %.1f MiB, %.1f MiB in memory", d.Weights, d.Math, float64(d.WeightBytes)/(1<<20), float64(d.PackedBytes)/(1<<20))
	if d.Calibration != "" {
		line("calibrated on", "%s", d.Calibration)
	}
	line("state", "%s", d.state())
	if d.Longest.Tokens > 0 {
		line("longest text", "%d tokens: %s", d.Longest.Tokens, d.Longest.Reason)
	}
	if d.Cache != "" {
		line("caches", "%s", d.Cache)
	}
	line("tokenizer", "%s", map[bool]string{true: "yes", false: "none: --ids only"}[d.Tokenizer])
	line("chat template", "%s", orNoChat(d.ChatTemplates))
	line("levels", "%s", strings.Join(d.Levels, ", "))
	if d.Tuning != "" {
		line("tuned", "as measured (%s)", d.Tuning)
	}
	if len(d.With) > 0 {
		line("built with", "%s", strings.Join(d.With, ", "))
	}
	line("this processor", "%s (%s), %d cores", d.CPU, strings.Join(d.Flags, " "), d.Threads)
	line("runs at level", "%s", orNone(d.Level))
	line("fingerprint", "%s", d.Fingerprint)
	line("built by", "mambac %s", d.Mambac)
	if d.Checked {
		line("payload", "checked, unaltered")
	}
	text := string(appendEscaped(nil, []byte(b.String())))
	_, err := fmt.Fprint(s.Out, text)
	return err
}

// state is what a sequence takes.
func (d *description) state() string {
	text := kibibytes(d.StateBytes) + " a sequence"
	switch {
	case d.WindowBytes > 0 && d.BytesPerToken == 0:
		text += fmt.Sprintf(", up to %s for its window (--context bounds the text all the same)", kibibytes(d.WindowBytes))
	case d.WindowBytes > 0:
		text += fmt.Sprintf(", up to %s for its window", kibibytes(d.WindowBytes))
	}
	if d.BytesPerToken > 0 {
		text += fmt.Sprintf(", and %s for every token (--context bounds it)", kibibytes(d.BytesPerToken))
	}
	return text
}

// kibibytes is a size for reading; what would round to 0.0 KiB is in bytes.
func kibibytes[N int | int64](n N) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
}

func orNoChat(templates []string) string {
	if len(templates) == 0 {
		return "none"
	}
	return strings.Join(templates, ", ")
}

func orNone(level string) string {
	if level == "" {
		return "none: this processor lacks the features (" + engine.LevelEnv + " forces a level)"
	}
	return level
}
