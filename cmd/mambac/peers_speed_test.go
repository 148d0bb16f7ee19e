//go:build peers && linux

package main

import (
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// course is how a model is measured: the larger ones would take hours of what
// the small one takes minutes.
type course struct {
	set          []string // flags of synth
	build        []string // flags of build
	tokenizer    string   // of the fixtures
	ours, theirs []string // formats
	base         string   // what llama-quantize starts from
	prompt, gen  int
	context      int      // tokens after which decoding is measured once more, 0 for none
	batched      []string // formats of which several sequences are decoded at once
	witnessed    []string // of theirs, by the prebuilt binary too
	launched     bool     // whether first token and memory are measured
}

func courseOf(preset string) course {
	c := course{
		tokenizer: "gpt-neox-20b", ours: []string{"f32", "f16", "bf16", "bf16 fast", "int8", "int4"},
		theirs: []string{"F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_K_M"}, base: "F32", prompt: 128, gen: 32, launched: true,
	}
	switch preset {
	case "mamba-130m":
		c.prompt, c.gen = 512, 64
		c.batched, c.witnessed = []string{"f32", "f16", "bf16", "int8", "int4", "F16", "Q8_0"}, []string{"F16", "Q8_0"}
	case "mamba2-130m":
		c.prompt, c.gen = 512, 64
	case "mamba-790m":
		c.ours, c.theirs, c.base = []string{"f32", "f16", "bf16", "int8", "int4"}, []string{"Q8_0", "Q4_K_M"}, "F16"
	case "mamba-2.8b":
		c.ours, c.theirs, c.base, c.prompt = []string{"int8", "int4"}, []string{"Q8_0", "Q4_K_M"}, "F16", 64
	case "llama-160m-like":
		// Most rows of its embedding are no tokens of the tokenizer at hand, and
		// llama.cpp prints nothing for those.
		c.tokenizer, c.launched = "go-4096", false
		c.set = []string{"--set", "max_position_embeddings=8192"}
		c.build = []string{"--cache", "f16"} // as llama.cpp keeps its own
		c.ours, c.theirs, c.prompt, c.context = []string{"f32", "f16", "int8"}, []string{"F32", "F16", "Q8_0"}, 512, longContext
	}
	return c
}

// speed measures one model on both sides, who take turns.
func (p *peers) speed(preset string) {
	defer p.clean()
	run := courseOf(preset)
	checkpoint := p.checkpoint(run.tokenizer, append([]string{"--preset", preset}, run.set...)...)
	sizes := p.inspected(checkpoint).sizes
	ours, theirs := p.chosen(run.ours, run.theirs)
	field := slices.Concat(p.ours(checkpoint, ours, run.build...), p.theirs(checkpoint, run.base, theirs))
	if len(field) == 0 {
		p.note("%s: no format of FORMATS can be made", preset)
		return
	}
	p.samples, p.disturbed = 0, 0
	for round := range p.rounds {
		p.t.Logf("%s: round %d of %d", preset, round+1, p.rounds)
		for _, c := range p.order(field, round) {
			p.round(c, run)
		}
	}
	model := comparedModel{
		Name: preset, Parameters: sizes.Parameters, Prompt: run.prompt, Context: run.context,
		Day: time.Now().UTC().Format(time.DateOnly), Rounds: p.rounds, Samples: p.samples, Disturbed: p.disturbed,
	}
	for _, c := range field {
		model.Subjects = append(model.Subjects, c.subject)
		if c.witness != nil {
			model.Subjects = append(model.Subjects, c.witness)
		}
	}
	p.Models = append(p.Models, model)
}

// order has the formats of both sides in turn; every other round the other side
// begins.
func (p *peers) order(field []*contestant, round int) []*contestant {
	var list []*contestant
	seen := map[*contestant]bool{}
	add := func(format string) {
		for _, c := range field {
			if c.Format == format && !seen[c] {
				seen[c] = true
				list = append(list, c)
			}
		}
	}
	for _, pair := range pairs {
		if round%2 == 0 {
			add(pair.ours)
			add(pair.theirs)
		} else {
			add(pair.theirs)
			add(pair.ours)
		}
	}
	return list
}

// round takes every sample of one contestant.
func (p *peers) round(c *contestant, run course) {
	sizes := []int{1}
	if slices.Contains(run.batched, c.Format) {
		sizes = batchSizes
	}
	for _, threads := range p.threads {
		if c.Ours {
			p.sampleOurs(c, run, threads, sizes)
		} else {
			p.sampleTheirs(c, run, threads, sizes)
		}
	}
	if run.launched {
		p.launch(c, slices.Max(p.threads))
	}
	if slices.Contains(run.witnessed, c.Format) {
		p.witness(c, run)
	}
}

// witness has the prebuilt binary run the same file with one thread.
func (p *peers) witness(c *contestant, run course) {
	if p.llama.folder == "" {
		p.note("the prebuilt binary of llama.cpp was not run: LLAMA_BIN names programs without it")
		return
	}
	if c.witness == nil {
		c.witness = &subject{Format: c.Format + ", prebuilt", File: c.File}
	}
	var prefill, decode float64
	p.steady(c.witness.Format, func() { prefill, decode = p.llama.prebuilt(p.t, c.path, 1, run.prompt, run.gen) })
	c.witness.add(prefillKey(1), prefill)
	c.witness.add(decodeKey(1), decode)
}

// steady takes a sample until others leave the machine alone, but not for ever.
func (p *peers) steady(what string, sample func()) {
	others := quietest(p.tries, sample)
	p.samples++
	if others >= disturbed {
		p.disturbed++
		p.t.Logf("%s: others kept %.2f processors busy", what, others)
	}
}

func (p *peers) sampleOurs(c *contestant, run course, threads int, batches []int) {
	var r benchResult
	args := []string{"--repeat", "1", "--threads", strconv.Itoa(threads), "--prompt", strconv.Itoa(run.prompt),
		"--gen", strconv.Itoa(run.gen), "--batch", commas(batches)}
	if run.context > 0 {
		args = append(args, "--at", strconv.Itoa(run.context))
	}
	p.steady(c.Format, func() { r = p.bench(c.path, args...) })
	c.Math, c.Bytes, p.Level = r.Math, r.WeightBytes, r.Level
	p.raiseLimit(threads, machineLimit{threads, r.Limits[0].Read, r.Limits[0].FMA, r.Limits[0].Dot})
	first := r.Runs[0]
	c.add(decodeKey(threads), first.Decode.Median)
	c.add(decodeShareKey(threads), first.DecodeFraction.Median)
	c.add(prefillKey(threads), first.Prefill.Median)
	c.add(prefillShareKey(threads), first.PrefillFraction.Median)
	for _, at := range r.Contexts {
		c.add(contextKey(threads), at.Decode.Median)
	}
	if len(batches) == 1 {
		return
	}
	for _, b := range r.Runs {
		c.add(batchKey(threads, b.Batch), b.Decode.Median)
		c.add(batchShareKey(threads, b.Batch), b.RooflineFraction.Median)
	}
}

// raiseLimit keeps the best that was seen of this machine.
func (p *peers) raiseLimit(threads int, l machineLimit) {
	for i := range p.Limits {
		if have := &p.Limits[i]; have.Threads == threads {
			have.Read, have.FMA, have.Dot = max(have.Read, l.Read), max(have.FMA, l.FMA), max(have.Dot, l.Dot)
			return
		}
	}
	p.Limits = append(p.Limits, l)
}

func (p *peers) sampleTheirs(c *contestant, run course, threads int, batches []int) {
	var runs []llamaRun
	p.steady(c.Format, func() { runs = p.llama.bench(p.t, c.path, threads, run.prompt, run.gen) })
	for _, r := range runs {
		c.Bytes = r.Size
		if r.Gen == 0 {
			c.add(prefillKey(threads), r.Speed)
		} else {
			c.add(decodeKey(threads), r.Speed)
		}
	}
	if run.context > 0 {
		p.steady(c.Format, func() { runs = p.llama.benchAt(p.t, c.path, threads, run.context, run.gen) })
		c.add(contextKey(threads), runs[0].Speed)
	}
	if len(batches) == 1 {
		return
	}
	var speeds map[int]float64
	p.steady(c.Format, func() { speeds = p.llama.batched(p.t, c.path, threads, run.gen/2, batches) })
	for n, speed := range speeds {
		c.add(batchKey(threads, n), speed)
	}
}

// launchPrompt is eight tokens of either tokenizer.
const launchPrompt = " the the the the the the the the"

// launch measures what a user sees: the time from exec to the first byte, and
// the most memory that was resident. One run before warms the page cache.
func (p *peers) launch(c *contestant, threads int) {
	const n, tries = 16, 3
	command := func() *exec.Cmd {
		if c.Ours {
			return exec.Command(c.path, "run", launchPrompt, "-n", strconv.Itoa(n), "--ignore-eos", "--threads", strconv.Itoa(threads))
		}
		return p.llama.completion(c.path, launchPrompt, threads, n)
	}
	succeed(p.t, command())
	var all []float64
	p.steady(c.Format, func() {
		all = nil
		for range tries {
			all = append(all, untilOutput(p.t, command()))
		}
	})
	slices.Sort(all)
	c.add(firstKey, all[len(all)/2])
	c.add(residentKey, float64(watched(p.t, command(), "VmHWM")))
}

// TestPeersOrder: both sides take turns, and the other one begins every other
// round.
func TestPeersOrder(t *testing.T) {
	var field []*contestant
	for _, format := range []string{"f16", "int4", "F16", "Q4_0", "Q4_K_M"} {
		field = append(field, &contestant{subject: &subject{Format: format}})
	}
	for round, want := range []string{"f16 F16 int4 Q4_0 Q4_K_M", "F16 f16 Q4_0 int4 Q4_K_M"} {
		var got []string
		for _, c := range new(peers).order(field, round) {
			got = append(got, c.Format)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("round %d: %v, want %s", round, got, want)
		}
	}
}
