package app

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mambac/mambac/runtime/cpu"
	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/hugepage"
	"github.com/mambac/mambac/runtime/payload"
	"github.com/mambac/mambac/runtime/probe"
)

var benchCommand = Command{
	Name:    "bench",
	Summary: "measure speed against the limits of this machine",
	Run:     (*Session).bench,
	Help: `Measures prefill and decode, and this machine's limits in the same run: the
rate of sequential reads (1 GiB of memory is taken for that) and of float32
multiply-adds and dot products of int8 and bfloat16 (multiply-adds again where
the processor has none for those).

  %[1]s bench
  %[1]s bench --json --threads 1,2 --prompt 512 --gen 128 --batch 1,8 --repeat 5

  --json         one JSON object
  --threads 1,2  workers (default: 1 and the physical cores available)
  --prompt N     tokens of a prefill (default 512)
  --gen N        decode steps (default 128)
  --mmap         leave the weights to the page cache; else they are moved into
                 huge pages before the first round if that is faster
  --batch 1,8    sequences decoded together (default 1)
  --repeat N     rounds of each: least, median, greatest (default 5)
  --at 512,4096  decode after so many tokens of one text, too
  --replay FILE  write texts again, id by id and with lookup (see run
                 --speculate): rows of ids in a safetensors file, --prompt of
                 each and what followed, which another model may have chosen

decode_fraction_of_bandwidth is the bytes that decoding must read ÷ what the
same threads could read; sequences decoded together read the weights once.
prefill_fraction_of_peak likewise for arithmetic. decode_fraction_of_roofline
is the greater one of the two for decoding: of what would end first.
huge_page_bytes is how much of the weights decode read from huge pages;
first_token_ms is from exec to the first byte of a run with 8 tokens.
contexts has a line for each length of --at: first_token_s is the reading of all
before it and one step, state_bytes what the sequence takes there, highest_bytes
the most that was resident until then, others_cpu how many processors other
processes kept busy meanwhile: what was measured beside them says little.
`,
}

// benchReport is the object of bench --json.
type benchReport struct {
	CPU          string       `json:"cpu"`
	Flags        []string     `json:"flags"`
	Level        string       `json:"level"`
	Weights      string       `json:"weights"`
	Math         string       `json:"math"`
	Limits       []benchLimit `json:"limits"`
	Runs         []benchRun   `json:"runs"`
	StateBytes   int64        `json:"state_bytes"`
	WeightBytes  int64        `json:"weight_bytes"`
	HugeBytes    *int64       `json:"huge_page_bytes"` // of the weights; null where the system does not tell
	RSSBytes     *int64       `json:"rss_bytes"`       // likewise
	FirstTokenMS *float64     `json:"first_token_ms"`

	Contexts []benchContext `json:"contexts,omitempty"`
	Replays  []benchReplay  `json:"replays,omitempty"`
}

type benchLimit struct {
	Threads  int     `json:"threads"`
	ReadGBs  float64 `json:"read_gb_s"`
	FMAFlops float64 `json:"fma_gflop_s"`
	DotOps   float64 `json:"dot_gop_s"`
	BF16     float64 `json:"bf16_dot_gflop_s"`
}

type benchRun struct {
	Threads             int    `json:"threads"`
	Batch               int    `json:"batch"`
	Decode              spread `json:"decode_tokens_s"`
	Prefill             spread `json:"prefill_tokens_s"`
	DecodeFraction      spread `json:"decode_fraction_of_bandwidth"`
	RooflineFraction    spread `json:"decode_fraction_of_roofline"`
	PrefillFraction     spread `json:"prefill_fraction_of_peak"`
	DecodeBytesPerToken int64  `json:"decode_bytes_per_token"`
	PrefillFlopPerToken int64  `json:"prefill_flop_per_token"`
}

// spread is how far the rounds lie apart.
type spread struct {
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	Max    float64 `json:"max"`
}

func newSpread(values []float64) spread {
	slices.Sort(values)
	n := len(values)
	return spread{values[0], (values[(n-1)/2] + values[n/2]) / 2, values[n-1]}
}

func (s spread) scaled(by float64) spread { return spread{s.Min * by, s.Median * by, s.Max * by} }

// benchOptions is what the flags of bench say.
type benchOptions struct {
	json                bool
	workers             Workers
	threads, batch, at  numbers
	prompt, gen, repeat int
	replay              string
}

