package kernel

import "fmt"

// Quantise makes of rows of activations what narrow dot products multiply. With
// weights kept as codes these are, for each group of 64 columns, whole numbers q
// and one scale, so that x ≈ q·scale.
//
//	most    = the largest |x| of the group
//	scale   = most / 127
//	inverse = 127 / max(most, 2⁻¹⁰⁰)
//	q       = x·inverse, rounded to the nearest number, ties to even, within ±127
//
// Division and product are correctly rounded. A group with a NaN has a NaN
// scale, one with an infinity an infinite one, so that no sum of its products
// is a number; there a product that is NaN counts as −127. The columns behind K
// of the last group are zero.
//
// With weights in bf16 it is x rounded to bf16: the nearest one, ties to even,
// denormals as other numbers; NaN stays NaN. In bits, where m is all but the sign
// and the quiet bit of a NaN is set:
//
//	m ← min(m + 7fff + bit 16 of m, 7fffffff), the low half cleared
//
// The result is the same to the bit on every level.
//
// Token t of x is at t·StrideX, and of y, a QuantisedRow, at t·StrideY.
type Quantise struct {
	Storage Storage // of the weights
	K       int
	StrideX int
	StrideY int
}

// QuantisedRow is how a quantised row of K columns lies in memory. Where 128 is the
// code of 0, as in int8, it is its groups with each q as a signed 16-bit word, and
// behind all of them the same groups with each q as a signed byte: levels differ in
// the width that they multiply, and read nothing of the other one. Where the scales
// of weights are multiples, as in int4, there are the groups of bytes alone.
//
// A row of bf16 has no groups: it is the numbers as float32, zero behind K up to
// a whole cache line, and from byte Pairs on the same numbers as bf16.
type QuantisedRow struct {
	Groups       int // of either width
	Words, Bytes QuantisedGroups
	Pairs        int
	Floats       int // of the row, in whole cache lines
}

// QuantisedGroups is where the groups of a row lie whose numbers have one width:
// the first from byte At of the row on, the next Size bytes further; Size is 0 if
// there are none. A group is its q; then, where 128 is the code of 0, the float32
// scale and −128·Σq as int32, which is what a sum of products with codes begins
// with; or, where scales are multiples, −Σq of the columns of each multiple, as
// 16-bit words in the order of SumOrder, and the scale. Offsets are in bytes from
// the start of a group.
type QuantisedGroups struct {
	At, Size          int
	Sums, Scale, Zero int
}

// SumOrder says which multiples the sums of a QuantisedRow belong to, one after
// the other: the pairs that even and odd bytes of a unit of multiples are.
var SumOrder = [4]int{0, 2, 1, 3}

// CodeOfZero is what dot products add to the values of codes, so that they are
// unsigned bytes.
const CodeOfZero = 128

// QuantisedRow is the layout of rows that multiply weights of K columns.
func (s Storage) QuantisedRow(k int) QuantisedRow {
	c, ok := s.Coded()
	if !ok {
		columns := wholeLines(k)
		return QuantisedRow{Pairs: 4 * columns, Floats: wholeLines(columns + columns/2)}
	}
	r := QuantisedRow{Groups: c.InputGroups(k)}
	if c.Multiples {
		scale := c.Inputs + 2*len(SumOrder)
		r.Bytes = QuantisedGroups{Sums: c.Inputs, Scale: scale, Size: scale + 4}
	} else {
		r.Words = groupsWithZero(2 * c.Inputs)
		r.Bytes = groupsWithZero(c.Inputs)
		r.Bytes.At = r.Groups * r.Words.Size
	}
	r.Floats = wholeLines((r.Bytes.At + r.Groups*r.Bytes.Size) / 4)
	return r
}

// groupsWithZero is groups whose numbers take some bytes.
func groupsWithZero(numbers int) QuantisedGroups {
	return QuantisedGroups{Scale: numbers, Zero: numbers + 4, Size: numbers + 8}
}

// wholeLines rounds a number of float32 up to whole cache lines.
func wholeLines(n int) int {
	const line = 16
	return (n + line - 1) / line * line
}

// Kind implements Spec.
func (Quantise) Kind() string { return "quantise" }

// Name implements Spec.
func (q Quantise) Name() string {
	return fmt.Sprintf("quantise_%s_k%d_sx%d_sy%d", q.Storage, q.K, q.StrideX, q.StrideY)
}

// Signature implements Spec: (y, x, tokens).
func (Quantise) Signature() []Param {
	return []Param{{"y", "[]float32"}, {"x", "[]float32"}, {"tokens", "int"}}
}

// Cost implements Spec.
func (q Quantise) Cost(_, tokens int) Cost { return Cost{Flops: 3 * q.K * tokens} }

func init() { register(Quantise{}) }
