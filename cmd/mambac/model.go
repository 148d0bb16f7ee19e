package main

import (
	"fmt"
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

// openForProgram is openModel for commands that make programs. Where the only
// tokenizer is one that mambac does not read, they say at once that the program will
// take token ids alone.
func (c *console) openForProgram(argument string, o importer.Options) (*model, error) {
	m, err := openModel(argument, o)
	if err != nil || !m.SentencePiece {
		return m, err
	}
	if _, err := fmt.Fprintf(c.err, "note: %s %s; until then programs take token ids alone\n", m.checkpoint.Path, m.LacksTokenizer()); err != nil {
		m.close()
		return nil, err
	}
	return m, nil
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

// longest is the bound of a text, as programs know it.
func (m *model) longest() payload.Longest { return payload.Longest(m.Longest) }

// room is a number of tokens, or what a text of the model may have of them.
func (m *model) room(tokens int) int {
	if m.Longest.Tokens > 0 {
		return min(tokens, m.Longest.Tokens)
	}
	return tokens
}

// fit is a number of tokens and of those that are to follow, both so small that a
// text of the model has room for them: the last one is not read.
func (m *model) fit(tokens, follow int) (int, int) {
	if all := m.Longest.Tokens; all > 0 {
		follow = min(follow, (all+1)/2)
		tokens = min(tokens, all-follow+1)
	}
	return tokens, follow
}

// refuseLonger tells of a text that a flag makes longer than the model is computed
// for.
func (m *model) refuseLonger(flag string, tokens int64) error {
	if l := m.Longest; l.Tokens > 0 && tokens > int64(l.Tokens) {
		return fmt.Errorf("%s: %s: makes a text of %d tokens, more than the %d that the model is computed for: %s", m.checkpoint.Path, flag, tokens, l.Tokens, l.Reason)
	}
	return nil
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
