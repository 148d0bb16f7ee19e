package state

import (
	"errors"
	"path/filepath"
	"time"

	"github.com/mambac/mambac/runtime/app"
	"github.com/mambac/mambac/runtime/snapshot"
)

// saveOptions is what the flags of save say.
type saveOptions struct {
	options
	to                string
	prompt, file, ids string
	created           bool
	sources           int // of the text
}

func parseSave(args []string) (*saveOptions, []string, error) {
	var o saveOptions
	f := app.NewFlags("save")
	o.register(f)
	f.StringVar(&o.to, "o", "", "")
	f.BoolVar(&o.created, "created", false, "")
	f.Func("prompt", "", o.once(&o.prompt))
	f.Func("prompt-file", "", o.once(&o.file))
	f.Func("ids", "", o.once(&o.ids))
	arguments, err := app.Parse(f, args, 1)
	if err != nil {
		return nil, nil, err
	}
	switch o.sources += len(arguments); {
	case o.to == "":
		err = app.Usagef("-o FILE is missing")
	case o.sources == 0:
		err = app.Usagef("no text: give an argument, --prompt, --prompt-file or --ids")
	case o.sources > 1:
		err = app.Usagef("more than one text: give an argument, --prompt, --prompt-file or --ids")
	default:
		err = o.Check()
	}
	return &o, arguments, err
}

// once counts a source of the text.
func (o *saveOptions) once(to *string) func(string) error {
	return func(text string) error {
		if text == "" && to != &o.prompt {
			return errors.New("is empty")
		}
		*to = text
		o.sources++
		return nil
	}
}

// describe says of a snapshot what the flags say.
func (o *saveOptions) describe(n *snapshot.Snapshot) {
	n.Label, n.Source, n.Parent, n.Created = o.label, o.sourceOr(o.file), "", time.Time{}
	if o.from != "" {
		n.Parent = filepath.Base(o.from)
	}
	if o.created {
		n.Created = now().UTC().Truncate(time.Second)
	}
}

func save(s *app.Session, args []string) error {
	o, arguments, err := parseSave(args)
	if err != nil {
		return err
	}
	r, err := newReader(s, &o.options)
	if err != nil {
		return err
	}
	defer r.close()
	if o.from != "" {
		if r.snapshot, err = r.codec.Load(o.from); err != nil {
			return err
		}
	}
	ids, err := o.read(r, arguments)
	if err != nil {
		return err
	}
	if err := r.read(ids); err != nil {
		return err
	}
	o.describe(r.snapshot)
	return r.codec.Save(o.to, r.snapshot)
}

// read is the ids of the text.
func (o *saveOptions) read(r *reader, arguments []string) ([]int32, error) {
	if o.ids != "" {
		return app.ParseIDs(o.ids)
	}
	text := o.prompt
	if text == "" {
		var err error
		if text, err = r.session.Text(arguments, o.file); err != nil {
			return nil, err
		}
	}
	return r.ids(text)
}
