package main

import (
	"fmt"
	"slices"
	"strings"
)

// comparison is what runs of make bench-peers have measured on one machine.
type comparison struct {
	machine
	Level   string // that our programs chose
	Llama   string // version and where it is from
	Limits  []machineLimit
	Models  []comparedModel
	Quality []comparedQuality
	Greedy  []string // what was found of greedy texts, a line for each model
	Notes   []string // what could not be measured, and why
}

// machine is where figures come from.
type machine struct {
	CPU    string // as the processor says
	Flags  string // its features that count here
	Cores  int
	System string // kernel, toolchain
}

// machineLimit is what this machine allows, the best of the run.
type machineLimit struct {
	Threads        int
	Read, FMA, Dot float64 // GB/s, Gflop/s, Gop/s
}

// comparedModel is the speed of one model on both sides.
type comparedModel struct {
	Name       string
	Parameters int64
	Prompt     int // tokens of a prefill
	Context    int // of a long text before decoding, 0 where that was not measured
	Day        string
	Rounds     int
	Samples    int // that were taken
	Disturbed  int // of these, while others kept more than a tenth of a processor busy
	Subjects   []*subject
}

// subject is a model in one format on one side, with all that was measured of
// it, by what it is: "decode 1", a median over rounds later.
type subject struct {
	Ours   bool
	Format string // int8, Q8_0
	Math   string // of ours
	Bytes  int64  // of the weights
	File   int64  // bytes
	Values map[string][]float64
}

// Keys of what is measured; the first number is that of the threads.
func decodeKey(threads int) string        { return fmt.Sprintf("decode %d", threads) }
func decodeShareKey(threads int) string   { return fmt.Sprintf("decode share %d", threads) }
func prefillKey(threads int) string       { return fmt.Sprintf("prefill %d", threads) }
func prefillShareKey(threads int) string  { return fmt.Sprintf("prefill share %d", threads) }
func contextKey(threads int) string       { return fmt.Sprintf("decode %d after a long text", threads) }
func batchKey(threads, n int) string      { return fmt.Sprintf("batch %dx%d", threads, n) }
func batchShareKey(threads, n int) string { return fmt.Sprintf("batch share %dx%d", threads, n) }

const (
	firstKey    = "first token" // milliseconds
	residentKey = "resident"    // bytes
)

func (s *subject) add(key string, values ...float64) {
	if s.Values == nil {
		s.Values = map[string][]float64{}
	}
	s.Values[key] = append(s.Values[key], values...)
}

func (s *subject) of(key string) quantity {
	if s == nil || len(s.Values[key]) == 0 {
		return quantity{}
	}
	return newQuantity(s.Values[key])
}

// side says whose a subject is.
func (s *subject) side() string {
	if s.Ours {
		return "mambac"
	}
	return "llama.cpp"
}

// find is the subject of a format, nil if there is none: no format has the
// same name on both sides.
func (m *comparedModel) find(format string) *subject {
	if m == nil {
		return nil
	}
	for _, s := range m.Subjects {
		if s.Format == format {
			return s
		}
	}
	return nil
}

func (c *comparison) model(name string) *comparedModel {
	for i := range c.Models {
		if c.Models[i].Name == name {
			return &c.Models[i]
		}
	}
	return nil
}

// keepFrom takes what an earlier run has measured of models that this one does not
// measure, if machine and llama.cpp are the same.
func (c *comparison) keepFrom(old *comparison, models []string) {
	if old.machine != c.machine || old.Llama != c.Llama {
		return
	}
	c.Level, c.Limits = old.Level, old.Limits
	for _, m := range old.Models {
		if !slices.Contains(models, m.Name) {
			c.Models = append(c.Models, m)
		}
	}
	for _, q := range old.Quality {
		if !slices.Contains(models, q.Model) {
			c.Quality = append(c.Quality, q)
		}
	}
	for _, line := range old.Greedy {
		if name, _, _ := strings.Cut(line, ":"); !slices.Contains(models, name) {
			c.Greedy = append(c.Greedy, line)
		}
	}
}

// sort puts models into the order in which they are measured by default.
func (c *comparison) sort() {
	place := func(name string) int {
		if i := slices.Index(peersModels, name); i >= 0 {
			return i
		}
		return len(peersModels)
	}
	slices.SortStableFunc(c.Models, func(a, b comparedModel) int { return place(a.Name) - place(b.Name) })
	slices.SortStableFunc(c.Quality, func(a, b comparedQuality) int { return place(a.Model) - place(b.Model) })
	slices.Sort(c.Greedy)
}

// peersModels are what is measured by default.
var peersModels = []string{"mamba-130m", "mamba-790m", "mamba-2.8b", "mamba2-130m", "llama-160m-like", "go-mamba-5m", "go-mamba-20m"}

func (c *comparison) limit(threads int) machineLimit {
	for _, l := range c.Limits {
		if l.Threads == threads {
			return l
		}
	}
	return machineLimit{}
}

// comparedQuality is how far a model in one format is from itself in float32,
// on tokens that are the same for all.
type comparedQuality struct {
	Model, Format string
	Ours          bool
	Tokens        int
	Bits          float64 // per weight, scales included
	NLL           float64 // mean, nats
	NLLChange     float64 // against float32 on the same side
	KL            float64 // mean divergence from it
	SameTop       float64 // share of tokens with the same likeliest one
	// AllChange is the change of NLL over all windows, of ours only.
	AllChange *float64
}

func (c *comparison) quality(model, format string) *comparedQuality {
	for i := range c.Quality {
		if q := &c.Quality[i]; q.Model == model && q.Format == format {
			return q
		}
	}
	return nil
}

// pairs are the formats that are compared: as many bits on both sides.
var pairs = []struct{ ours, theirs string }{
	{"f32", "F32"}, {"f16", "F16"}, {"bf16", "BF16"}, {"bf16 fast", "F16"}, {"int8", "Q8_0"}, {"int4", "Q4_0"}, {"int4", "Q4_K_M"},
	{"int4 calibrated", "Q4_K_M"},
}

// atLevel chooses the bar of a level: want says "v3 0.5, v4n 0.55", a number
// alone holds for all others.
func atLevel(want, level string) (float64, bool) {
	found, bar := false, 0.0
	for part := range strings.SplitSeq(want, ", ") {
		name, number, named := strings.Cut(part, " ")
		if !named {
			number = name
		}
		if named && name != level || !named && found {
			continue
		}
		if _, err := fmt.Sscan(number, &bar); err != nil {
			panic("BUG: " + want)
		}
		found = true
	}
	return bar, found
}
