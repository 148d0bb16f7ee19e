package kernel

import "fmt"

// Gather copies chosen rows one below the other: y[i] = x[rows[i]], whatever
// their elements hold. Row i of y is at i·StrideY, row r of x at r·StrideX.
type Gather struct {
	Width   int
	StrideX int
	StrideY int
}

// Scatter adds rows to chosen ones: y[rows[i]] += x[i]. No row is chosen twice.
type Scatter struct {
	Width   int
	StrideX int
	StrideY int
}

// Weigh multiplies row i of y by w[rows[i]·StrideW], its weight.
type Weigh struct {
	Width   int
	StrideY int
	StrideW int
}

// Kind implements Spec.
func (Gather) Kind() string { return "gather" }

// Kind implements Spec.
func (Scatter) Kind() string { return "scatter" }

// Kind implements Spec.
func (Weigh) Kind() string { return "weigh" }

// Name implements Spec.
func (g Gather) Name() string {
	return fmt.Sprintf("gather_d%d_sx%d_sy%d", g.Width, g.StrideX, g.StrideY)
}

// Name implements Spec.
func (s Scatter) Name() string {
	return fmt.Sprintf("scatter_d%d_sx%d_sy%d", s.Width, s.StrideX, s.StrideY)
}

// Name implements Spec.
func (w Weigh) Name() string {
	return fmt.Sprintf("weigh_d%d_sy%d_sw%d", w.Width, w.StrideY, w.StrideW)
}

// Signature implements Spec: (y, x, rows, tokens).
func (Gather) Signature() []Param { return rowsSignature("x") }

// Signature implements Spec: (y, x, rows, tokens).
func (Scatter) Signature() []Param { return rowsSignature("x") }

// Signature implements Spec: (y, w, rows, tokens).
func (Weigh) Signature() []Param { return rowsSignature("w") }

func rowsSignature(input string) []Param {
	return []Param{{"y", "[]float32"}, {input, "[]float32"}, {"rows", "[]int32"}, {"tokens", "int"}}
}

// Cost implements Spec.
func (Gather) Cost(_, _ int) Cost { return Cost{} }

// Cost implements Spec.
func (s Scatter) Cost(_, tokens int) Cost { return Cost{Flops: s.Width * tokens} }

// Cost implements Spec.
func (w Weigh) Cost(_, tokens int) Cost { return Cost{Flops: w.Width * tokens} }

func init() {
	register(Gather{})
	register(Scatter{})
	register(Weigh{})
}
