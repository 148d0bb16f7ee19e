// Package explain is the command that shows what a model chose to remember of a
// text; it sees the runtime only.
package explain

import (
	"github.com/mambac/mambac/runtime/app"
	"github.com/mambac/mambac/runtime/atomicfile"
	"github.com/mambac/mambac/runtime/heat"
)

// Command is what a program has that was built --with explain.
var Command = app.Command{
	Name:    "explain",
	Summary: "show what the model remembers of a text",
	Run:     run,
	Help: `Shows Δ for every token of a text and every layer: the step by which a layer
decides how much of a token to write into its state. Large ones are written,
small ones pass by. A layer's Δ is the mean over its channels or heads; shades are
ranks among the tokens of one layer, so that layers can be compared. Layers of
attention have no Δ and stay empty.

  %[1]s explain "The password is 4711. The weather is fine."
  %[1]s explain --prompt-file main.go --html main.html
  %[1]s explain --json < main.go

The text, of at most 4096 tokens, is an argument, --prompt-file, --ids or, without
any or with -, standard input. Without --html and --json, a line is printed for
every token.

  --prompt-file FILE  read from a file
  --ids 1,2,3         token ids, taken as they are
  --html FILE         write a page that shows it, whole or not at all
  --json              print model, tokens, layers and delta as one JSON object
  --threads N         workers (default: physical cores available)
  --mmap              leave the weights to the page cache
`,
}

// options is what the flags say.
type options struct {
	app.Workers
	file, ids, html string
	json            bool
	arguments       []string
}

func parse(args []string) (*options, error) {
	var o options
	f := app.NewFlags("explain")
	f.StringVar(&o.file, "prompt-file", "", "")
	f.StringVar(&o.ids, "ids", "", "")
	f.StringVar(&o.html, "html", "", "")
	f.BoolVar(&o.json, "json", false, "")
	o.Register(f)
	var err error
	if o.arguments, err = app.Parse(f, args, 1); err != nil {
		return nil, err
	}
	sources := len(o.arguments)
	for _, text := range []string{o.file, o.ids} {
		if text != "" {
			sources++
		}
	}
	if sources > 1 {
		return nil, app.Usagef("more than one text: give an argument, -, --prompt-file or --ids")
	}
	if len(o.arguments) == 0 {
		o.arguments = []string{"-"}
	}
	return &o, o.Check()
}

func run(s *app.Session, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	m, err := s.Start(o.Workers)
	if err != nil {
		return err
	}
	defer m.Close()
	r, err := heat.New(m.Engine, m.Meta, m.Weights())
	if err != nil {
		return err
	}
	ids, err := o.read(s, m.Artifact)
	if err != nil {
		return err
	}
	delta, err := r.Read(s.Context, ids, heat.Texts(m.Tokenizer, ids))
	if err != nil {
		return err
	}
	return o.show(s, delta)
}

// show writes Δ along a text in the forms that were asked for.
func (o *options) show(s *app.Session, delta *heat.Map) error {
	if o.html != "" {
		if err := atomicfile.Write(o.html, 0o666, delta.WriteHTML); err != nil {
			return err
		}
	}
	switch {
	case o.json:
		return delta.Write(s.Out)
	case o.html == "":
		return delta.WriteText(s.Out)
	}
	return nil
}

// read is the ids of the text.
func (o *options) read(s *app.Session, a *app.Artifact) (ids []int32, err error) {
	if o.ids != "" {
		ids, err = app.ParseIDs(o.ids)
	} else {
		ids, err = o.encode(s, a)
	}
	switch {
	case err != nil:
		return nil, err
	case len(ids) == 0:
		return nil, app.Usagef("the text is empty")
	case len(ids) > heat.MaxTokens:
		return nil, app.Usagef("the text has %d tokens, want at most %d", len(ids), heat.MaxTokens)
	}
	return ids, nil
}

func (o *options) encode(s *app.Session, a *app.Artifact) ([]int32, error) {
	t, err := a.Text()
	if err != nil {
		return nil, err
	}
	text, err := s.Text(o.arguments, o.file)
	if err != nil {
		return nil, err
	}
	return t.AppendEncode(nil, text, true)
}
