package app

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/mambac/mambac/runtime/tokenizer"
)

var errNoLogits = errors.New("the model gives no finite logit; are its weights damaged? (info --check tells)")

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
	fmt.Fprintf(w, "level %s, threads %d, seed %d\n", g.engine.Level(), g.engine.Threads(), g.options.seed)
}

func milliseconds(d time.Duration) float64 { return float64(d) / 1e6 }

// logprobs writes a line per token: the token, then the likeliest ones.
type logprobs struct {
	w         io.Writer
	n         int
	tokenizer *tokenizer.Tokenizer // nil for none
	sum       float64
	logits    []float32
	list      []ranked
	text      []byte
}

// rank looks at the logits before anything changes them.
func (l *logprobs) rank(logits []float32) {
	l.sum = logSum(logits)
	l.logits = append(l.logits[:0], logits...)
	l.list = top(l.list, logits, l.sum, l.n)
}

func (l *logprobs) print(id int32) error {
	l.text = l.item(l.text[:0], ranked{id, float64(l.logits[id]) - l.sum})
	l.text = append(l.text, '\t')
	for _, r := range l.list {
		l.text = l.item(append(l.text, ' '), r)
	}
	_, err := l.w.Write(append(l.text, '\n'))
	return err
}

func (l *logprobs) item(dst []byte, r ranked) []byte {
	dst = fmt.Appendf(dst, "%d:%.4f", r.id, r.logprob)
	if l.tokenizer != nil {
		dst = fmt.Appendf(dst, ":%q", l.tokenizer.AppendDecode(nil, []int32{r.id}, false))
	}
	return dst
}
