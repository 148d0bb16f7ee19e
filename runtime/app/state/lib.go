package state

import (
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/mambac/mambac/runtime/app"
	"github.com/mambac/mambac/runtime/library"
)

var libCommands = []command{{"add", add}, {"list", list}, {"show", show}, {"fork", fork}, {"delete", remove}, {"verify", verify}}

func lib(s *app.Session, args []string) error { return dispatch(s, "state lib", libCommands, args) }

// libOptions is what the flags of commands of the library say.
type libOptions struct {
	folder string
	json   bool
}

func (o *libOptions) register(f *flag.FlagSet) { f.StringVar(&o.folder, "library", "", "") }

// tells is for commands that tell something.
func (o *libOptions) tells(f *flag.FlagSet) {
	o.register(f)
	f.BoolVar(&o.json, "json", false, "")
}

// parseNames takes the arguments of a command, names of states, of which it needs
// some.
func parseNames(f *flag.FlagSet, args []string, least, most int) ([]string, error) {
	names, err := app.Parse(f, args, most)
	if err != nil {
		return nil, err
	}
	if len(names) < least {
		return nil, app.Usagef("state lib %s: the name of a state is missing", f.Name())
	}
	for _, name := range names {
		if err := library.CheckName(name); err != nil {
			return nil, app.Usagef("%v", err)
		}
	}
	return names, nil
}

// open opens the library that was named, or the one of this model.
func (o *libOptions) open(s *app.Session) (*library.Library, error) {
	folder := o.folder
	if folder == "" {
		a, err := s.Load()
		if err != nil {
			return nil, err
		}
		defer a.Close()
		if folder, err = library.Folder(a.Meta.Identity); err != nil {
			return nil, err
		}
	}
	l, err := library.Open(folder)
	if err != nil {
		return nil, err
	}
	l.Now = now
	return l, nil
}

// openFor is parseNames, and open behind it.
func (o *libOptions) openFor(s *app.Session, f *flag.FlagSet, args []string, least, most int) (*library.Library, []string, error) {
	names, err := parseNames(f, args, least, most)
	if err != nil {
		return nil, nil, err
	}
	l, err := o.open(s)
	return l, names, err
}

// entry is a state in --json.
type entry struct {
	Name    string    `json:"name"`
	File    string    `json:"file"`
	Tokens  int       `json:"tokens"`
	Bytes   int64     `json:"bytes"`
	Label   string    `json:"label,omitempty"`
	Source  string    `json:"source,omitempty"`
	Parent  string    `json:"parent,omitempty"`
	Created time.Time `json:"created,omitzero"`
	Model   string    `json:"model,omitempty"`
	Damage  string    `json:"damage,omitempty"`
}

func newEntry(l *library.Library, e *library.Entry) entry {
	return entry{e.Name, l.Path(e.Name), e.Tokens, e.Bytes, e.Label, e.Source, e.Parent, e.Created, e.Model, e.Damage}
}

func list(s *app.Session, args []string) error {
	o, f := new(libOptions), app.NewFlags("list")
	o.tells(f)
	if _, err := app.Parse(f, args, 0); err != nil {
		return err
	}
	l, err := o.open(s)
	if err != nil {
		return err
	}
	states, err := l.List()
	if err != nil {
		return err
	}
	if o.json {
		entries := []entry{}
		for i := range states {
			entries = append(entries, newEntry(l, &states[i]))
		}
		return printJSON(s.Out, map[string]any{"states": entries})
	}
	return printList(s.Out, states)
}

// printList writes a line for each state.
func printList(w io.Writer, states []library.Entry) error {
	var b strings.Builder
	wide := 4
	for _, e := range states {
		wide = max(wide, len(e.Name))
	}
	for _, e := range states {
		if e.Damage != "" {
			fmt.Fprintf(&b, "%-*s  damaged: %q\n", wide, e.Name, e.Damage)
			continue
		}
		fmt.Fprintf(&b, "%-*s %8d tokens %11s", wide, e.Name, e.Tokens, size(e.Bytes))
		for _, text := range []string{e.Label, e.Source} {
			if text != "" {
				fmt.Fprintf(&b, "  %q", text)
			}
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func show(s *app.Session, args []string) error {
	o, f := new(libOptions), app.NewFlags("show")
	o.tells(f)
	l, names, err := o.openFor(s, f, args, 1, 1)
	if err != nil {
		return err
	}
	file, e, err := l.Get(names[0])
	if err != nil {
		return err
	}
	file.Close()
	if o.json {
		return printJSON(s.Out, newEntry(l, &e))
	}
	return printEntry(s.Out, l, &e)
}

func printEntry(w io.Writer, l *library.Library, e *library.Entry) error {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-8s "+format+"\n", append([]any{name}, args...)...)
	}
	line("name", "%s", e.Name)
	line("file", "%s", l.Path(e.Name))
	line("size", "%s", size(e.Bytes))
	line("tokens", "%d", e.Tokens)
	described(line, e.Label, e.Source, e.Parent, e.Created)
	line("model", "%.16q", e.Model)
	_, err := io.WriteString(w, b.String())
	return err
}

func fork(s *app.Session, args []string) error {
	o, f := new(libOptions), app.NewFlags("fork")
	o.register(f)
	l, names, err := o.openFor(s, f, args, 2, 2)
	if err != nil {
		return err
	}
	return l.Fork(names[0], names[1])
}

func remove(s *app.Session, args []string) error {
	o, f := new(libOptions), app.NewFlags("delete")
	o.register(f)
	l, names, err := o.openFor(s, f, args, 1, 1)
	if err != nil {
		return err
	}
	return l.Delete(names[0])
}
