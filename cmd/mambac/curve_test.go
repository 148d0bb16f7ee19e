//go:build curve && linux

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mambac/mambac/importer/synth"
)

// TestCurve measures models of each kind along one text, and the loss of the
// trained ones by position, and writes docs/context.* and the README: make
// context-curve.
func TestCurve(t *testing.T) {
	c := newCurveRun(t)
	for _, name := range c.models {
		c.model(name)
		c.keep(&c.curve)
	}
	for _, m := range trainedSiblings {
		c.loss(m.name, m.kind)
	}
	c.keep(&c.curve)
	c.publish()
}

// curveRun is a run of make context-curve.
type curveRun struct {
	curve
	workshop
	lengths []int
}

// newCurveRun reads what the variables of the Makefile say.
func newCurveRun(t *testing.T) *curveRun {
	var names []string
	for _, m := range curveModels {
		names = append(names, m.name)
	}
	c := &curveRun{workshop: newWorkshop(t, "CURVE", strings.Join(names, " "), 2)} // the longest text takes minutes
	c.lengths = slices.Compact(slices.Sorted(slices.Values(numbersOf(t, variable("CONTEXTS", "512 1024 2048 4096 8192 16384 32768 65536")))))
	c.machine, c.Weights, c.Cache = thisMachine(t), variable("WEIGHTS", "int8"), os.Getenv("CACHE")
	c.Threads = numbersOf(t, variable("THREADS", strconv.Itoa(c.Cores)))[0]
	c.Repeats, c.Gen = numbersOf(t, variable("REPEATS", "5"))[0], numbersOf(t, variable("GEN", "32"))[0]
	return c
}

// curvePreset is how a model is made.
type curvePreset struct {
	name, kind string
	synth      []string // flags
}

// curveModels have about 129 million parameters each: the same vocabulary,
// which the head shares with the embedding, and the same width. Those with
// attention have as many heads. Widths of MLPs make up the size.
var curveModels = []curvePreset{
	{"mamba-130m", "Mamba", []string{"--preset", "mamba-130m"}},
	{"mamba2-130m", "Mamba-2", []string{"--preset", "mamba2-130m"}},
	{"jamba-130m", "hybrid (Jamba)", attending("jamba-tiny-like", "num_experts=1", "num_experts_per_tok=1", "intermediate_size=944")},
	{"llama-130m", "transformer (Llama)", attending("llama-160m-like", "intermediate_size=2624", "max_position_embeddings=131072")},
}

// attending is the flags of a preset with attention.
func attending(preset string, set ...string) []string {
	flags := []string{"--preset", preset}
	shape := []string{"vocab_size=50280", "tie_word_embeddings=true", "hidden_size=768", "num_attention_heads=12", "num_key_value_heads=3"}
	for _, key := range append(shape, set...) {
		flags = append(flags, "--set", key)
	}
	return flags
}

// presetOf is a model of the list, a preset as it is, or a little model of a
// family.
func presetOf(name string) curvePreset {
	for _, m := range curveModels {
		if m.name == name {
			return m
		}
	}
	if slices.Contains(synth.Presets(), name) {
		return curvePreset{name, name, []string{"--preset", name}}
	}
	return curvePreset{name, name, []string{"--family", name}}
}

// model measures one model.
func (c *curveRun) model(name string) {
	defer c.clean()
	p := presetOf(name)
	checkpoint := c.checkpoint("", p.synth...)
	flags := []string{"--weights", c.Weights}
	if c.Cache != "" {
		flags = append(flags, "--cache", c.Cache)
	}
	program := c.build(checkpoint, flags...)
	m := c.described(p, c.inspected(checkpoint), program)
	c.t.Logf("%s: %.1f million parameters", name, float64(m.Parameters)/1e6)
	c.measure(&m, program)
	c.Models = append(c.Models, m)
}

// build compiles a checkpoint.
func (c *curveRun) build(checkpoint string, flags ...string) (program string) {
	program = filepath.Join(c.work, "model")
	compiler(c.t, append([]string{"build", checkpoint, "-q", "-o", program}, flags...)...)
	return program
}

