package storage

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// inputs makes vectors whose elements go together.
func inputs(n, columns int) [][]float64 {
	r := rand.New(rand.NewPCG(3, 4))
	list := make([][]float64, n)
	for i := range list {
		list[i] = make([]float64, columns)
		walk := r.NormFloat64()
		for c := range columns {
			walk = 0.9*walk + r.NormFloat64()
			list[i][c] = walk
		}
	}
	return list
}

// products sums x[i]·x[j] of blocks of so many columns.
func products(list [][]float64, columns, block int) [][]float32 {
	var blocks [][]float32
	for lo := 0; lo < columns; lo += block {
		n := min(block, columns-lo)
		sums := make([]float32, n*n)
		for _, x := range list {
			for i := range n {
				for j := range n {
					sums[i*n+j] += float32(x[lo+i] * x[lo+j])
				}
			}
		}
		blocks = append(blocks, sums)
	}
	return blocks
}

// outputError is the sum of squares by which inputs' products with a row change.
func outputError(list [][]float64, row, kept []float32) (sum float64) {
	for _, x := range list {
		d := 0.0
		for c := range row {
			d += x[c] * (float64(row[c]) - float64(kept[c]))
		}
		sum += d * d
	}
	return sum
}

// TestCompensatedLosesLess: where inputs go together, outputs are nearer to what
// they were; in blocks and groups that columns do not fill as well.
func TestCompensatedLosesLess(t *testing.T) {
	for _, name := range []string{"int4", "int8"} {
		format, _ := LookupCoded(name)
		for _, columns := range []int{20, 100, 300} {
			list := inputs(400, columns)
			c, err := compensate(format, products(list, columns, wholeGroups(format, 150)), columns, 150)
			if err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(5, uint64(columns)))
			var plain, compensated float64
			for range 40 {
				row := make([]float32, columns)
				for i := range row {
					row[i] = float32(r.NormFloat64())
				}
				a, b := slices.Clone(row), slices.Clone(row)
				if err := format.Round(a); err != nil {
					t.Fatal(err)
				}
				if err := format.RoundBy(c, b); err != nil {
					t.Fatal(err)
				}
				plain += outputError(list, row, a)
				compensated += outputError(list, row, b)
			}
			if compensated > 0.7*plain {
				t.Errorf("%s, %d columns: squared error of outputs %g, want below 0.7 of %g", name, columns, compensated, plain)
			}
		}
	}
}

// TestCompensatedAlone: inputs that have nothing to do with each other leave about
// the format's own choice, and so do none at all; a row's scale has room for more.
func TestCompensatedAlone(t *testing.T) {
	format, _ := LookupCoded("int4")
	const columns = 130
	diagonal := make([]float32, columns*columns)
	for i := range columns {
		diagonal[i*columns+i] = float32(1 + i%3)
	}
	for _, sums := range [][]float32{diagonal, make([]float32, columns*columns)} {
		c, err := Compensate(format, [][]float32{sums}, columns)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows() {
			row = append(row, make([]float32, columns)...)[:columns]
			want, got := slices.Clone(row), slices.Clone(row)
			if err := errors.Join(format.Round(want), format.RoundBy(c, got)); err != nil {
				t.Fatal(err)
			}
			most, _ := largest(row)
			for i := range row {
				if d := math.Abs(float64(got[i] - want[i])); d > 0.2*float64(magnitude(most)) {
					t.Errorf("%v is kept as %v, want about %v", row[i], got[i], want[i])
				}
			}
		}
	}
}

func TestCompensateFails(t *testing.T) {
	format, _ := LookupCoded("int4")
	nan := float32(math.NaN())
	for _, c := range []struct {
		sums [][]float32
		want string
	}{
		{make([][]float32, 2), "have products of 2 blocks of inputs, want 1 for 2 columns"},
		{[][]float32{make([]float32, 5)}, "columns 0 to 1: have 5 products of inputs, want 4"},
		{[][]float32{{nan, 0, 0, 1}}, "columns 0 to 1: the products of the inputs are those of no inputs: a mean square is NaN"},
		{[][]float32{{-1, 0, 0, -1}}, "columns 0 to 1: the products of the inputs are those of no inputs: a mean square is -1"},
	} {
		if _, err := Compensate(format, c.sums, 2); err == nil || err.Error() != c.want {
			t.Errorf("%v: %v, want %s", c.sums, err, c.want)
		}
	}
	c, err := Compensate(format, [][]float32{{1, 0, 0, 1}}, 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range [][]float32{{1}, {1, nan}} {
		if err := format.RoundBy(c, row); err == nil {
			t.Errorf("%v is kept", row)
		}
	}
}

// TestCompensatedSaysWhere: what is made up for may leave the numbers of float32,
// and the error tells in which group of the row, in any block.
func TestCompensatedSaysWhere(t *testing.T) {
	format, _ := LookupCoded("int4")
	const columns, block, at = 192, 64, 128 + 16
	same := slices.Repeat([]float64{1}, columns)
	c, err := compensate(format, products([][]float64{same}, columns, block), columns, block)
	if err != nil {
		t.Fatal(err)
	}
	row := make([]float32, columns)
	row[at-2], row[at-1] = 1e38, 1.03e37
	row[at], row[at+1] = math.MaxFloat32, -math.MaxFloat32 // one becomes larger
	err = c.Encode(row, make([]uint8, columns), make([]uint16, format.Scales(columns)))
	if want := "column 144: a value of the group is +Inf: int4 has no number for it"; err == nil || err.Error() != want {
		t.Errorf("have %v, want %s", err, want)
	}
}
