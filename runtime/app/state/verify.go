package state

import (
	"fmt"
	"io"

	"github.com/mambac/mambac/runtime/app"
	"github.com/mambac/mambac/runtime/library"
)

// verdict is a file of the library in verify --json.
type verdict struct {
	Name  string `json:"name"`
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
}

func verify(s *app.Session, args []string) error {
	o, f := new(libOptions), app.NewFlags("verify")
	o.tells(f)
	l, names, err := o.openFor(s, f, args, 0, 1)
	if err != nil {
		return err
	}
	verdicts, err := verdicts(l, names)
	if err != nil {
		return err
	}
	bad := 0
	for _, v := range verdicts {
		if !v.OK {
			bad++
		}
	}
	if o.json {
		err = printJSON(s.Out, map[string]any{"ok": bad == 0, "states": verdicts})
	} else {
		err = printVerdicts(s.Out, verdicts)
	}
	if err == nil && bad > 0 {
		err = fmt.Errorf("%d of %d are no states that can be used; delete them or put copies in their place", bad, len(verdicts))
	}
	return err
}

// verdicts looks at the states named, or at all that the library's folder holds.
func verdicts(l *library.Library, names []string) ([]verdict, error) {
	all := len(names) == 0
	list := []verdict{}
	if all {
		var err error
		if names, err = l.Names(); err != nil {
			return nil, err
		}
	}
	for _, name := range names {
		v := verdict{Name: name, OK: true}
		if err := l.Verify(name); err != nil {
			v.OK, v.Error = false, err.Error()
		}
		list = append(list, v)
	}
	if !all {
		return list, nil
	}
	strangers, err := l.Strangers()
	for _, name := range strangers {
		list = append(list, verdict{Name: name, Error: "is no state, and is not looked into"})
	}
	return list, err
}

func printVerdicts(w io.Writer, list []verdict) error {
	for _, v := range list {
		text := "whole"
		if !v.OK {
			text = fmt.Sprintf("%q", v.Error)
		}
		if _, err := fmt.Fprintf(w, "%-20s %s\n", printable(v.Name), text); err != nil {
			return err
		}
	}
	return nil
}

// printable is a name as it is, if it can be one of a state.
func printable(name string) string {
	if library.CheckName(name) != nil {
		return fmt.Sprintf("%q", name)
	}
	return name
}
