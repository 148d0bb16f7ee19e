package pass

import (
	"fmt"
	"slices"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
	"github.com/mambac/mambac/ir/storage"
)

// matrix is a parameter that may be narrowed, and what that would do.
type matrix struct {
	param   *ir.Param
	choices []choice // narrowest first
	chosen  int
}

// choice is a format of a matrix: its size, and the harm that it does to the
// output, in units that compare matrices of one module.
type choice struct {
	format string
	bits   int
	harm   float64
}

// withinBudget chooses a format for every matrix so that all parameters
// together, scales included, have at most so many bits for each element. From
// the narrowest formats, always the matrix is widened whose output gains most
// for each bit (RATIONALE.md, "What does auto:N measure?").
func withinBudget(m *ir.Module, mean float64) error {
	matrices, err := narrowest(m)
	if err != nil {
		return err
	}
	spent, elements := 0, 0
	for _, p := range m.Params {
		spent += bitsOf(p, p.Storage)
		elements += p.Shape.Elements()
	}
	left := int(mean*float64(elements)) - spent
	if left < 0 {
		return fmt.Errorf("auto:%g: with the narrowest formats this model has %.3f bits for each weight; ask for as much or more", mean, float64(spent)/float64(elements))
	}
	for widenBest(matrices, &left) {
	}
	return nil
}

// widenBest widens the matrix that is worth it most, among those that what is
// left allows to; false if there is none.
func widenBest(matrices []*matrix, left *int) bool {
	var best *matrix
	most, to := 0.0, 0
	for _, x := range matrices {
		now := x.choices[x.chosen]
		for i := x.chosen + 1; i < len(x.choices); i++ {
			bits := x.choices[i].bits - now.bits
			if gain := (now.harm - x.choices[i].harm) / float64(bits); bits <= *left && gain > most {
				best, most, to = x, gain, i
			}
		}
	}
	if best == nil {
		return false
	}
	*left -= best.choices[to].bits - best.choices[best.chosen].bits
	best.chosen = to
	best.param.Storage = best.choices[to].format
	return true
}

// narrowest lists the matrices and gives each its narrowest format.
func narrowest(m *ir.Module) ([]*matrix, error) {
	var matrices []*matrix
	weights := harmWeights(m)
	for _, p := range m.Params {
		weight, ok := weights[p]
		if !ok {
			continue
		}
		choices, err := choicesOf(p, weight)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
		p.Storage = choices[0].format
		matrices = append(matrices, &matrix{param: p, choices: choices})
	}
	return matrices, nil
}

// choicesOf lists the formats of a matrix, narrowest first: none wider than what
// the checkpoint stored, and those with codes only if it has columns enough.
func choicesOf(p *ir.Param, weight float64) ([]choice, error) {
	var choices []choice
	names := storage.Names()
	slices.Reverse(names)
	for _, name := range names {
		if bitsOf(p, name) > bitsOf(p, stored(p)) || isCoded(name) && p.Shape.Row() < fewColumns {
			continue
		}
		lost, err := relativeError(p, name)
		if err != nil {
			return nil, err
		}
		choices = append(choices, choice{name, bitsOf(p, name), weight * lost})
	}
	return choices, nil
}

// steeringWeight is the harm of errors in what steers scans, beside that of
// equal relative errors in a layer's other linears.
const steeringWeight = 0.17

// harmWeights says how much a relative error of each matrix matters: as much as
// its share of the linears that are like it, for a layer's output is one of
// many summands.
func harmWeights(m *ir.Module) map[*ir.Param]float64 {
	type kind struct {
		rows, columns int
		steers        bool
	}
	kindOf := map[*ir.Param]kind{}
	alike := map[kind]int{}
	steering, uses := findSteering(m), ir.Uses(m)
	each(m, func(_ *ir.Region, v *ir.Value) {
		if routes(uses, v) {
			return
		}
		for _, p := range op.Matrices(v) {
			if _, ok := kindOf[p]; !ok {
				kindOf[p] = kind{p.Shape.Rows(), p.Shape.Row(), steering[v]}
				alike[kindOf[p]]++
			}
		}
	})
	weights := map[*ir.Param]float64{}
	for p, k := range kindOf {
		weights[p] = 1 / float64(alike[k])
		if k.steers {
			weights[p] *= steeringWeight
		}
	}
	return weights
}

// sampledRows is how many rows stand for a matrix.
const sampledRows = 64

// relativeError is the sum of squared errors of a format by the sum of squares,
// over rows evenly spread.
func relativeError(p *ir.Param, name string) (float64, error) {
	if p.Source == nil {
		return 0, fmt.Errorf("has no values: it was read from text, not from a checkpoint")
	}
	format, err := storage.Lookup(name)
	if err != nil {
		return 0, err
	}
	rows := p.Shape.Rows()
	n := min(rows, sampledRows)
	row, kept := make([]float32, p.Shape.Row()), make([]float32, p.Shape.Row())
	var lost, all float64
	for i := range n {
		at := i * rows / n
		if err := p.Source.ReadRows(row, at, at+1); err != nil {
			return 0, err
		}
		copy(kept, row)
		if err := format.Round(kept); err != nil {
			return 0, fmt.Errorf("row %d: %w", at, err)
		}
		for c, v := range row {
			d := float64(v) - float64(kept[c])
			lost += float64(d * d)
			all += float64(float64(v) * float64(v))
		}
	}
	if all == 0 {
		return 0, nil
	}
	return lost / all, nil
}

// bitsOf is what a parameter takes in a format, without padding.
func bitsOf(p *ir.Param, name string) int {
	format, err := storage.Lookup(name)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return p.Shape.Rows() * format.RowBits(p.Shape.Row())
}
