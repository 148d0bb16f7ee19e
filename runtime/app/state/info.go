package state

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/mambac/mambac/runtime/app"
	"github.com/mambac/mambac/runtime/snapshot"
	"github.com/mambac/mambac/runtime/state"
)

// description is the object of info --json.
type description struct {
	File  string `json:"file"`
	Bytes int64  `json:"bytes"`
	*state.Header
	Seen   bool   `json:"seen"`   // the file lists the ids read
	Logits bool   `json:"logits"` // and has what follows the last one
	Fits   bool   `json:"fits"`   // it is of this model
	Why    string `json:"why_not,omitempty"`
}

func info(s *app.Session, args []string) error {
	f := app.NewFlags("info")
	asJSON := f.Bool("json", false, "")
	arguments, err := app.Parse(f, args, 1)
	if err != nil {
		return err
	}
	if len(arguments) == 0 {
		return app.Usagef("no FILE to tell of")
	}
	d, err := describe(arguments[0])
	if err != nil {
		return err
	}
	if err := d.compare(s); err != nil {
		return err
	}
	if *asJSON {
		return printJSON(s.Out, d)
	}
	return d.print(s.Out)
}

// describe reads a file and proves that it is whole.
func describe(path string) (*description, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	h, err := wholeHeader(bufio.NewReader(f))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	d := &description{File: path, Bytes: st.Size(), Header: h, Seen: h.Seen != nil}
	for _, t := range h.Tensors {
		d.Logits = d.Logits || t.Name == snapshot.LogitsTensor
	}
	return d, nil
}

func wholeHeader(r io.Reader) (*state.Header, error) {
	in, err := state.NewReader(r)
	if err != nil {
		return nil, err
	}
	if err := in.Verify(); err != nil {
		return nil, err
	}
	return &in.Header, in.End()
}

// compare tells whether the state is of this model.
func (d *description) compare(s *app.Session) error {
	a, err := s.Load()
	if err != nil {
		return err
	}
	defer a.Close()
	err = snapshot.New(a.Meta, s.Compiled.Shape, nil).Fits(d.Header)
	if d.Fits = err == nil; err != nil {
		d.Why = err.Error()
	}
	return nil
}

func (d *description) print(w io.Writer) error {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-12s "+format+"\n", append([]any{name}, args...)...)
	}
	line("file", "%q, %s, whole", d.File, size(d.Bytes))
	line("tokens", "%d", d.Position)
	described(line, d.Label, d.Source, d.Parent, d.Created)
	line("model", "%.16q", d.Model)
	line("weights", "%.16q, %.16q math", d.Weights, d.Math)
	if d.Cache != "" {
		line("caches", "%.16q", d.Cache)
	}
	line("text", "%.64q", d.Text)
	line("next token", "%s", map[bool]string{true: "from the file, at once", false: "needs a prompt"}[d.Logits])
	if d.Fits {
		line("this model", "can go on from it")
	} else {
		line("this model", "cannot: %q", d.Why)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// described writes what somebody has said of a state; quoted, so that it cannot
// drive a terminal.
func described(line func(name, format string, args ...any), label, source, parent string, created time.Time) {
	for _, d := range []struct{ name, text string }{{"label", label}, {"source", source}, {"parent", parent}} {
		if d.text != "" {
			line(d.name, "%q", d.text)
		}
	}
	if !created.IsZero() {
		line("created", "%s", created.UTC().Format(time.RFC3339))
	}
}

// size is a size for reading.
func size(n int64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}

func printJSON(w io.Writer, v any) error { return json.NewEncoder(w).Encode(v) }
