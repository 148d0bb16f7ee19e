// Package eval is the oracle: it evaluates a module one token at a time by the
// plain meanings of its ops. It sees ir, op and storage.
package eval

import (
	"fmt"
	"math"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/storage"
	"github.com/mambac/mambac/ir/tensor"
)

// Evaluator holds a module's parameters as float32 and the states of one
// sequence. It is not safe for concurrent use.
type Evaluator struct {
	module *ir.Module
	params map[*ir.Param][]float32
	states map[*ir.State][]float32
	values map[*ir.Value][]float32
	frames []step
	offset float64 // of inputs from the whole numbers that they are read as
	// position is the number of tokens read.
	position int
}

// step is one op with all that it sees.
type step struct {
	value  *ir.Value
	frame  ir.Frame
	narrow *narrowed // where the first argument is read in fewer bits; else nil
}

// New verifies the module and reads its parameters.
func New(m *ir.Module) (*Evaluator, error) {
	if err := ir.Verify(m); err != nil {
		return nil, err
	}
	e := &Evaluator{module: m, params: map[*ir.Param][]float32{}, states: map[*ir.State][]float32{}, values: map[*ir.Value][]float32{}}
	for _, p := range m.Params {
		values, err := read(p)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
		e.params[p] = values
	}
	for _, s := range m.States {
		if s.Kind != ir.Cache {
			e.states[s] = make([]float32, s.Shape.Elements())
		}
	}
	for _, r := range m.Regions {
		for _, v := range r.Body {
			e.prepare(v)
		}
	}
	return e, nil
}

// read gives a parameter's values after its transform.
func read(p *ir.Param) ([]float32, error) {
	if p.Source == nil {
		return nil, fmt.Errorf("has no values: it was read from text, not from a checkpoint")
	}
	values := make([]float32, p.Shape.Elements())
	if err := p.Source.ReadRows(values, 0, p.Shape.Rows()); err != nil {
		return nil, err
	}
	if p.Transform == ir.NegExp {
		for i, v := range values {
			values[i] = float32(-math.Exp(float64(v)))
		}
	}
	return values, narrow(values, p)
}

// narrow rounds values, row by row, to what the chosen storage format keeps of
// them.
func narrow(values []float32, p *ir.Param) error {
	if p.Storage == "" {
		return nil
	}
	format, err := storage.Lookup(p.Storage)
	if err != nil {
		return err
	}
	round := format.Round
	if c, ok := format.(*storage.Coded); ok && p.Encoder != nil {
		round = func(row []float32) error { return c.RoundBy(p.Encoder, row) }
	}
	for n := p.Shape.Row(); len(values) > 0; values = values[n:] {
		if err := round(values[:n]); err != nil {
			return err
		}
	}
	return nil
}

// prepare builds the frame of a value once; frames alias the buffers.
func (e *Evaluator) prepare(v *ir.Value) {
	f := ir.Frame{Out: make([]float32, v.Type.Width)}
	for _, a := range v.Args {
		f.Args = append(f.Args, e.values[a])
	}
	for _, p := range v.Params {
		var values []float32
		var shape tensor.Shape
		if p != nil {
			values, shape = e.params[p], p.Shape
		}
		f.Params, f.Shapes = append(f.Params, values), append(f.Shapes, shape)
	}
	for _, s := range v.States {
		f.States = append(f.States, e.states[s])
	}
	e.values[v] = f.Out
	e.frames = append(e.frames, step{value: v, frame: f})
}

// Reset returns to the state before the first token.
func (e *Evaluator) Reset() {
	for _, s := range e.states {
		clear(s)
	}
	for i := range e.frames {
		for j, s := range e.frames[i].value.States {
			if s.Kind == ir.Cache {
				e.frames[i].frame.States[j] = nil
			}
		}
	}
	e.offset, e.position = 0, 0
}

// Step feeds one token and returns the logits, which the next Step overwrites.
func (e *Evaluator) Step(id int) ([]float32, error) {
	if err := e.checkID(id); err != nil {
		return nil, err
	}
	for i := range e.frames {
		s := &e.frames[i]
		if s.narrow != nil {
			e.offset = max(e.offset, s.narrow.into(s.frame.Args[0]))
		}
		s.frame.ID, s.frame.Position = id, e.position
		s.value.Op.Step(&s.frame)
	}
	e.position++
	return e.values[e.module.Output], nil
}

// checkID proves that every lookup of the id is inside its matrix.
func (e *Evaluator) checkID(id int) error {
	for i := range e.frames {
		v := e.frames[i].value
		if len(v.Args) > 0 && v.Args[0] == e.module.Input && (id < 0 || id >= v.Params[0].Shape.Rows()) {
			return fmt.Errorf("token id %d is outside the vocabulary of %d", id, v.Params[0].Shape.Rows())
		}
	}
	return nil
}

// Run feeds tokens and returns a copy of the logits after each.
func (e *Evaluator) Run(ids []int) ([][]float32, error) {
	var rows [][]float32
	for _, id := range ids {
		logits, err := e.Step(id)
		if err != nil {
			return nil, err
		}
		rows = append(rows, append([]float32(nil), logits...))
	}
	return rows, nil
}

// Value is what a value of the module held after the last Step.
func (e *Evaluator) Value(v *ir.Value) []float32 { return e.values[v] }
