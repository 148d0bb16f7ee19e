package app

import (
	"fmt"
	"io"
	"time"

	"github.com/mambac/mambac/runtime/sample"
	"github.com/mambac/mambac/runtime/tokenizer"
)

// stats is what --stats reports; times are those of the computation and the
// printing of tokens together.
type stats struct {
	started       time.Time // of the program
	prompt, count int
	begin, ready  time.Time // of the prefill
	first, last   time.Time // tokens printed
}

func (t *stats) start(started time.Time, prompt int) {
	t.started, t.prompt, t.begin = started, prompt, time.Now()
}

func (t *stats) prefilled() { t.ready = time.Now() }

func (t *stats) generated() {
	t.last = time.Now()
	if t.count == 0 {
		t.first = t.last
	}
	t.count++
}

// print writes one line; speeds of phases that did not happen are left out.
func (t *stats) print(w io.Writer, g *generation) {
	if !t.ready.IsZero() {
		d := t.ready.Sub(t.begin)
		fmt.Fprintf(w, "prefill %d tokens in %.1f ms, %.1f tokens/s; ", t.prompt, milliseconds(d), float64(t.prompt)/d.Seconds())
	}
	if t.count > 1 {
		d := t.last.Sub(t.first)
		fmt.Fprintf(w, "decode %d tokens in %.1f ms, %.1f tokens/s; ", t.count-1, milliseconds(d), float64(t.count-1)/d.Seconds())
	}
	if t.count > 0 {
		fmt.Fprintf(w, "first token after %.1f ms; ", milliseconds(t.first.Sub(t.started)))
	}
	if a := g.ahead; a != nil {
		fmt.Fprintf(w, "read ahead %d of %d candidates in %d passes; ", a.Accepted, a.Candidates, a.Passes)
	}
	fmt.Fprintf(w, "level %s, threads %d, seed %d\n", g.model.Level(), g.model.Threads(), g.options.seed)
}

func milliseconds(d time.Duration) float64 { return float64(d) / 1e6 }

// logprobs writes a line per token: the token, then the likeliest ones.
type logprobs struct {
	w         io.Writer
	n         int
	tokenizer *tokenizer.Tokenizer // nil for none
	list      []sample.LogProb
	text      []byte
}

func (s *Session) newLogprobs(a *Artifact, o *runOptions) (*logprobs, error) {
	err := a.openTokenizer()
	return &logprobs{w: s.Err, n: min(o.logprobs, a.compiled.Shape.Vocab), tokenizer: a.Tokenizer}, err
}

// print looks at the logits that the id was chosen from.
func (l *logprobs) print(logits []float32, id int32) error {
	var chosen float64
	l.list, chosen = sample.LogProbs(l.list[:0], logits, id, l.n)
	l.text = append(l.item(l.text[:0], sample.LogProb{ID: id, Value: chosen}), '\t')
	for _, p := range l.list {
		l.text = l.item(append(l.text, ' '), p)
	}
	_, err := l.w.Write(append(l.text, '\n'))
	return err
}

func (l *logprobs) item(dst []byte, p sample.LogProb) []byte {
	dst = fmt.Appendf(dst, "%d:%.4f", p.ID, p.Value)
	if l.tokenizer != nil {
		dst = fmt.Appendf(dst, ":%q", l.tokenizer.AppendDecode(nil, []int32{p.ID}, false))
	}
	return dst
}
