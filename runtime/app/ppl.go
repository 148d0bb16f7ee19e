package app

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"

	"github.com/mambac/mambac/runtime/engine"
)

var pplCommand = Command{
	Name:    "ppl",
	Summary: "perplexity of a text or of windows of ids",
	Run:     (*Session).ppl,
	Help: `Measures how well the model predicts a text: the mean negative log-likelihood
in nats per token, and its exponential, the perplexity.

  %[1]s ppl notes.txt
  %[1]s ppl - < notes.txt
  %[1]s ppl --windows windows.safetensors --buckets 0,512,1024

A text is one sequence from its first token. Windows are rows of an integer
tensor [W, n+1], each from a fresh state, whose last n ids are predicted.

  --windows FILE.safetensors  token ids instead of a text
  --tensor NAME               which tensor (default "windows", or else all
                              integer tensors of the file)
  --buckets 0,512,1024        the mean by position, too: [0,512), [512,1024), …
  --json                      one JSON object: nll, tokens, perplexity,
                              nll_by_position
  --threads N                 workers (default: physical cores available)
  --mmap                      leave the weights to the page cache
`,
}

// score is the object of ppl --json.
type score struct {
	NLL        float64  `json:"nll"` // mean over all predictions, nats
	Tokens     int      `json:"tokens"`
	Perplexity float64  `json:"perplexity"`
	ByPosition []bucket `json:"nll_by_position,omitempty"`
}

// bucket is the predictions from positions [From, To).
type bucket struct {
	From   int     `json:"from"`
	To     int     `json:"to"`
	NLL    float64 `json:"nll"`
	Tokens int     `json:"tokens"`
}

// scorer adds predictions up.
type scorer struct {
	sum     float64
	count   int
	buckets []bucket // NLL holds the sum until result
}

// newScorer takes the borders of the buckets; behind the last one another
// bucket is open.
func newScorer(borders []int) (*scorer, error) {
	var s scorer
	for i, from := range borders {
		to := math.MaxInt
		if i+1 < len(borders) {
			to = borders[i+1]
		}
		if to <= from {
			return nil, Usagef("--buckets: %d does not follow %d; want ascending positions", to, from)
		}
		s.buckets = append(s.buckets, bucket{From: from, To: to})
	}
	return &s, nil
}

// add takes the prediction that was made at a position of its sequence.
func (s *scorer) add(position int, nll float64) {
	s.sum += nll
	s.count++
	for i := range s.buckets {
		if b := &s.buckets[i]; position >= b.From && position < b.To {
			b.NLL += nll
			b.Tokens++
		}
	}
}

// result leaves out empty buckets; longest is the length of the longest
// sequence, where the open bucket ends.
func (s *scorer) result(longest int) (*score, error) {
	if s.count == 0 {
		return nil, errors.New("nothing to predict: a text needs at least two tokens")
	}
	r := &score{NLL: s.sum / float64(s.count), Tokens: s.count}
	r.Perplexity = math.Exp(r.NLL)
	if math.IsNaN(r.Perplexity) || math.IsInf(r.Perplexity, 0) {
		return nil, fmt.Errorf("mean nll is %v: the model gives no finite logits; are its weights damaged? (info --check tells)", r.NLL)
	}
	for _, b := range s.buckets {
		if b.Tokens > 0 {
			b.NLL /= float64(b.Tokens)
			b.To = min(b.To, longest)
			r.ByPosition = append(r.ByPosition, b)
		}
	}
	return r, nil
}

// pplOptions is what the flags of ppl say.
type pplOptions struct {
	windows, tensor string
	buckets         numbers
	json            bool
	Workers
	file string // "-" is standard input
}

func (o *pplOptions) parse(args []string) error {
	f := NewFlags("ppl")
	f.StringVar(&o.windows, "windows", "", "")
	f.StringVar(&o.tensor, "tensor", "", "")
	f.Var(&o.buckets, "buckets", "")
	f.BoolVar(&o.json, "json", false, "")
	o.Workers.Register(f)
	arguments, err := Parse(f, args, 1)
	if err != nil {
		return err
	}
	if (len(arguments) == 1) == (o.windows != "") {
		return Usagef("give a text file, -, or --windows FILE.safetensors")
	}
	if o.tensor != "" && o.windows == "" {
		return Usagef("--tensor needs --windows")
	}
	if len(arguments) == 1 {
		o.file = arguments[0]
	}
	return nil
}

func (s *Session) ppl(args []string) error {
	var o pplOptions
	if err := o.parse(args); err != nil {
		return err
	}
	sum, err := newScorer(o.buckets)
	if err != nil {
		return err
	}
	m, err := s.Load()
	if err != nil {
		return err
	}
	defer m.Close()
	longest, err := s.scoreAll(m, &o, sum)
	if err != nil {
		return err
	}
	r, err := sum.result(longest)
	if err != nil {
		return err
	}
	return s.printScore(r, o.json)
}

// scoreAll adds all sequences to sum and returns the length of the longest.
func (s *Session) scoreAll(m *Artifact, o *pplOptions, sum *scorer) (longest int, err error) {
	sequences := s.windows(o)
	if o.windows == "" {
		if sequences, err = s.text(m, o.file); err != nil {
			return 0, err
		}
	}
	e, err := m.newEngine(o.Workers)
	if err != nil {
		return 0, err
	}
	defer e.Close()
	state := e.NewState()
	err = sequences(func(ids []int32) error {
		longest = max(longest, len(ids)-1)
		state.Reset()
		return scoreSequence(s.Context, e, state, ids, sum)
	})
	return longest, err
}

// scoreSequence predicts every id but the first.
func scoreSequence(ctx context.Context, e *engine.Engine, state *engine.State, ids []int32, sum *scorer) error {
	if err := e.CheckIDs(ids); err != nil || len(ids) < 2 {
		return err
	}
	return e.Prefill(ctx, state, ids[:len(ids)-1], engine.AllLogits, func(i int, logits []float32) error {
		sum.add(i, nll(logits, ids[i+1]))
		return nil
	})
}

// text is one sequence of ids.
func (s *Session) text(m *Artifact, file string) (sequences, error) {
	t, err := m.Text()
	if err != nil {
		return nil, err
	}
	text, err := s.fileOrInput(file)
	if err != nil {
		return nil, err
	}
	ids, err := t.AppendEncode(nil, text, true)
	if err != nil {
		return nil, err
	}
	return func(take func([]int32) error) error { return take(ids) }, nil
}

func (s *Session) fileOrInput(file string) (string, error) {
	if file == "-" {
		return readAll(s.Context, s.In)
	}
	text, err := os.ReadFile(file)
	return string(text), err
}

func (s *Session) printScore(r *score, asJSON bool) error {
	if asJSON {
		return s.printJSON(r)
	}
	if _, err := fmt.Fprintf(s.Out, "nll %.6f  perplexity %.4f  tokens %d\n", r.NLL, r.Perplexity, r.Tokens); err != nil {
		return err
	}
	for _, b := range r.ByPosition {
		if _, err := fmt.Fprintf(s.Out, "%d-%d  nll %.6f  tokens %d\n", b.From, b.To, b.NLL, b.Tokens); err != nil {
			return err
		}
	}
	return nil
}
