package app

import (
	"flag"
	"fmt"
)

// states is the files that a run begins and ends with; "" for none.
type states struct{ from, to string }

func (o *states) register(f *flag.FlagSet) {
	f.StringVar(&o.from, "state", "", "")
	f.StringVar(&o.to, "save-state", "", "")
}

// resume reads the state that the text goes on from.
func (g *generation) resume() error {
	if g.options.from == "" {
		return nil
	}
	return g.session.RestoreFile(g.options.from)
}

// begin is the ids of a text: behind another text those of the text alone.
func (g *generation) begin(text string) ([]int, error) {
	switch {
	case g.session.Position() == 0:
		return g.model.Prompt(text)
	case text == "":
		return nil, nil
	}
	return g.model.Tokenizer().EncodePlain(text)
}

// requireLogits tells of a state that ends before anything could be said of what
// follows, if nothing is read behind it.
func (g *generation) requireLogits(ids []int) error {
	if g.options.from == "" || len(ids) > 0 || g.session.Logits() != nil {
		return nil
	}
	return fmt.Errorf("%s: holds no logits, so that nothing tells what follows; give a prompt", g.options.from)
}

// save writes the state that the text has come to.
func (g *generation) save() error {
	if g.options.to == "" {
		return nil
	}
	return g.session.SaveFile(g.options.to)
}
