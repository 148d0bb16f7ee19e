// Package pack writes a plan's weights in the order in which the kernels read
// them, one block of rows at a time. It sees plan and kernel.
package pack

import (
	"context"
	"fmt"
	"io"
	"math"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/ir"
)

// Write streams the weights section: every weight of the plan at its offset.
// It holds one panel of one weight at a time. progress, if not nil, gets the
// number of bytes written so far.
func Write(ctx context.Context, w io.Writer, p *plan.Plan, progress func(done int64)) error {
	pw := &packer{w: w}
	for _, weight := range p.Weights {
		if pw.done != weight.Offset {
			panic(fmt.Sprintf("BUG: weight %s is packed at %d, planned at %d", weight.Param.Name, pw.done, weight.Offset))
		}
		if err := pw.weight(ctx, weight, progress); err != nil {
			return fmt.Errorf("%s: %w", weight.Param.Name, err)
		}
	}
	return nil
}

// packer reuses its buffers from panel to panel.
type packer struct {
	w     io.Writer
	done  int64
	rows  []float32 // rows as read
	words []float32 // packed float32
	bytes []byte    // packed bytes
}

func (pw *packer) weight(ctx context.Context, w *plan.Weight, progress func(int64)) error {
	if w.Param.Source == nil {
		return fmt.Errorf("has no values: it was read from text, not from a checkpoint")
	}
	if w.Slot.Layout != plan.Panels {
		return pw.small(w)
	}
	row := 0
	for _, n := range w.Slot.Segments {
		for lo := 0; lo < n; lo += kernel.PanelRows {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := pw.panel(w, row+lo, min(kernel.PanelRows, n-lo)); err != nil {
				return err
			}
			if progress != nil {
				progress(pw.done)
			}
		}
		row += n
	}
	return nil
}

// read fills rows with the parameter's rows [lo, lo+n), transformed.
func (pw *packer) read(p *ir.Param, lo, n int) error {
	pw.rows = grow(pw.rows, n*p.Shape.Row())
	if err := p.Source.ReadRows(pw.rows, lo, lo+n); err != nil {
		return err
	}
	switch p.Transform {
	case ir.Identity:
	case ir.NegExp:
		for i, v := range pw.rows {
			pw.rows[i] = float32(-math.Exp(float64(v)))
		}
	default:
		return fmt.Errorf("unknown transform %q", p.Transform)
	}
	return nil
}

// panel packs rows [lo, lo+n) of a linear weight, n ≤ 48, as one panel.
func (pw *packer) panel(w *plan.Weight, lo, n int) error {
	if err := pw.read(w.Param, lo, n); err != nil {
		return err
	}
	s, k := w.Slot.Storage, w.Slot.Columns
	pw.bytes = grow(pw.bytes, s.PanelElements(k)*s.ElementBytes())
	clear(pw.bytes)
	encode := encoders[s]
	if encode == nil {
		return fmt.Errorf("no packer for storage %q", s)
	}
	encode(pw.bytes, pw.rows, n, k)
	return pw.flush()
}

func (pw *packer) flush() error {
	n, err := pw.w.Write(pw.bytes)
	pw.done += int64(n)
	return err
}

// small packs a weight of the layouts that hold float32 per channel; those are
// a few columns wide.
func (pw *packer) small(w *plan.Weight) error {
	rows, s := w.Param.Shape.Rows(), &w.Slot
	if err := pw.read(w.Param, 0, rows); err != nil {
		return err
	}
	pw.words = grow(pw.words, s.Elements)
	clear(pw.words)
	padded := s.PaddedRows()
	from, to := 0, 0
	for _, n := range s.Segments {
		for r := range n {
			for c := range s.Columns {
				pw.words[position(s, to+r, c, padded)] = pw.rows[(from+r)*s.Columns+c]
			}
		}
		from, to = from+n, to+kernel.Pad(n)
	}
	pw.bytes = grow(pw.bytes, 4*s.Elements)
	putFloats(pw.bytes, pw.words)
	return pw.flush()
}

// position is where (row, column) of a small weight lies.
func position(s *plan.Slot, row, column, padded int) int {
	switch s.Layout {
	case plan.Taps:
		return column*padded + row
	case plan.Lanes:
		const g = kernel.GroupChannels
		return row/g*g*s.Columns + column*g + row%g
	}
	return row
}

// grow returns a slice of n elements, reusing s where it is large enough.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
