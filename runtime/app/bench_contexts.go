package app

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mambac/mambac/runtime/cpu"
	"github.com/mambac/mambac/runtime/engine"
)

// benchContext is how fast one sequence is after a number of tokens.
type benchContext struct {
	Threads      int     `json:"threads"`
	Context      int     `json:"context"`
	FirstTokenS  float64 `json:"first_token_s"` // reading of all the context, and one step
	Decode       spread  `json:"decode_tokens_s"`
	StateBytes   int64   `json:"state_bytes"`   // of the sequence at this length
	HighestBytes *int64  `json:"highest_bytes"` // resident so far; null where the system does not tell
	// Others is how many processors other processes kept busy from the length
	// before to the end of decoding here; null where nothing tells.
	Others *float64 `json:"others_cpu"`
}

// benchContexts reads one text as far as the longest context, and decodes a
// little at each length on the way. What was decoded is taken back: the
// sequence is not copied, for at the longest contexts it may fill the memory.
func (s *Session) benchContexts(e *engine.Engine, o *benchOptions) ([]benchContext, error) {
	lengths := slices.Compact(slices.Sorted(slices.Values(o.at)))
	last := lengths[len(lengths)-1]
	if err := e.CheckPosition(last + o.gen); err != nil {
		return nil, err
	}
	ids := benchIDs(last+o.gen, e.Shape().Vocab)
	state := e.NewState()
	saved := make([]float32, len(state.Block())) // one for all lengths, lest garbage count as memory of the model
	var list []benchContext
	reading := time.Duration(0)
	for _, n := range lengths {
		busy := watchOthers()
		start := time.Now()
		if err := e.Prefill(s.Context, state, ids[state.Pos():n], engine.LastLogits, drop); err != nil {
			return nil, err
		}
		reading += time.Since(start)
		decode, err := s.benchSteps(e, state, saved, ids[n:n+o.gen], o.repeat)
		if err != nil {
			return nil, err
		}
		c := benchContext{Threads: e.Threads(), Context: n, Decode: decode, StateBytes: int64(state.Bytes()), Others: busy()}
		c.FirstTokenS = reading.Seconds() + 1/decode.Median
		if highest := ownResidentBytes(); highest > 0 {
			c.HighestBytes = &highest
		}
		list = append(list, c)
	}
	return list, nil
}

// watchOthers begins to watch other processes: the function that it returns
// says how many processors they have kept busy since. The system counts in
// hundredths of a second, so it says nothing of times that are not far longer.
func watchOthers() func() *float64 {
	const shortest = 200 * time.Millisecond
	start := time.Now()
	before, _ := cpu.OthersSeconds()
	return func() *float64 {
		after, ok := cpu.OthersSeconds()
		elapsed := time.Since(start)
		if !ok || elapsed < shortest {
			return nil
		}
		others := max(0, after-before) / elapsed.Seconds()
		return &others
	}
}

// benchSteps decodes the ids several times from where the state stands, which
// is where it stands afterwards. It overwrites saved, which is as long as the
// state's block.
func (s *Session) benchSteps(e *engine.Engine, state *engine.State, saved []float32, ids []int32, repeat int) (spread, error) {
	position := state.Pos()
	copy(saved, state.Block())
	states, logits := []*engine.State{state}, [][]float32{e.NewLogits()}
	var speeds []float64
	for range repeat {
		start := time.Now()
		for i := range ids {
			if err := e.Decode(s.Context, states, ids[i:i+1], logits); err != nil {
				return spread{}, err
			}
		}
		speeds = append(speeds, float64(len(ids))/time.Since(start).Seconds())
		copy(state.Block(), saved)
		state.SetPos(position)
	}
	return newSpread(speeds), nil
}

// writeContexts is a table of the contexts, if there are any.
func (r *benchReport) writeContexts(b *strings.Builder) {
	if len(r.Contexts) == 0 {
		return
	}
	fmt.Fprintf(b, "\nthreads  context  decode tokens/s  first token s  state MiB\n")
	for _, c := range r.Contexts {
		fmt.Fprintf(b, "%7d %8d %16.1f %14.2f %10.2f\n", c.Threads, c.Context, c.Decode.Median, c.FirstTokenS, float64(c.StateBytes)/(1<<20))
	}
}