// described is what checkpoint and program say of themselves.
func (c *curveRun) described(p curvePreset, d description, program string) curveModel {
	var info struct {
		StateBytes  int64 `json:"state_bytes"`
		TokenBytes  int64 `json:"state_bytes_per_token"`
		WeightBytes int64 `json:"weight_bytes"`
	}
	if err := json.Unmarshal([]byte(succeed(c.t, exec.Command(program, "info", "--json"))), &info); err != nil {
		c.t.Fatal(err)
	}
	m := curveModel{
		Name: p.name, Kind: p.kind, Parameters: d.Parameters, Layers: d.Facts["layers"], Heads: d.Facts["heads of keys and values"],
		FixedBytes: info.StateBytes, TokenBytes: info.TokenBytes, Weights: info.WeightBytes,
	}
	for _, cached := range d.Caches {
		m.Attention += cached.Count
	}
	return m
}

// measure takes all lengths along one text, and those again that others have
// disturbed, but not for ever.
func (c *curveRun) measure(m *curveModel, program string) {
	points := map[int]curvePoint{}
	missing := c.lengths
	for try := 0; try < c.tries && len(missing) > 0; try++ {
		r := c.bench(program, "--threads", strconv.Itoa(c.Threads), "--prompt", "8", "--gen", strconv.Itoa(c.Gen),
			"--repeat", strconv.Itoa(c.Repeats), "--at", commas(missing))
		c.Level, c.Math = r.Level, r.Math
		missing = nil
		for _, at := range r.Contexts {
			p := newCurvePoint(at)
			if old, ok := points[p.Context]; !ok || p.Others < old.Others {
				points[p.Context] = p
			}
			if p.disturbed() {
				c.t.Logf("%s: others kept %.2f processors busy until %d tokens", m.Name, p.Others, p.Context)
				missing = append(missing, p.Context)
			}
		}
	}
	for _, n := range c.lengths {
		m.Points = append(m.Points, points[n])
	}
	c.Samples += len(c.lengths)
	c.Disturbed += len(missing)
}

func newCurvePoint(at benchedContext) curvePoint {
	p := curvePoint{Context: at.Context, Decode: at.Decode, FirstToken: at.FirstToken, State: at.StateBytes, Highest: at.HighestBytes}
	if at.Others != nil {
		p.Others = *at.Others
	}
	return p
}

// trainedSiblings are the models that were trained alike.
var trainedSiblings = []struct{ name, kind string }{
	{"go-mamba-5m", "Mamba"}, {"go-mamba2-5m", "Mamba-2"}, {"go-jamba-5m", "hybrid (Jamba)"}, {"go-llama-5m", "transformer (Llama)"},
}

// loss measures a trained model by position and holds it against its reference.
func (c *curveRun) loss(name, kind string) {
	defer c.clean()
	checkpoint := filepath.Join(c.trained, name)
	if _, err := os.Stat(checkpoint); err != nil {
		text := name + ": no such trained model; MAMBAC_MODELS names their folder"
		c.Notes = append(c.Notes, text)
		c.t.Log(text)
		return
	}
	program := c.build(checkpoint)
	out := succeed(c.t, exec.Command(program, "ppl", "--windows", filepath.Join(c.trained, "validation.safetensors"),
		"--tensor", "long", "--buckets", lossBorders, "--json"))
	var score struct {
		ByPosition []positionBucket `json:"nll_by_position"`
	}
	if err := json.Unmarshal([]byte(out), &score); err != nil {
		c.t.Fatal(err)
	}
	m := trainedModel{Name: name, Kind: kind, Buckets: score.ByPosition}
	reference := readLong(c.t, checkpoint)
	m.Largest = reference.farthest(c.t, reference.NLL, score.ByPosition)
	c.t.Logf("%s: at most %.5f from the reference", name, m.Largest)
	if m.Largest > longTolerance {
		c.t.Errorf("%s: the loss by position is %v, want %v over %v", name, score.ByPosition, reference.NLL, reference.Buckets)
	}
	c.Trained = append(c.Trained, m)
}

// publish writes the documents.
func (c *curveRun) publish() {
	c.write(filepath.Join("docs", "context.md"), c.markdown())
	c.write(filepath.Join("docs", "context.csv"), c.csv())
	c.write(filepath.Join("docs", "context.svg"), c.chart())
	c.renew(contextMarks, c.summary())
}
