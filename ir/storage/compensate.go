package storage

import (
	"fmt"
	"math"
)

// Compensated encodes rows of a matrix for the inputs that it meets: column
// after column, what rounding has changed in the output is made up for in the
// columns that follow, as far as inputs go together (the method is known as
// GPTQ). Groups have the scales that the format chooses for what is left of
// them. It is for one matrix; rows may be encoded by many goroutines at once.
type Compensated struct {
	format  *Coded
	columns int
	// block columns compensate for each other; factors holds, for each block, the
	// upper triangular U with UᵀU the inverse of the inputs' products.
	block   int
	factors [][]float64
}

const (
	// BlockColumns is how many neighbouring columns, at most, make up for each
	// other's errors: it bounds the time that a factor takes and the memory, which
	// grow with its square for each column.
	BlockColumns = 1024
	// damping is added to the diagonal, as a part of its mean: a text is a
	// sample, and directions that it lacks may come.
	damping = 0.1
	// roomForMore is how much larger a row's largest scale may become.
	roomForMore = 1.1
)

// Compensate prepares encoding with the products of a matrix's inputs, of which
// each block of BlockColumns, in whole groups, is kept by itself: with n columns
// from the lo-th on, its [i*n+j] is the sum, or mean, of x[lo+i]·x[lo+j] over a
// text.
func Compensate(format *Coded, products [][]float32, columns int) (*Compensated, error) {
	return compensate(format, products, columns, BlockColumns)
}

// wholeGroups is the columns of the groups that lie within a block.
func wholeGroups(format *Coded, block int) int { return block / format.Group * format.Group }

func compensate(format *Coded, products [][]float32, columns, block int) (*Compensated, error) {
	block = wholeGroups(format, block)
	if want := (columns + block - 1) / block; len(products) != want {
		return nil, fmt.Errorf("have products of %d blocks of inputs, want %d for %d columns", len(products), want, columns)
	}
	c := &Compensated{format: format, columns: columns, block: block}
	for b, sums := range products {
		lo := b * block
		n := min(block, columns-lo)
		if len(sums) != n*n {
			return nil, fmt.Errorf("columns %d to %d: have %d products of inputs, want %d", lo, lo+n-1, len(sums), n*n)
		}
		factor := make([]float64, n*n)
		for i, v := range sums {
			factor[i] = float64(v)
		}
		if err := inverseFactor(factor, n); err != nil {
			return nil, fmt.Errorf("columns %d to %d: %w", lo, lo+n-1, err)
		}
		c.factors = append(c.factors, factor)
	}
	return c, nil
}

// Encode implements Encoder.
func (c *Compensated) Encode(row []float32, codes []uint8, scales []uint16) error {
	if len(row) != c.columns {
		return fmt.Errorf("a row of %d columns meets the inputs of a matrix of %d", len(row), c.columns)
	}
	wanted, err := c.format.fitRow(row)
	if err != nil {
		return err
	}
	for g := range wanted {
		wanted[g] *= roomForMore
	}
	c.format.keepScales(wanted, scales)
	for b, factor := range c.factors {
		lo := b * c.block
		hi := min(lo+c.block, len(row))
		if err := c.encodeBlock(row[lo:hi], codes[lo:hi], scales, lo, factor); err != nil {
			return err
		}
	}
	return nil
}

// encodeBlock encodes the columns of a row from lo on, where a group begins.
func (c *Compensated) encodeBlock(row []float32, codes []uint8, scales []uint16, lo int, factor []float64) error {
	n := len(row)
	left := make([]float64, n) // the row, with what has been made up for
	for i, v := range row {
		left[i] = float64(v)
	}
	var scale float32
	for i := range row {
		if i%c.format.Group == 0 {
			wanted, err := c.format.fitGroup(narrow(left[i:min(i+c.format.Group, n)]), lo+i)
			if err != nil {
				return err
			}
			at := (lo + i) / c.format.Group
			scales[at] = c.format.kept(wanted, scales)
			scale = c.format.scale(scales, at)
		}
		kept := 0.0
		if codes[i] = 0; scale != 0 {
			codes[i] = c.format.nearest(float32(left[i]) * (1 / scale))
			kept = float64(float32(c.format.Values[codes[i]]) * scale)
		}
		u := factor[i*n : (i+1)*n]
		lost := (left[i] - kept) / u[i]
		for j := i + 1; j < n; j++ {
			left[j] -= float64(lost * u[j])
		}
	}
	return nil
}

func narrow(values []float64) []float32 {
	list := make([]float32, len(values))
	for i, v := range values {
		list[i] = float32(v)
	}
	return list
}

// inverseFactor replaces a matrix by the upper triangular factor of the inverse
// of itself with a damped diagonal.
func inverseFactor(a []float64, n int) error {
	mean := 0.0
	for i := range n {
		mean += a[i*n+i] / float64(n)
	}
	for i := range n {
		a[i*n+i] += float64(damping*mean) + math.SmallestNonzeroFloat32
	}
	if !lowerFactor(a, n) {
		return fmt.Errorf("the products of the inputs are those of no inputs: a mean square is %v", mean)
	}
	inverse := lowerInverse(a, n)
	for i := range n { // a = (L⁻¹)ᵀ·L⁻¹
		for j := range i + 1 {
			sum := 0.0
			for k := i; k < n; k++ {
				sum += float64(inverse[i*n+k] * inverse[j*n+k])
			}
			a[i*n+j] = sum
		}
	}
	if !lowerFactor(a, n) {
		return fmt.Errorf("the products of the inputs have no inverse in float64")
	}
	for i := range n {
		for j := range i {
			a[j*n+i], a[i*n+j] = a[i*n+j], 0
		}
	}
	return nil
}

// lowerFactor replaces the lower half of a matrix by L with L·Lᵀ the matrix;
// false if that does not exist.
func lowerFactor(a []float64, n int) bool {
	for i := range n {
		row := a[i*n : i*n+i+1]
		for j := range row {
			sum := row[j]
			for k, v := range a[j*n : j*n+j] {
				sum -= float64(row[k] * v)
			}
			if j < i {
				row[j] = sum / a[j*n+j]
				continue
			}
			if !(sum > 0) || math.IsInf(sum, 0) {
				return false
			}
			row[j] = math.Sqrt(sum)
		}
	}
	return true
}

// lowerInverse is the transposed inverse of the lower half of a matrix: upper
// triangular, so that its rows are read along.
func lowerInverse(l []float64, n int) []float64 {
	inverse := make([]float64, n*n)
	for c := range n {
		row := inverse[c*n : (c+1)*n]
		row[c] = 1 / l[c*n+c]
		for r := c + 1; r < n; r++ {
			sum := 0.0
			for k := c; k < r; k++ {
				sum += float64(l[r*n+k] * row[k])
			}
			row[r] = -sum / l[r*n+r]
		}
	}
	return inverse
}
