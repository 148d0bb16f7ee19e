package tensor

import "fmt"

// Part is a matrix of Rows rows, read from a source.
type Part struct {
	Source Source
	Rows   int
}

// Stack is parts of one row length, one below the other: gate above up, or an
// expert below the other.
func Stack(row int, parts ...Part) Source { return &stack{row, parts} }

type stack struct {
	row   int
	parts []Part
}

// ReadRows implements Source.
func (s *stack) ReadRows(dst []float32, lo, hi int) error {
	first := 0
	for _, p := range s.parts {
		from, to := max(lo, first), min(hi, first+p.Rows)
		if from < to {
			if err := p.Source.ReadRows(dst[(from-lo)*s.row:(to-lo)*s.row], from-first, to-first); err != nil {
				return err
			}
		}
		first += p.Rows
	}
	if lo < 0 || hi > first {
		return fmt.Errorf("rows %d to %d of %d", lo, hi, first)
	}
	return nil
}

// Values is a source of numbers at hand, of rows of row elements.
func Values(values []float32, row int) Source { return &held{values, row} }

type held struct {
	values []float32
	row    int
}

// ReadRows implements Source.
func (h *held) ReadRows(dst []float32, lo, hi int) error {
	copy(dst, h.values[lo*h.row:hi*h.row])
	return nil
}
