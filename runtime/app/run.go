package app

import (
	"flag"
	"math/rand/v2"
	"slices"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/sample"
)

var runCommand = command{
	name:    "run",
	summary: "continue a text",
	run:     (*session).runText,
	help: `Continues a text and prints the continuation as it comes.

  %[1]s run "func main() {" -n 64
  %[1]s run --prompt-file notes.txt --temperature 0.8 --top-p 0.95 --seed 7
  echo "Once upon" | %[1]s run - --stop "The end"
  %[1]s run --ids 1,2,3 --print ids

The prompt is an argument, - for standard input, --prompt-file or --ids. An
empty prompt starts from the model's begin token.

  -n N                     at most N tokens (default 256; -1: no bound)
  --prompt-file FILE       read the prompt from a file
  --ids 1,2,3              token ids instead of a text, taken as they are
  --print text|ids         what to print (default text)
  --echo                   print the prompt too
  --stop TEXT              end before this text; may be given more than once
  --ignore-eos             go on behind end tokens
  --temperature T          0 takes the likeliest token always (default 0)
  --top-k K                sample among the K likeliest (default 0: all)
  --top-p P                sample among the likeliest that make up P (default 1)
  --min-p P                drop tokens below P times the likeliest (default 0)
  --repetition-penalty R   above 1, tokens of the text so far lose (default 1)
  --seed S                 same seed, same text (default: drawn, see --stats)
  --logprobs N             per token, the N likeliest and their logs, on stderr
  --threads N              workers (default: physical cores available)
  --stats                  speeds and settings on stderr at the end

On a terminal control characters are printed as escapes. Piped output is the
text and nothing else; ids are separated by spaces and end with a newline.
`,
}

// runOptions is what the flags of run say.
type runOptions struct {
	prompt
	temperature            float64
	topP, minP, repetition float64
	n, topK                int
	logprobs, threads      int
	seed                   uint64
	stops                  texts
	print                  string
	ignoreEOS, echo, stats bool
}

func (o *runOptions) register(f *flag.FlagSet) {
	o.prompt.register(f)
	f.IntVar(&o.n, "n", 256, "")
	f.Float64Var(&o.temperature, "temperature", 0, "")
	f.IntVar(&o.topK, "top-k", 0, "")
	f.Float64Var(&o.topP, "top-p", 1, "")
	f.Float64Var(&o.minP, "min-p", 0, "")
	f.Float64Var(&o.repetition, "repetition-penalty", 1, "")
	f.Uint64Var(&o.seed, "seed", 0, "")
	f.Var(&o.stops, "stop", "")
	f.BoolVar(&o.ignoreEOS, "ignore-eos", false, "")
	f.IntVar(&o.logprobs, "logprobs", 0, "")
	f.IntVar(&o.threads, "threads", 0, "")
	f.StringVar(&o.print, "print", "text", "")
	f.BoolVar(&o.echo, "echo", false, "")
	f.BoolVar(&o.stats, "stats", false, "")
}

func (o *runOptions) parse(args []string) ([]string, error) {
	f := newFlags("run")
	o.register(f)
	arguments, err := parse(f, args, 1)
	if err != nil {
		return nil, err
	}
	if err := o.check(arguments); err != nil {
		return nil, err
	}
	if !given(f, "seed") {
		o.seed = rand.Uint64()
	}
	return arguments, o.checkValues()
}

func (o *runOptions) checkValues() error {
	switch {
	case o.print != "text" && o.print != "ids":
		return usagef("--print %s: want text or ids", o.print)
	case o.n < -1:
		return usagef("-n %d: want a number of tokens, or -1 for no limit", o.n)
	case o.logprobs < 0:
		return usagef("--logprobs %d: want a number of tokens", o.logprobs)
	case o.threads < 0:
		return usagef("--threads %d: want a number of workers, or 0 for one per physical core", o.threads)
	case len(o.stops) > 0 && o.print == "ids":
		return usagef("--stop needs --print text")
	}
	return nil
}

func (s *session) runText(args []string) error {
	var o runOptions
	arguments, err := o.parse(args)
	if err != nil {
		return err
	}
	m, err := s.load()
	if err != nil {
		return err
	}
	defer m.close()
	ids, text, err := o.encode(s, m, arguments)
	if err != nil {
		return err
	}
	g, err := s.newGeneration(m, &o, ids)
	if err != nil {
		return err
	}
	defer g.engine.Close()
	if o.echo {
		if err := g.out.echo(ids, text); err != nil {
			return err
		}
	}
	err = g.run(s, ids)
	if end := g.out.end(); err == nil {
		err = end
	}
	if o.stats {
		g.stats.print(s.err, g)
	}
	return err
}

// generation continues one sequence.
type generation struct {
	options  *runOptions
	engine   *engine.Engine
	sampler  *sample.Sampler
	out      emitter
	logprobs *logprobs // nil for none
	end      []int32
	stats    stats

	states []*engine.State
	logits [][]float32
	ids    []int32
}

// emitter prints what is generated.
type emitter interface {
	echo(ids []int32, text string) error
	// token prints the next id; stopped says that a stop text has come.
	token(id int32) (stopped bool, err error)
	end() error
}

func (s *session) newGeneration(m *model, o *runOptions, ids []int32) (*generation, error) {
	g := &generation{options: o}
	var err error
	if g.out, err = s.newEmitter(m, o); err != nil {
		return nil, err
	}
	if g.sampler, err = o.sampler(m, m.compiled.Shape.Vocab); err != nil {
		return nil, err
	}
	if g.engine, err = m.engine(o.threads); err != nil {
		return nil, err
	}
	if err := g.engine.CheckIDs(ids); err != nil {
		g.engine.Close()
		return nil, err
	}
	if !o.ignoreEOS {
		g.end = m.meta.EOS
	}
	if o.logprobs > 0 {
		g.logprobs = &logprobs{w: s.err, n: min(o.logprobs, g.engine.Shape().Vocab), tokenizer: m.tokenizer}
	}
	g.states = []*engine.State{g.engine.NewState()}
	g.logits = [][]float32{g.engine.NewLogits()}
	g.ids = make([]int32, 1)
	return g, nil
}

// run feeds the prompt and then token after token.
func (g *generation) run(s *session, prompt []int32) error {
	for _, id := range prompt {
		g.sampler.Accept(id)
	}
	g.stats.start(s.started, len(prompt))
	keep := func(_ int, logits []float32) error {
		copy(g.logits[0], logits)
		return nil
	}
	if err := g.engine.Prefill(s.ctx, g.states[0], prompt, engine.LastLogits, keep); err != nil {
		return err
	}
	g.stats.prefilled()
	for n := 0; n != g.options.n; n++ {
		if n > 0 {
			if err := g.engine.Decode(s.ctx, g.states, g.ids, g.logits); err != nil {
				return err
			}
		}
		done, err := g.next()
		if done || err != nil {
			return err
		}
	}
	return nil
}

// next samples one token and prints it; done tells that the text has ended.
func (g *generation) next() (done bool, err error) {
	logits := g.logits[0]
	id := g.sampler.Next(logits)
	if id < 0 {
		return true, errNoLogits
	}
	if slices.Contains(g.end, id) {
		return true, nil
	}
	g.sampler.Accept(id)
	g.ids[0] = id
	if done, err = g.out.token(id); err != nil {
		return true, err
	}
	g.stats.generated()
	if g.logprobs != nil {
		err = g.logprobs.print(logits, id)
	}
	return done, err
}
