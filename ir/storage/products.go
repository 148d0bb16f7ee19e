package storage

// Products sums what Compensate wants to know of a matrix's inputs, as far as it
// does: products of columns of one block.
type Products struct {
	format  *Coded
	columns int
	block   int
	sums    [][]float32 // of each block, [its columns, its columns]; the lower half is not kept
	tile    []float32   // rows of a block on their side: a column after the other
}

// tileRows is how many products are summed before they meet the others: what is
// read lies in a first-level cache, and sums of many rows lose little.
const tileRows = 256

// NewProducts begins with no inputs.
func NewProducts(format *Coded, columns int) *Products {
	block := wholeGroups(format, BlockColumns)
	p := &Products{
		format: format, columns: columns, block: block,
		tile: make([]float32, tileRows*(min(block, columns)+productColumns)),
	}
	for lo := 0; lo < columns; lo += block {
		n := p.width(len(p.sums))
		p.sums = append(p.sums, make([]float32, n*n))
	}
	return p
}

// Add takes whole rows of inputs.
func (p *Products) Add(rows []float32) {
	for len(rows) > 0 {
		n := min(len(rows), tileRows*p.columns)
		for b, sums := range p.sums {
			lo := b * p.block
			p.add(sums, rows[:n], lo, lo+p.width(b))
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
func (p *Products) add(sums, rows []float32, lo, hi int) {
	n, width := len(rows)/p.columns, hi-lo
	p.turn(rows, lo, hi)
	column := func(c int) []float32 { return p.tile[c*n : (c+1)*n : (c+1)*n] }
	for i := 0; i < width; i += productRows {
		for j := i; j < width; j += productColumns {
			step := sumProducts(column(i), column(i+1), column(j), column(j+1), column(j+2), column(j+3))
			for r := i; r < min(i+productRows, width); r++ {
				for c := j; c < min(j+productColumns, width); c++ {
					sums[r*width+c] += step[(r-i)*productColumns+c-j]
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
	for b, sums := range p.sums {
		n := p.width(b)
		for i := range n {
			seen = seen || sums[i*n+i] != 0
			for j := range i {
				sums[i*n+j] = sums[j*n+i]
			}
		}
	}
	if !seen {
		return p.format, nil
	}
	return Compensate(p.format, p.sums, p.columns)
}

// width is the number of columns of a block.
func (p *Products) width(block int) int { return min(p.block, p.columns-block*p.block) }
