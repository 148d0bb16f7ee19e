package app

import (
	"fmt"
	"strings"
	"time"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/lookup"
	"github.com/mambac/mambac/runtime/sample"
)

// benchReplay is how fast given texts are continued, id by id and with lookup.
type benchReplay struct {
	Threads int    `json:"threads"`
	Texts   int    `json:"texts"`
	Tokens  int    `json:"tokens"` // that continue them, of all texts
	Plain   spread `json:"plain_tokens_s"`
	Lookup  spread `json:"lookup_tokens_s"`
	Speedup spread `json:"speedup"` // of the rounds
	// Of the last round.
	Passes     int      `json:"passes"`
	Candidates int      `json:"candidates"`
	Accepted   int      `json:"accepted"`
	Others     *float64 `json:"others_cpu"` // null where nothing tells
}

// replays are rounds in which texts are written again: what the model would choose
// makes no difference, so they may be another's.
type replays struct {
	session *Session
	engine  *engine.Engine
	sampler *sample.Sampler
	logits  []float32
	prompt  int

	report        benchReplay
	plain, lookup time.Duration // of the round at hand
}

// benchReplay measures each text both ways, one after the other, in every round.
func (s *Session) benchReplay(e *engine.Engine, o *benchOptions) (benchReplay, error) {
	r := &replays{session: s, engine: e, logits: e.NewLogits(), prompt: o.prompt}
	var err error
	if r.sampler, err = sample.New(sample.Default(), e.Shape().Vocab); err != nil {
		return r.report, err
	}
	busy := watchOthers()
	var plain, ahead, speedup []float64
	for range o.repeat {
		r.report, r.plain, r.lookup = benchReplay{Threads: e.Threads()}, 0, 0
		if err := windowsOf(o.replay, "", r.text); err != nil {
			return r.report, err
		}
		plain = append(plain, float64(r.report.Tokens)/r.plain.Seconds())
		ahead = append(ahead, float64(r.report.Tokens)/r.lookup.Seconds())
		speedup = append(speedup, r.plain.Seconds()/r.lookup.Seconds())
	}
	r.report.Plain, r.report.Lookup, r.report.Speedup = newSpread(plain), newSpread(ahead), newSpread(speedup)
	r.report.Others = busy()
	return r.report, nil
}

// text reads a prompt and then what follows it, twice.
func (r *replays) text(ids []int32) error {
	if len(ids) <= r.prompt {
		return fmt.Errorf("%d ids, want more than the %d of --prompt", len(ids), r.prompt)
	}
	ctx := r.session.Context
	state := r.engine.NewState()
	if err := r.engine.Prefill(ctx, state, ids[:r.prompt], engine.NoLogits, nil); err != nil {
		return err
	}
	start := time.Now()
	guide := lookup.NewGuide(r.engine, false)
	guide.Note(ids[:r.prompt]...)
	reader := lookup.NewReader(r.engine, state.Clone())
	reader.Follow(guide)
	r.lookup += time.Since(start)

	states, logits := []*engine.State{state}, [][]float32{r.logits}
	err := r.follow(ids, &r.plain, func(at int) error { return r.engine.Decode(ctx, states, ids[at:at+1], logits) })
	if err == nil {
		err = r.follow(ids, &r.lookup, func(at int) error { return reader.Read(ctx, ids[at], len(ids)-at-1, r.logits) })
	}
	c := reader.Counts()
	r.report.Texts++
	r.report.Tokens += len(ids) - r.prompt
	r.report.Passes += c.Passes
	r.report.Candidates += c.Candidates
	r.report.Accepted += c.Accepted
	return err
}

// follow has the ids behind the prompt read, and looked for what follows each.
func (r *replays) follow(ids []int32, took *time.Duration, read func(at int) error) error {
	start := time.Now()
	for at := r.prompt; at < len(ids); at++ {
		if err := read(at); err != nil {
			return err
		}
		r.sampler.Next(r.logits)
	}
	*took += time.Since(start)
	return nil
}

// writeReplays is a table of the replays, if there are any.
func (r *benchReport) writeReplays(b *strings.Builder) {
	if len(r.Replays) == 0 {
		return
	}
	fmt.Fprintf(b, "\nthreads  tokens  plain tokens/s  with lookup  speed-up  passes  candidates  accepted\n")
	for _, p := range r.Replays {
		fmt.Fprintf(b, "%7d %7d %15.1f %12.1f %9.2f %7d %11d %9d\n", p.Threads, p.Tokens,
			p.Plain.Median, p.Lookup.Median, p.Speedup.Median, p.Passes, p.Candidates, p.Accepted)
	}
}
