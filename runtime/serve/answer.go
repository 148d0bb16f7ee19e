package serve

import (
	"slices"
	"sync"
	"time"

	"github.com/mambac/mambac/runtime/sample"
	"github.com/mambac/mambac/runtime/stop"
	"github.com/mambac/mambac/runtime/tokenizer"
)

// event is a piece of a text that has been written.
type event struct {
	index  int // of the text in the answer
	text   string
	tokens []scored // that the text is of, if somebody asks
	finish string   // "" while it goes on
}

// Ends of texts.
const (
	finishStop   = "stop"
	finishLength = "length"
)

// events holds what has been written and not been taken yet. It never makes who
// writes wait: there are no more than tokens were asked for.
type events struct {
	ready chan struct{} // holds a value if there may be some
	mu    sync.Mutex
	list  []event
	count int // tokens written
}

func newEvents() *events { return &events{ready: make(chan struct{}, 1)} }

func (q *events) put(e event, tokens int) {
	q.mu.Lock()
	q.count += tokens
	if e.text != "" || e.finish != "" || len(e.tokens) > 0 {
		q.list = append(q.list, e)
	}
	q.mu.Unlock()
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// take gives what there is.
func (q *events) take() []event {
	q.mu.Lock()
	defer q.mu.Unlock()
	list := q.list
	q.list = nil
	return list
}

// written counts the tokens.
func (q *events) written() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.count
}

// answer is one text that is being written. The scheduler alone uses it.
type answer struct {
	*plan
	server *Server
	out    *events
	index  int
	seed   uint64 // beside the request's: texts of one prompt differ
	base   *held  // what comes before the prompt, nil for nothing
	prompt []int32
	begun  time.Time // when the request came, then of the last token

	sampler *sample.Sampler
	decoder *tokenizer.Decoder // nil without tokenizer
	stopper stop.Stopper
	counts  map[int32]int // of ids written; nil if that makes no difference
	logits  []float32     // with what is added to them; nil if that is nothing
	buffer  []byte

	ids     []int32  // that have been written
	count   int      // tokens
	decoded int      // bytes of text, held back ones too
	sent    int      // of them
	scored  []scored // tokens that wait for their text
	err     error
}

// begin makes what takes memory: of a text that waits there is nothing.
func (a *answer) begin() error {
	s := a.server
	o := a.sampling
	o.Seed += a.seed
	vocab := s.Engine.Shape().Vocab
	var err error
	if a.sampler, err = sample.New(o, vocab); err != nil {
		return err
	}
	a.stopper.Texts = a.stops
	if s.Tokenizer != nil {
		a.decoder = tokenizer.NewDecoder(s.Tokenizer, true)
	}
	if a.base != nil {
		a.prime(a.base.Snapshot)
	}
	for _, id := range a.prompt {
		a.sampler.Accept(id)
		if a.decoder != nil {
			a.decoder.Resume(id)
		}
	}
	if a.presence != 0 || a.frequency != 0 {
		a.counts = map[int32]int{}
	}
	if a.counts != nil || len(a.bias) > 0 {
		a.logits = make([]float32, vocab)
	}
	return nil
}

// next implements schedule.Next.
func (a *answer) next(logits []float32) (id int32, more bool) {
	if a.sampler == nil {
		if a.err = a.begin(); a.err != nil {
			return -1, false
		}
	}
	if id = a.sampler.Next(a.adjusted(logits)); id < 0 {
		a.err = errNoLogits
		return -1, false
	}
	a.accept(id)
	over := slices.Contains(a.ends, id)
	if a.logprobs >= 0 && !over {
		a.scored = append(a.scored, a.server.score(logits, id, a.logprobs, a.decoded))
	}
	finish := a.write(id, over)
	return id, finish == ""
}

func (a *answer) accept(id int32) {
	a.sampler.Accept(id)
	a.ids = append(a.ids, id)
	if a.counts != nil {
		a.counts[id]++
	}
	now := time.Now()
	a.server.metrics.token(now.Sub(a.begun), a.count == 0)
	a.begun = now
	a.count++
}

// adjusted is the logits with the biases and penalties that were asked for.
func (a *answer) adjusted(logits []float32) []float32 {
	if a.logits == nil {
		return logits
	}
	copy(a.logits, logits)
	for id, n := range a.counts {
		a.logits[id] -= float32(a.presence + a.frequency*float64(n))
	}
	for _, b := range a.bias {
		a.logits[b.id] += b.value
	}
	return a.logits
}

// write passes on what the token adds to the text, and says how it ends. An end
// token has no text; the last one brings what was held back.
func (a *answer) write(id int32, over bool) (finish string) {
	a.buffer = a.buffer[:0]
	if a.decoder != nil && !over {
		a.buffer = a.decoder.Append(a.buffer, id)
	}
	last := over || a.count >= a.tokens
	if a.decoder != nil && last {
		a.buffer = a.decoder.Flush(a.buffer)
	}
	a.decoded += len(a.buffer)
	out, stopped := a.stopper.Take(a.buffer)
	switch {
	case stopped || over:
		finish = finishStop
	case last:
		finish = finishLength
	}
	if last && !stopped {
		out = append(out, a.stopper.Rest()...)
	}
	a.sent += len(out)
	a.out.put(event{a.index, string(out), a.release(last && !stopped), finish}, 1)
	return finish
}

// release gives the tokens of which text has been passed on; all of them where
// nothing is held back any more.
func (a *answer) release(all bool) []scored {
	n := len(a.scored)
	for ; !all && n > 0 && a.scored[n-1].begin >= a.sent; n-- {
	}
	list := a.scored[:n:n]
	a.scored = a.scored[n:]
	return list
}
