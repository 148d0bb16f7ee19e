package chat

import (
	"errors"
	"flag"
	"math/rand/v2"

	"github.com/mambac/mambac/runtime/app"
	"github.com/mambac/mambac/runtime/sample"
	"github.com/mambac/mambac/runtime/template"
)

// options is what the flags say.
type options struct {
	app.Workers
	sampling  sample.Options
	tokens    int // of an answer; -1 for no bound
	stops     [][]byte
	ignoreEOS bool
	system    string
	state     string
	plain     bool
	noHistory bool
}

func parse(args []string) (*options, error) {
	o := &options{sampling: sample.Default()}
	o.sampling.Seed = rand.Uint64()
	f := app.NewFlags("chat")
	o.register(f)
	if _, err := app.Parse(f, args, 0); err != nil {
		return nil, err
	}
	return o, o.check()
}

func (o *options) register(f *flag.FlagSet) {
	f.StringVar(&o.system, "system", "", "")
	f.BoolVar(&o.plain, "plain", false, "")
	f.StringVar(&o.state, "state", "", "")
	f.BoolVar(&o.noHistory, "no-history", false, "")
	f.IntVar(&o.tokens, "n", 1024, "")
	f.BoolVar(&o.ignoreEOS, "ignore-eos", false, "")
	f.Float64Var(&o.sampling.Temperature, "temperature", o.sampling.Temperature, "")
	f.IntVar(&o.sampling.TopK, "top-k", o.sampling.TopK, "")
	f.Float64Var(&o.sampling.TopP, "top-p", o.sampling.TopP, "")
	f.Float64Var(&o.sampling.MinP, "min-p", o.sampling.MinP, "")
	f.Float64Var(&o.sampling.RepetitionPenalty, "repetition-penalty", o.sampling.RepetitionPenalty, "")
	f.Uint64Var(&o.sampling.Seed, "seed", o.sampling.Seed, "")
	f.Func("stop", "", func(text string) error {
		if text == "" {
			return errors.New("is empty")
		}
		o.stops = append(o.stops, []byte(text))
		return nil
	})
	o.Register(f)
	o.RegisterContext(f)
}

// check tells of what makes no sense.
func (o *options) check() error {
	switch {
	case o.tokens < -1 || o.tokens == 0:
		return app.Usagef("-n %d: want a number of tokens, or -1 for no bound", o.tokens)
	case o.plain && o.system != "":
		return app.Usagef("--system needs the chat template that --plain does without")
	case o.state != "" && o.system != "":
		return app.Usagef("--system belongs to the beginning of a conversation, and --state stands in its place; give one of them")
	}
	if _, err := sample.New(o.sampling, 1); err != nil {
		return app.Usagef("%v", err)
	}
	return o.Check()
}

// form is how conversations are written for the model.
func (o *options) form(list []template.Template, m *app.Artifact) (form, error) {
	switch {
	case m.Tokenizer == nil:
		return nil, errors.New("this model was built without a tokenizer, so it reads no messages; run --ids continues token ids")
	case o.plain:
		f := &plain{tokenizer: m.Tokenizer}
		if id, ok := m.Meta.First(); ok {
			f.first = []int32{id}
		}
		return f, nil
	case len(list) == 0:
		return nil, errors.New("the checkpoint has no chat template, so nobody knows how it wants conversations written; --plain talks without one: the text simply goes on")
	}
	return &templated{tokenizer: m.Tokenizer, template: &list[0]}, nil
}