func (o *benchOptions) parse(args []string) error {
	f := NewFlags("bench")
	f.BoolVar(&o.json, "json", false, "")
	f.Var(&o.threads, "threads", "")
	o.workers.registerMmap(f)
	f.Var(&o.batch, "batch", "")
	f.IntVar(&o.prompt, "prompt", 512, "")
	f.IntVar(&o.gen, "gen", 128, "")
	f.IntVar(&o.repeat, "repeat", 5, "")
	f.Var(&o.at, "at", "")
	f.StringVar(&o.replay, "replay", "", "")
	if _, err := Parse(f, args, 0); err != nil {
		return err
	}
	if len(o.threads) == 0 {
		o.threads = slices.Compact(numbers{1, cpu.PhysicalCores()})
	}
	if len(o.batch) == 0 {
		o.batch = numbers{1}
	}
	if slices.Contains(o.threads, 0) || slices.Contains(o.batch, 0) || slices.Contains(o.at, 0) {
		return Usagef("--threads, --batch and --at: want numbers ≥ 1")
	}
	if o.prompt < 1 || o.gen < 1 || o.repeat < 1 {
		return Usagef("--prompt, --gen and --repeat: want numbers ≥ 1")
	}
	return nil
}

// bench measures the program as a user runs it, then the engine, then the
// machine: what comes later takes more memory and must not count before.
func (s *Session) bench(args []string) error {
	var o benchOptions
	if err := o.parse(args); err != nil {
		return err
	}
	m, err := s.Load()
	if err != nil {
		return err
	}
	defer m.Close()
	r := &benchReport{
		CPU: cpu.Name(), Flags: cpu.Flags(), Weights: m.Meta.Weights, Math: m.Meta.Math,
		StateBytes: m.Meta.StateBytes, WeightBytes: m.Meta.WeightBytes,
	}
	if err := s.benchProgram(m, r); err != nil {
		return err
	}
	for _, threads := range o.threads {
		if err := s.benchThreads(m, &o, threads, r); err != nil {
			return err
		}
	}
	for _, threads := range o.threads {
		if err := s.benchLimits(threads, r); err != nil {
			return err
		}
	}
	r.relate(m.Meta, &o)
	if o.json {
		return s.printJSON(r)
	}
	return s.printBench(r)
}

// benchThreads runs all batches with one number of threads.
func (s *Session) benchThreads(m *Artifact, o *benchOptions, threads int, r *benchReport) error {
	o.workers.Threads = threads
	e, err := m.newEngine(o.workers)
	if err != nil {
		return err
	}
	defer e.Close()
	if err := s.settle(m, e, o, r); err != nil {
		return err
	}
	r.Level = e.Level()
	if len(o.at) > 0 {
		contexts, err := s.benchContexts(e, o)
		if err != nil {
			return err
		}
		r.Contexts = append(r.Contexts, contexts...)
	}
	if o.replay != "" {
		replay, err := s.benchReplay(e, o)
		if err != nil {
			return err
		}
		r.Replays = append(r.Replays, replay)
	}
	for _, batch := range o.batch {
		run := benchRun{Threads: threads, Batch: batch}
		var prefill, decode []float64
		for range o.repeat {
			p, d, err := s.benchRound(e, o, batch)
			if err != nil {
				return err
			}
			prefill, decode = append(prefill, p), append(decode, d)
		}
		run.Prefill, run.Decode = newSpread(prefill), newSpread(decode)
		r.Runs = append(r.Runs, run)
	}
	return nil
}

// settle brings weights and buffers to where a long run has them.
func (s *Session) settle(m *Artifact, e *engine.Engine, o *benchOptions, r *benchReport) error {
	if err := e.Prefill(s.Context, e.NewState(), benchIDs(o.prompt, e.Shape().Vocab), engine.LastLogits, drop); err != nil {
		return err
	}
	if err := e.Decode(s.Context, []*engine.State{e.NewState()}, []int32{0}, [][]float32{e.NewLogits()}); err != nil {
		return err
	}
	if err := e.MoveAll(s.Context); err != nil {
		return err
	}
	if weights, ok := m.File.Section(payload.WeightsSection); ok {
		if n, ok := hugepage.Bytes(weights); ok {
			r.HugeBytes = &n
		}
	}
	return nil
}

// benchRound is one prefill of a fresh sequence, and then decode steps of
// batch copies of it; in tokens a second.
func (s *Session) benchRound(e *engine.Engine, o *benchOptions, batch int) (prefill, decode float64, err error) {
	state := e.NewState()
	ids := benchIDs(o.prompt, e.Shape().Vocab)
	start := time.Now()
	if err := e.Prefill(s.Context, state, ids, engine.LastLogits, drop); err != nil {
		return 0, 0, err
	}
	prefill = float64(o.prompt) / time.Since(start).Seconds()
	states, logits := make([]*engine.State, batch), make([][]float32, batch)
	for i := range states {
		states[i], logits[i] = state.Clone(), e.NewLogits()
	}
	steps := benchIDs(o.gen+batch, e.Shape().Vocab)
	start = time.Now()
	for i := range o.gen {
		if err := e.Decode(s.Context, states, steps[i:i+batch], logits); err != nil {
			return 0, 0, err
		}
	}
	return prefill, float64(o.gen*batch) / time.Since(start).Seconds(), nil
}

