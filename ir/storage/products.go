package storage

// Products sums what Compensate wants to know of a matrix's inputs, as far as it
// does: products of columns of one block.
type Products struct {
	format  *Coded
	columns int
	block   int
	sums    []float32 // [columns, columns]; the lower half of a block is not kept
	tile    []float32 // rows of a block on their side: a column after the other
}

// tileRows is how many products are summed before they meet the others: what is
// read lies in a first-level cache, and sums of many rows lose little.
const tileRows = 256

// NewProducts begins with no inputs.
func NewProducts(format *Coded, columns int) *Products {
	block := wholeGroups(format, BlockColumns)
	return &Products{
		format: format, columns: columns, block: block,
		sums: make([]float32, columns*columns),
		tile: make([]float32, tileRows*(min(block, columns)+productColumns)),
	}
}

// Add takes whole rows of inputs.
func (p *Products) Add(rows []float32) {
	for len(rows) > 0 {
		n := min(len(rows), tileRows*p.columns)
		for lo := 0; lo < p.columns; lo += p.block {
			p.add(rows[:n], lo, min(lo+p.block, p.columns))
		}
		rows = rows[n:]
	}
}

// A step sums the products of two columns with four others: as many sums as
// registers hold beside what they are made of.
const (
	productRows    = 2
	productColumns = 4
)

// add takes some rows for the block of columns from lo to hi.
func (p *Products) add(rows []float32, lo, hi int) {
	n := len(rows) / p.columns
	p.turn(rows, lo, hi)
	column := func(c int) []float32 { return p.tile[(c-lo)*n : (c-lo+1)*n : (c-lo+1)*n] }
	for i := lo; i < hi; i += productRows {
		for j := i; j < hi; j += productColumns {
			sums := sumProducts(column(i), column(i+1), column(j), column(j+1), column(j+2), column(j+3))
			for r := i; r < min(i+productRows, hi); r++ {
				for c := j; c < min(j+productColumns, hi); c++ {
					p.sums[r*p.columns+c] += sums[(r-i)*productColumns+c-j]
				}
			}
		}
	}
}

// turn fills the tile, with zeros behind the last column.
func (p *Products) turn(rows []float32, lo, hi int) {
	n := len(rows) / p.columns
	clear(p.tile[(hi-lo)*n:])
	for r := range n {
		for c, v := range rows[r*p.columns+lo : r*p.columns+hi] {
			p.tile[c*n+r] = v
		}
	}
}

// sumProducts sums a·c to a·f and b·c to b·f. No product is fused into a sum,
// whatever the processor can.
func sumProducts(a, b, c, d, e, f []float32) [productRows * productColumns]float32 {
	n := len(a)
	b, c, d, e, f = b[:n], c[:n], d[:n], e[:n], f[:n]
	var ac, ad, ae, af, bc, bd, be, bf float32
	for i, x := range a {
		y, u, v := b[i], c[i], d[i]
		ac += float32(x * u)
		bc += float32(y * u)
		ad += float32(x * v)
		bd += float32(y * v)
		u, v = e[i], f[i]
		ae += float32(x * u)
		be += float32(y * u)
		af += float32(x * v)
		bf += float32(y * v)
	}
	return [...]float32{ac, ad, ae, af, bc, bd, be, bf}
}

// Encoder is Compensate for the inputs so far; the format itself, if these were
// none or all zero.
func (p *Products) Encoder() (Encoder, error) {
	seen := false
	for i := range p.columns {
		seen = seen || p.sums[i*p.columns+i] != 0
	}
	if !seen {
		return p.format, nil
	}
	for lo := 0; lo < p.columns; lo += p.block {
		for i := lo; i < min(lo+p.block, p.columns); i++ {
			for j := lo; j < i; j++ {
				p.sums[i*p.columns+j] = p.sums[j*p.columns+i]
			}
		}
	}
	return Compensate(p.format, p.sums, p.columns)
}
