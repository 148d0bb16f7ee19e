package main

import (
	"path/filepath"
	"strconv"

	"github.com/mambac/mambac/importer"
	"github.com/mambac/mambac/importer/checkpoint"
	"github.com/mambac/mambac/runtime/payload"
)

// model is an imported checkpoint, whose files stay open.
type model struct {
	*importer.Model
	checkpoint *checkpoint.Checkpoint
	name       string
}

// openModel opens and imports the CHECKPOINT of a command.
func openModel(argument string, o importer.Options) (*model, error) {
	path, name, err := locate(argument)
	if err != nil {
		return nil, err
	}
	c, err := checkpoint.Open(path)
	if err != nil {
		return nil, err
	}
	m, err := importer.Import(c, o)
	if err != nil {
		c.Close()
		return nil, err
	}
	return &model{Model: m, checkpoint: c, name: name}, nil
}

func (m *model) close() { m.checkpoint.Close() }

// output is a file that a flag names.
type output struct{ flag, path string }

// refuseOutputs tells of files that would replace each other, or what the model
// is read from. Those without a path do not count.
func (m *model) refuseOutputs(outputs ...output) error {
	seen := map[string]string{}
	for _, o := range outputs {
		if o.path == "" {
			continue
		}
		path := filepath.Clean(o.path)
		if other := seen[path]; other != "" {
			return usagef("%s and %s are both %s", other, o.flag, o.path)
		}
		if seen[path] = o.flag; m.checkpoint.Holds(path) {
			return usagef("%s %s: is a file of the checkpoint; choose another name", o.flag, o.path)
		}
	}
	return nil
}

// chosen is what no config says and was chosen, by the names of flags; nil if
// there was nothing to choose.
func (m *model) chosen() map[string]string {
	var list map[string]string
	for _, c := range m.Choices {
		if list == nil {
			list = map[string]string{}
		}
		list[c.Name] = c.Value
	}
	return list
}

// card is the sizes that a program shows of its model, and what was chosen.
func (m *model) card() []payload.Fact {
	var facts []payload.Fact
	for _, f := range m.Facts {
		facts = append(facts, payload.Fact{Name: f.Name, Value: strconv.Itoa(f.Value)})
	}
	for _, c := range m.Choices {
		facts = append(facts, payload.Fact{Name: c.Name, Value: c.Value})
	}
	return facts
}
