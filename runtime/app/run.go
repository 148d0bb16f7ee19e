package app

import (
	"context"
	"errors"
	"flag"
	"iter"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/mambac/mambac/runtime/model"
)

var runCommand = Command{
	Name:    "run",
	Summary: "continue a text",
	Run:     (*Session).runText,
	Help: `Continues a text and prints the continuation as it comes.

  %[1]s run "func main() {" -n 64
  %[1]s run --prompt-file notes.txt --temperature 0.8 --top-p 0.95 --seed 7
  echo "Once upon" | %[1]s run - --stop "The end"
  %[1]s run --state read.state "What follows?" --save-state more.state
  %[1]s run --ids 1,2,3 --print ids

The prompt is an argument, - for standard input, --prompt-file or --ids. An
empty prompt starts from the model's begin token, or from what follows a state.

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
  --speculate auto|on|off  read ahead what followed the last tokens before, as
                           part of the next pass. The text stays the same. auto:
                           at temperature 0, where it is faster and the state
                           has at most 24 MiB, or 12 in a large mixture of
                           experts (default)
  --threads N              workers (default: physical cores available)
  --context N              of a model with attention, at most N tokens of prompt
                           and continuation: it keeps something of every token,
                           or of those in its window (see info; default 0: as
                           many as memory holds, or as the model is computed
                           for, if info tells of a longest text)
  --stop-at-context        end there; without it that is an error
  --state FILE             go on from a saved state, at once; a prompt is read
                           behind it as it is
  --save-state FILE        at the end, save what was read and written, the token
                           that ended it too; else FILE stays as it was
  --mmap                   leave the weights to the page cache; else a long
                           run moves them into huge pages if that is faster
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
	logprobs               int
	Workers
	seed                   uint64
	stops                  texts
	print, speculate       string
	ignoreEOS, echo, stats bool
	stopAtContext          bool // end there, which else is an error
	states
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
	o.Workers.Register(f)
	o.RegisterContext(f)
	f.BoolVar(&o.stopAtContext, "stop-at-context", false, "")
	f.StringVar(&o.print, "print", "text", "")
	f.StringVar(&o.speculate, "speculate", speculateAuto, "")
	f.BoolVar(&o.echo, "echo", false, "")
	f.BoolVar(&o.stats, "stats", false, "")
	o.states.register(f)
}

func (o *runOptions) parse(args []string) ([]string, error) {
	f := NewFlags("run")
	o.register(f)
	arguments, err := Parse(f, args, 1)
	if err != nil {
		return nil, err
	}
	if err := o.check(arguments); err != nil {
		return nil, err
	}
	o.more = o.from != ""
	if !given(f, "seed") {
		o.seed = rand.Uint64()
	}
	if err := o.checkValues(); err != nil {
		return nil, err
	}
	return arguments, o.checkSampling()
}

func (o *runOptions) checkValues() error {
	switch {
	case o.print != "text" && o.print != "ids":
		return Usagef("--print %s: want text or ids", o.print)
	case !slices.Contains([]string{speculateAuto, speculateOn, speculateOff}, o.speculate):
		return Usagef("--speculate %s: want auto, on or off", o.speculate)
	case o.n < -1:
		return Usagef("-n %d: want a number of tokens, or -1 for no limit", o.n)
	case o.logprobs < 0:
		return Usagef("--logprobs %d: want a number of tokens", o.logprobs)
	case len(o.stops) > 0 && o.print == "ids":
		return Usagef("--stop needs --print text")
	}
	return o.Workers.Check()
}

// startPercent lets the heap grow to 16 MiB before garbage is collected: before
// the first token there is next to none, and looking for it takes a core.
const startPercent = 400

// lateCollection puts garbage collection off until collect is called.
func lateCollection() (collect func()) {
	before := debug.SetGCPercent(startPercent)
	return sync.OnceFunc(func() { debug.SetGCPercent(before) })
}

func (s *Session) runText(args []string) error {
	var o runOptions
	arguments, err := o.parse(args)
	if err != nil {
		return err
	}
	collect := lateCollection()
	defer collect()
	a, err := s.openArtifact() // the model reads the tokenizer
	if err != nil {
		return err
	}
	defer a.Close()
	if o.stopAtContext && o.Context == 0 && a.Meta.Longest.Tokens == 0 {
		return Usagef("--stop-at-context needs --context N")
	}
	g, err := s.newGeneration(a, &o)
	if err != nil {
		return err
	}
	defer g.model.Close()
	ids, text, err := g.prompt(s, arguments)
	if err != nil {
		return err
	}
	g.collect = collect
	err = g.write(s, ids, text)
	if o.stats {
		g.stats.print(s.Err, g)
	}
	return err
}

// generation continues one sequence.
type generation struct {
	options  *runOptions
	model    *model.Model
	session  *model.Session
	out      emitter
	ends     []int     // ids that end the text
	logprobs *logprobs // nil for none
	ahead    *model.Speculation
	stats    stats
	collect  func() // garbage, from the first token on
}

// emitter prints what is generated.
type emitter interface {
	echo(ids []int, text string) error
	token(t model.Token) error
	// endToken prints what the token that ends a text has released.
	endToken(t model.Token) error
	end() error
}

func (s *Session) newGeneration(a *Artifact, o *runOptions) (*generation, error) {
	opts := []model.Option{model.OpenedPayload(a.File), model.Threads(o.Threads), model.Context(o.Context)}
	if o.Mmap {
		opts = append(opts, model.PageCache())
	}
	m, err := model.Open(&model.Package{Name: a.Meta.Name, Compiled: s.Compiled}, opts...)
	if err != nil {
		return nil, err
	}
	g := &generation{options: o, model: m, session: m.NewSession(), ahead: o.speculation()}
	if !o.ignoreEOS {
		g.ends = m.EndTokens()
	}
	if g.out, err = s.newEmitter(a, m, o); err == nil && o.logprobs > 0 {
		g.logprobs, err = s.newLogprobs(a, o)
	}
	if err != nil {
		m.Close()
		return nil, err
	}
	return g, nil
}

// prompt is the ids to be read, behind the state that the text goes on from, and what
// they were made of.
func (g *generation) prompt(s *Session, arguments []string) (ids []int, text string, err error) {
	if err := g.resume(); err != nil {
		return nil, "", err
	}
	if ids, text, err = g.options.encode(s, g.begin, arguments); err != nil {
		return nil, "", err
	}
	return ids, text, g.requireLogits(ids)
}

// write prints the text to its end, and saves the state that it has come to.
func (g *generation) write(s *Session, ids []int, text string) error {
	err := g.run(s, ids, text)
	if err == nil || s.Context.Err() != nil || g.stats.count > 0 { // a failure before the first token prints nothing
		if end := g.out.end(); err == nil {
			err = end
		}
	}
	if err == nil {
		err = g.save()
	}
	return err
}

// run feeds the prompt and then token after token.
func (g *generation) run(s *Session, prompt []int, text string) error {
	g.stats.start(s.started, len(prompt))
	if err := g.session.Prefill(s.Context, prompt); err != nil {
		return err
	}
	g.stats.prefilled()
	if g.ahead != nil {
		g.ahead.Text = prompt
	}
	if g.options.echo {
		if err := g.out.echo(prompt, text); err != nil {
			return err
		}
	}
	for t, err := range g.tokens(s.Context) {
		if g.options.stopAtContext && errors.Is(err, model.ErrContext) {
			return nil
		}
		if err == nil {
			err = g.print(t)
		}
		if err != nil {
			return err
		}
		g.collect()
	}
	return nil
}

// tokens continues the prompt. Rows that the tokenizer has no token for never
// follow a text.
func (g *generation) tokens(ctx context.Context) iter.Seq2[model.Token, error] {
	options := append(g.options.generate(), model.Speculate(g.ahead))
	if g.options.byIDs() || g.model.Tokenizer() == nil {
		return g.session.GenerateIDs(ctx, nil, options...)
	}
	return g.session.Generate(ctx, "", options...)
}

// print prints one token; one that ends the text is none of it.
func (g *generation) print(t model.Token) error {
	if slices.Contains(g.ends, t.ID) {
		return g.out.endToken(t)
	}
	if err := g.out.token(t); err != nil {
		return err
	}
	g.stats.generated()
	if g.logprobs == nil {
		return nil
	}
	return g.logprobs.print(g.session.Logits(), int32(t.ID))
}
