// Package pack writes a plan's weights in the order in which the kernels read
// them, block of rows by block of rows. It sees plan and kernel.
package pack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"sync"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/storage"
)

// Write streams the weights section: every weight of the plan at its offset.
// Panels are packed side by side and written in order; each packer holds one.
// progress, if not nil, gets the number of bytes written so far.
func Write(ctx context.Context, w io.Writer, p *plan.Plan, progress func(done int64)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := int64(0)
	for result := range pack(ctx, p) {
		r := <-result
		if r.err != nil {
			return fmt.Errorf("%s: %w", r.weight.Param.Name, r.err)
		}
		if r.first && done != r.weight.Offset {
			panic(fmt.Sprintf("BUG: weight %s is packed at %d, planned at %d", r.weight.Param.Name, done, r.weight.Offset))
		}
		n, err := w.Write(r.bytes)
		if err != nil {
			return err
		}
		packers.Put(r.packer)
		if done += int64(n); progress != nil {
			progress(done)
		}
	}
	return ctx.Err()
}

// part is a panel of a weight, or the whole of a small one.
type part struct {
	weight *plan.Weight
	row, n int // of the parameter, for a panel
	first  bool
}

// result is a packed part; its bytes are the packer's.
type result struct {
	part
	*packer
	err error
}

// mostPackers bounds the memory that packers take on machines with many
// processors; the disk is slower than so many.
const mostPackers = 8

// pack starts packing the parts of a plan and yields, in order, where each
// will arrive. It ends early when ctx does.
func pack(ctx context.Context, p *plan.Plan) <-chan chan result {
	queue := make(chan chan result, min(mostPackers, runtime.GOMAXPROCS(0)))
	go func() {
		defer close(queue)
		for _, w := range p.Weights {
			for _, part := range parts(w) {
				c := make(chan result, 1)
				select {
				case <-ctx.Done():
					return
				case queue <- c:
				}
				go func() {
					pw := packers.Get().(*packer)
					c <- result{part, pw, pw.pack(part)}
				}()
			}
		}
	}()
	return queue
}

// parts cuts a weight into what is packed at a time.
func parts(w *plan.Weight) []part {
	if w.Slot.Layout != plan.Panels {
		return []part{{weight: w, first: true}}
	}
	var list []part
	row := 0
	for _, n := range w.Slot.Segments {
		for lo := 0; lo < n; lo += kernel.PanelRows {
			list = append(list, part{w, row + lo, min(kernel.PanelRows, n-lo), len(list) == 0})
		}
		row += n
	}
	return list
}

// packer reuses its buffers from part to part.
type packer struct {
	rows  []float32 // rows as read
	words []float32 // packed float32
	bytes []byte    // packed bytes
	// Of one row, for storages with codes.
	codes  []uint8
	scales []uint16
}

var packers = sync.Pool{New: func() any { return new(packer) }}

func (pw *packer) pack(p part) error {
	switch {
	case p.weight.Param.Source == nil:
		return errors.New("has no values: it was read from text, not from a checkpoint")
	case p.weight.Slot.Layout != plan.Panels:
		return pw.small(p.weight)
	}
	return pw.panel(p.weight, p.row, p.n)
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
	if format, ok := s.Coded(); ok {
		return pw.coded(pw.bytes, s, encoder(w.Param, format), lo, n, k)
	}
	encode := encoders[s]
	if encode == nil {
		return fmt.Errorf("no packer for storage %q", s)
	}
	encode(pw.bytes, pw.rows, n, k)
	return nil
}

// encoder chooses the codes of a parameter: its own, or that of the format.
func encoder(p *ir.Param, format storage.Encoder) storage.Encoder {
	if p.Encoder != nil {
		return p.Encoder
	}
	return format
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
	return nil
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
