package family

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Option is a choice that no config makes, although it changes what a model
// computes: who imports must be told, or takes the first value.
type Option struct {
	Name   string // of the flag
	Usage  string
	Values []string
}

// Options lists all of them, in the order of flags.
var Options = []Option{mimoRotary, mamba3A}

// Choice is a value of an option.
type Choice struct{ Name, Value string }

// Choices are the values that somebody asked for, by the names of options, and
// those that a family took.
type Choices struct {
	asked map[string]string
	taken []Choice
}

// NewChoices checks values, of which there may be none, against the options.
func NewChoices(asked map[string]string) (*Choices, error) {
	for _, name := range slices.Sorted(maps.Keys(asked)) {
		i := slices.IndexFunc(Options, func(o Option) bool { return o.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("--%s: there is no such option", printable(name))
		}
		if o := Options[i]; !slices.Contains(o.Values, asked[name]) {
			return nil, fmt.Errorf("--%s %s: want %s", name, printable(asked[name]), strings.Join(o.Values, " or "))
		}
	}
	return &Choices{asked: asked}, nil
}

// take is the value of an option, for a model that it concerns.
func (c *Choices) take(o Option) string {
	value, ok := c.asked[o.Name]
	if !ok {
		value = o.Values[0]
	}
	if choice := (Choice{o.Name, value}); !slices.Contains(c.taken, choice) {
		c.taken = append(c.taken, choice)
	}
	return value
}

// Taken lists what was chosen for the model.
func (c *Choices) Taken() []Choice { return c.taken }

// Unused fails if something was asked for that does not concern the model.
func (c *Choices) Unused() error {
	for _, name := range slices.Sorted(maps.Keys(c.asked)) {
		if !slices.ContainsFunc(c.taken, func(t Choice) bool { return t.Name == name }) {
			return fmt.Errorf("--%s %s does not concern this model; leave it out", name, c.asked[name])
		}
	}
	return nil
}

// settled is an Import of a family whose configs say everything.
func settled(f func(Keys, *Set) (*Result, error)) func(Keys, *Set, *Choices) (*Result, error) {
	return func(c Keys, s *Set, _ *Choices) (*Result, error) { return f(c, s) }
}
