package main

import (
	"github.com/spf13/cobra"

	"github.com/mambac/mambac/importer"
	"github.com/mambac/mambac/importer/family"
)

// importFlags are the choices that configs do not make, a flag for each; the
// zero value has none of them.
type importFlags struct{ cmd *cobra.Command }

func (f *importFlags) register(cmd *cobra.Command) {
	f.cmd = cmd
	for _, o := range family.Options {
		cmd.Flags().String(o.Name, o.Values[0], o.Usage)
		choices(cmd, o.Name, o.Values...)
	}
}

// check tells of wrong usage.
func (f *importFlags) check() error {
	given := f.options()
	for _, o := range family.Options {
		if value, ok := given[o.Name]; ok {
			if err := oneOf(o.Name, value, o.Values...); err != nil {
				return err
			}
		}
	}
	return nil
}

// options are the flags that were given.
func (f *importFlags) options() importer.Options {
	given := importer.Options{}
	if f.cmd == nil {
		return given
	}
	for _, o := range family.Options {
		if flag := f.cmd.Flags().Lookup(o.Name); flag.Changed {
			given[o.Name] = flag.Value.String()
		}
	}
	return given
}

// optionNames lists the names of the flags.
func optionNames() []string {
	var list []string
	for _, o := range family.Options {
		list = append(list, o.Name)
	}
	return list
}
