// Package convert writes an imported checkpoint in other layouts: those of
// checkpoints, and that of llama.cpp. It sees what the importer found, and the
// formats; values are streamed, rounded to the chosen type.
package convert

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/mambac/mambac/importer"
	"github.com/mambac/mambac/importer/checkpoint"
	"github.com/mambac/mambac/importer/container"
)

// Source is a checkpoint to be converted. Its files stay open.
type Source struct {
	Checkpoint *checkpoint.Checkpoint
	Model      *importer.Model
	Name       string // of the model, for formats that store one
}

// Target is a layout that checkpoints can be written in.
type Target struct {
	Name   string
	About  string   // what it is, for a list
	Folder bool     // files in a folder, not one file
	DTypes []string // element types that it can be asked for
}

var targets = map[string]Target{}

// register adds a target; called from init of the file that defines it.
func register(t Target) {
	if _, ok := targets[t.Name]; ok {
		panic("BUG: target " + t.Name + " is registered twice")
	}
	targets[t.Name] = t
}

// Targets lists what is registered, by name.
func Targets() []Target {
	var list []Target
	for _, t := range targets {
		list = append(list, t)
	}
	slices.SortFunc(list, func(a, b Target) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// way is how models of one kind of architecture are written for a target.
type way struct{ target, kind string }

// assemble decides what the files will hold, and refuses what they cannot.
type assemble func(s *Source, dtype string) (*Conversion, error)

var ways = map[way]assemble{}

// registerWay adds a way; called from init of the file that defines it.
func registerWay(target, kind string, f assemble) {
	w := way{target, kind}
	if _, ok := ways[w]; ok {
		panic("BUG: " + kind + " to " + target + " is registered twice")
	}
	ways[w] = f
}

// Ways lists what can be converted, as "target architecture", sorted.
func Ways() []string {
	var list []string
	for w := range ways {
		list = append(list, w.target+" "+w.kind)
	}
	slices.Sort(list)
	return list
}

// Conversion is files to be written: their sizes are known, their values not
// read.
type Conversion struct {
	Target  Target
	Tensors int
	Bytes   int64 // of all files, within some KiB
	parts   []part
}

// part makes one file, or the files of one container.
type part func(create container.Create) error

// New plans a conversion. dtype is one of the target's, or "" for every tensor
// as it is stored. Errors name the checkpoint.
func New(s *Source, target, dtype string) (*Conversion, error) {
	t, ok := targets[target]
	if !ok {
		return nil, fmt.Errorf("target %q: want one of %s", target, strings.Join(names(), ", "))
	}
	if dtype != "" && !slices.Contains(t.DTypes, dtype) {
		return nil, fmt.Errorf("%s cannot hold %s: want %s", target, dtype, strings.Join(t.DTypes, ", "))
	}
	kind := s.Model.Architecture.Kind()
	f, ok := ways[way{target, kind}]
	if !ok {
		return nil, fmt.Errorf("%s: %s cannot hold models of the type %s; known are %s", s.Checkpoint.Path, target, kind, strings.Join(Ways(), ", "))
	}
	c, err := f(s, dtype)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Checkpoint.Path, err)
	}
	c.Target = t
	return c, nil
}

func names() []string {
	var list []string
	for _, t := range Targets() {
		list = append(list, t.Name)
	}
	return list
}

// Write makes the files through create; a target that is one file asks for one
// without a name. One block of one tensor is in memory at a time. The same
// checkpoint gives the same bytes.
func (c *Conversion) Write(create container.Create) error {
	for _, p := range c.parts {
		if err := p(create); err != nil {
			return err
		}
	}
	return nil
}

// file makes one file and fills it.
func file(name string, fill func(w io.Writer) error) part {
	return func(create container.Create) error {
		w, err := create(name)
		if err != nil {
			return err
		}
		return errors.Join(fill(w), w.Close())
	}
}

// text makes a file of that content.
func text(name string, content []byte) part {
	return file(name, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}
