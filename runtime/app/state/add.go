package state

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/mambac/mambac/runtime/app"
	"github.com/mambac/mambac/runtime/library"
)

// addOptions is what the flags of lib add say.
type addOptions struct {
	options
	libOptions
	prompt  string
	replace bool
	name    string
	files   []string
}

func parseAdd(args []string) (*addOptions, error) {
	var o addOptions
	f := app.NewFlags("add")
	o.options.register(f)
	o.libOptions.register(f)
	f.StringVar(&o.prompt, "prompt", "", "")
	f.BoolVar(&o.replace, "replace", false, "")
	arguments, err := app.Parse(f, args, len(args))
	if err != nil {
		return nil, err
	}
	if len(arguments) == 0 {
		return nil, app.Usagef("state lib add: the name of a state is missing")
	}
	o.name, o.files = arguments[0], arguments[1:]
	for _, name := range []string{o.name, o.from} {
		if err := library.CheckName(name); name != "" && err != nil {
			return nil, app.Usagef("%v", err)
		}
	}
	if len(o.files) == 0 && o.prompt == "" {
		return nil, app.Usagef("state lib add: no text: give files, - or --prompt")
	}
	return &o, o.Check()
}

func add(s *app.Session, args []string) error {
	o, err := parseAdd(args)
	if err != nil {
		return err
	}
	l, err := o.open(s)
	if err != nil {
		return err
	}
	if err := o.requireNew(l); err != nil {
		return err
	}
	text, err := o.text(s)
	if err != nil {
		return err
	}
	r, err := newReader(s, &o.options)
	if err != nil {
		return err
	}
	defer r.close()
	if err := o.begin(r, l); err != nil {
		return err
	}
	ids, err := r.ids(text)
	if err != nil {
		return err
	}
	if err := r.read(ids); err != nil {
		return err
	}
	r.snapshot.Label, r.snapshot.Source, r.snapshot.Parent = o.label, o.sourceOr(o.files...), o.from
	e := library.Entry{Created: now()}
	return l.Put(o.name, e, func(w io.Writer) error { return r.codec.Write(w, r.snapshot) })
}

// requireNew tells of a name that is taken before anything is read.
func (o *addOptions) requireNew(l *library.Library) error {
	if o.replace {
		return nil
	}
	file, _, err := l.Get(o.name)
	switch {
	case err == nil:
		file.Close()
		return fmt.Errorf("%s: is in the library already; choose another name, or --replace it", o.name)
	case errors.Is(err, library.ErrNotFound):
		return nil
	}
	return err
}

// begin makes the reader go on from a state, if one is named.
func (o *addOptions) begin(r *reader, l *library.Library) error {
	if o.from == "" {
		return nil
	}
	file, _, err := l.Get(o.from)
	if err != nil {
		return err
	}
	defer file.Close()
	if r.snapshot, err = r.codec.ReadWhole(bufio.NewReader(file)); err != nil {
		return fmt.Errorf("%s: %w", l.Path(o.from), err)
	}
	return nil
}

// text is what all sources hold, one behind the other.
func (o *addOptions) text(s *app.Session) (string, error) {
	var b strings.Builder
	for _, file := range o.files {
		text, err := readText(s, file)
		if err != nil {
			return "", err
		}
		b.WriteString(text)
	}
	b.WriteString(o.prompt)
	return b.String(), nil
}

func readText(s *app.Session, file string) (string, error) {
	if file == "-" {
		return s.Text([]string{file}, "")
	}
	return s.Text(nil, file)
}
