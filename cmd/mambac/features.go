package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mambac/mambac/codegen"
)

// features lists what --with adds to a program: a command each, in the package
// of that name below runtime/app. Programs hold what they were asked to hold and
// no more, in this order.
var features = []string{"serve", "chat", "state", explaining}

// featureFlags is what --with says.
type featureFlags struct{ with []string }

func (o *featureFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&o.with, "with", nil, "commands that the program has besides those of every program: "+strings.Join(features, ", "))
	choices(cmd, "with", features...)
}

// check tells of features that there are not.
func (o *featureFlags) check() error {
	for _, name := range o.with {
		if err := oneOf("with", name, features...); err != nil {
			return err
		}
	}
	return nil
}

// features is what was asked for, each once.
func (o *featureFlags) features() []string {
	var list []string
	for _, name := range features {
		if slices.Contains(o.with, name) {
			list = append(list, name)
		}
	}
	return list
}

// programOptions is what a program that somebody asked for is compiled with.
func (o *featureFlags) programOptions(m *model) codegen.Options {
	return codegen.Options{Package: "main", Doc: programDoc(m), Commands: o.features()}
}
