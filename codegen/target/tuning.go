package target

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mambac/mambac/codegen/kernel"
)

// tuningVersion is that of the file, and of the kernels that were measured.
const tuningVersion = 2

// Tuning is what was measured on one machine, and the choice that follows.
type Tuning struct {
	Version int        `json:"version"`
	CPU     string     `json:"cpu"` // what the processor calls itself
	Kernels []Measured `json:"kernels"`
}

// Measured is the candidates for one kernel at one level.
type Measured struct {
	Level      string      `json:"level"`
	Kernel     string      `json:"kernel"` // the spec's name
	Chunk      int         `json:"chunk"`  // tokens of a prefill call
	Choice     Tile        `json:"choice"`
	Candidates []Candidate `json:"candidates"`
}

// Candidate is a tile and how long a panel takes with it.
type Candidate struct {
	Tile        Tile        `json:"tile"`
	Nanoseconds map[int]int `json:"ns"` // by the number of tokens
}

// NewTuning is that of a processor of which nothing was measured yet.
func NewTuning(cpu string) *Tuning { return &Tuning{Version: tuningVersion, CPU: cpu} }

// ParseTuning reads what Format has written.
func ParseTuning(text []byte) (*Tuning, error) {
	var head struct{ Version int }
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, fmt.Errorf("is no tuning: %w", err)
	}
	if head.Version != tuningVersion {
		return nil, fmt.Errorf("is a tuning of version %d, this mambac has kernels of version %d", head.Version, tuningVersion)
	}
	t := &Tuning{}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(t); err != nil {
		return nil, fmt.Errorf("is no tuning: %w", err)
	}
	return t, nil
}

// Format is the text of a tuning's file: equal tunings have equal texts.
func (t *Tuning) Format() ([]byte, error) {
	text, err := json.MarshalIndent(t, "", " ")
	return append(text, '\n'), err
}

// find is what was measured of a kernel, nil for nothing.
func (t *Tuning) find(level string, s kernel.Spec, chunk int) *Measured {
	if t == nil {
		return nil
	}
	i := slices.IndexFunc(t.Kernels, func(m Measured) bool { return m.Level == level && m.Kernel == s.Name() && m.Chunk == chunk })
	if i < 0 {
		return nil
	}
	return &t.Kernels[i]
}

// Missing lists the specs of which a back end offers several tiles that nobody
// has measured.
func (t *Tuning) Missing(b Backend, specs []kernel.Spec, chunk int) []kernel.Spec {
	return slices.DeleteFunc(slices.Clone(specs), func(s kernel.Spec) bool {
		return !b.Supports(s) || len(b.Tiles(s)) < 2 || t.find(b.Level().Name, s, chunk) != nil
	})
}

// Tiling chooses for every spec: what was measured, or what is thought to be the
// cheapest. It tells which choices were measured, a line each.
func (t *Tuning) Tiling(b Backend, specs []kernel.Spec, chunk int) (Tiling, []string, error) {
	tiling, lines := Tiling{}, []string(nil)
	for _, s := range specs {
		if !b.Supports(s) {
			continue
		}
		level := b.Level().Name
		m := t.find(level, s, chunk)
		if m == nil {
			if tile, ok := cheapest(b, s, chunk); ok {
				tiling[s] = tile
			}
			continue
		}
		if !slices.Contains(b.Tiles(s), m.Choice) {
			return nil, nil, fmt.Errorf("tuning of %s at level %s: there is no tile %s; measure it again with --tune", s.Name(), level, m.Choice)
		}
		tiling[s] = m.Choice
		lines = append(lines, level+" "+s.Name()+" "+m.Choice.String())
	}
	return tiling, lines, nil
}

// margin is how much faster than the expected one a tile must have been: less
// is chance.
const margin = 0.02

// Add notes what was measured of a kernel and chooses: the fastest, or the one
// that was expected to be if it is as good.
func (t *Tuning) Add(b Backend, s kernel.Spec, chunk int, list []Candidate) error {
	for _, c := range list {
		for _, n := range Calls(chunk) {
			if c.Nanoseconds[n] <= 0 {
				return fmt.Errorf("%s: tile %s was not measured with %d tokens", s.Name(), c.Tile, n)
			}
		}
	}
	if len(list) == 0 {
		return errors.New(s.Name() + ": nothing was measured")
	}
	fastest := slices.MinFunc(list, func(x, y Candidate) int { return cmp.Compare(x.perToken(chunk), y.perToken(chunk)) })
	if expected, ok := cheapest(b, s, chunk); ok {
		for _, c := range list {
			if c.Tile == expected && c.perToken(chunk) <= (1+margin)*fastest.perToken(chunk) {
				fastest = c
			}
		}
	}
	t.Kernels = append(t.Kernels, Measured{Level: b.Level().Name, Kernel: s.Name(), Chunk: chunk, Choice: fastest.Tile, Candidates: list})
	slices.SortFunc(t.Kernels, func(x, y Measured) int {
		return cmp.Or(strings.Compare(x.Level, y.Level), strings.Compare(x.Kernel, y.Kernel), cmp.Compare(x.Chunk, y.Chunk))
	})
	return nil
}

// perToken is the measured time in place of the expected one.
func (c *Candidate) perToken(chunk int) float64 {
	return PerToken(chunk, func(tokens int) float64 { return float64(c.Nanoseconds[tokens]) })
}