// drop takes logits that nobody wants.
func drop(int, []float32) error { return nil }

// benchIDs spreads over the vocabulary: no two rows of the embedding are
// neighbours.
func benchIDs(n, vocab int) []int32 {
	ids := make([]int32, n)
	for i := range ids {
		ids[i] = int32((i*7919 + 13) % vocab)
	}
	return ids
}

func (s *Session) benchLimits(threads int, r *benchReport) error {
	if err := s.Context.Err(); err != nil {
		return err
	}
	limit, err := s.limits(threads)
	r.Limits = append(r.Limits, limit)
	return err
}

// probeLimits measures the machine.
func probeLimits(threads int) (benchLimit, error) {
	read, err := probe.ReadGBs(threads)
	if err != nil {
		return benchLimit{}, err
	}
	return benchLimit{threads, read, probe.FMAGFlops(threads), probe.DotGOPs(threads), probe.RoundedDotGFlops(threads)}, nil
}

// relate puts the runs into proportion to the limits of as many threads.
func (r *benchReport) relate(meta *payload.Metadata, o *benchOptions) {
	for i := range r.Runs {
		run := &r.Runs[i]
		at := slices.IndexFunc(r.Limits, func(l benchLimit) bool { return l.Threads == run.Threads })
		run.relate(meta, o.prompt, &r.Limits[at])
	}
}

func (run *benchRun) relate(meta *payload.Metadata, prompt int, limit *benchLimit) {
	// A step reads the weights once for all sequences, and each one's state.
	state := 2 * meta.StateBytes
	step := meta.DecodeBytesPerToken - state + int64(run.Batch)*state
	run.DecodeBytesPerToken = step / int64(run.Batch)
	run.PrefillFlopPerToken = meta.PrefillFlopPerToken + meta.HeadFlop/int64(prompt)
	peak := limit.peak(meta)
	// Seconds that a token takes by either limit.
	reading := float64(step) / float64(run.Batch) / (limit.ReadGBs * 1e9)
	computing := float64(meta.PrefillFlopPerToken+meta.HeadFlop) / (peak * 1e9)
	run.DecodeFraction = run.Decode.scaled(reading)
	run.RooflineFraction = run.Decode.scaled(max(reading, computing))
	run.PrefillFraction = run.Prefill.scaled(float64(run.PrefillFlopPerToken) / (peak * 1e9))
}

// peak is the rate of the arithmetic that a program's products are made with.
func (l *benchLimit) peak(meta *payload.Metadata) float64 {
	switch {
	case meta.Math != "fast":
		return l.FMAFlops
	case meta.Weights == "bf16":
		return l.BF16
	}
	return l.DotOps
}

func (s *Session) printBench(r *benchReport) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, level %s, weights %s, math %s\n", r.CPU, r.Level, r.Weights, r.Math)
	for _, l := range r.Limits {
		fmt.Fprintf(&b, "limits of %d threads: read %.1f GB/s, f32 %.0f GFLOP/s, int8 %.0f GOP/s\n", l.Threads, l.ReadGBs, l.FMAFlops, l.DotOps)
	}
	fmt.Fprintf(&b, "\nthreads batch  decode tokens/s  of read limit  of roofline  prefill tokens/s  of peak\n")
	for _, run := range r.Runs {
		fmt.Fprintf(&b, "%7d %5d %16.1f %13.1f%% %11.1f%% %17.1f %7.1f%%\n", run.Threads, run.Batch,
			run.Decode.Median, 100*run.DecodeFraction.Median, 100*run.RooflineFraction.Median,
			run.Prefill.Median, 100*run.PrefillFraction.Median)
	}
	r.writeContexts(&b)
	r.writeReplays(&b)
	fmt.Fprintf(&b, "\nweights %.1f MiB, state %.1f KiB a sequence", float64(r.WeightBytes)/(1<<20), float64(r.StateBytes)/(1<<10))
	if r.HugeBytes != nil {
		fmt.Fprintf(&b, ", in huge pages %.1f MiB", float64(*r.HugeBytes)/(1<<20))
	}
	if r.RSSBytes != nil {
		fmt.Fprintf(&b, ", resident %.1f MiB", float64(*r.RSSBytes)/(1<<20))
	}
	if r.FirstTokenMS != nil {
		fmt.Fprintf(&b, ", first token %.1f ms", *r.FirstTokenMS)
	}
	_, err := fmt.Fprintln(s.Out, b.String())
	return err
}
