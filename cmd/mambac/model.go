package main

import (
	"path/filepath"
	"strconv"

	"github.com/mambac/mambac/importer"
	"github.com/mambac/mambac/importer/checkpoint"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
	"github.com/mambac/mambac/ir/storage"
	"github.com/mambac/mambac/runtime/payload"
)

// model is an imported checkpoint, whose files stay open.
type model struct {
	*importer.Model
	checkpoint *checkpoint.Checkpoint
	name       string
}

// openModel opens and imports the CHECKPOINT of a command.
func openModel(argument string) (*model, error) {
	path, name, err := locate(argument)
	if err != nil {
		return nil, err
	}
	c, err := checkpoint.Open(path)
	if err != nil {
		return nil, err
	}
	m, err := importer.Import(c)
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

// paramBytes is the size of some rows of a parameter in the artifact, or in the
// checkpoint while no storage is chosen: elements and scales, without padding.
func paramBytes(p *ir.Param, rows int) int64 {
	if p.Storage == "" {
		return int64(rows) * int64(p.Shape.Row()) * int64(p.DType.Size())
	}
	format, err := storage.Lookup(p.Storage)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return int64(rows) * int64((format.RowBits(p.Shape.Row())+7)/8)
}

// sizes is what a module holds, moves and computes, without padding.
type sizes struct {
	Parameters  int64 `json:"parameters"`
	WeightBytes int64 `json:"weight_bytes"`
	StateBytes  int64 `json:"state_bytes"`
	// DecodeBytes is read and written for one token: parameters once, states
	// both ways.
	DecodeBytes int64 `json:"decode_bytes_per_token"`
	PrefillFlop int64 `json:"prefill_flop_per_token"` // linears without the head
	HeadFlop    int64 `json:"head_flop"`
}

func measure(m *ir.Module) sizes {
	var s sizes
	for _, p := range m.Params {
		n := int64(p.Shape.Elements())
		s.Parameters += n
		s.WeightBytes += paramBytes(p, p.Shape.Rows())
	}
	for _, st := range m.States {
		if st.Kind != ir.Cache {
			s.StateBytes += 4 * int64(st.Shape.Elements())
		}
	}
	read := map[*ir.Param]int64{}
	for _, r := range m.Regions {
		for _, v := range r.Body {
			for p, bytes := range readBy(v) {
				read[p] = max(read[p], bytes)
			}
			flop := products(v)
			if v == m.Output {
				s.HeadFlop += flop
			} else {
				s.PrefillFlop += flop
			}
		}
	}
	s.DecodeBytes = 2 * s.StateBytes
	for _, bytes := range read {
		s.DecodeBytes += bytes
	}
	return s
}

// products is the flops of a value's products of matrices, for one token.
func products(v *ir.Value) int64 {
	switch o := v.Op.(type) {
	case op.Linear:
		return 2 * int64(v.Params[0].Shape.Elements())
	case op.Experts:
		all := v.Params[0].Shape.Elements() + v.Params[1].Shape.Elements()
		return 2 * int64(all) / int64(v.Args[1].Type.Width) * int64(o.Top)
	}
	return 0
}

// readBy is how many bytes of each parameter a value needs for one token: one
// row of an embedding, the rows of the experts that are chosen, all of the
// others.
func readBy(v *ir.Value) map[*ir.Param]int64 {
	read := map[*ir.Param]int64{}
	for _, p := range v.Params {
		if p == nil {
			continue
		}
		rows := p.Shape.Rows()
		switch o := v.Op.(type) {
		case op.Embed:
			rows = 1
		case op.Experts:
			rows = rows / v.Args[1].Type.Width * o.Top
		}
		read[p] = paramBytes(p, rows)
	}
	return read
}

// card is the sizes that a program shows of its model.
func (m *model) card() []payload.Fact {
	var facts []payload.Fact
	for _, f := range m.Facts {
		facts = append(facts, payload.Fact{Name: f.Name, Value: strconv.Itoa(f.Value)})
	}
	return facts
}
