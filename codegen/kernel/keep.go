package kernel

import "fmt"

// PageTokens is the number of tokens whose keys and values lie on one page of a
// cache, as in package engine.
const PageTokens = 64

// Keep stores the keys or values of a run of tokens on a page of a cache, from
// a slot on, for a run of heads. Of head h, element d of token t is
//
//	page[(h·HeadDim + d)·PageTokens + slot + t]     with Columns, of keys
//	page[(h·PageTokens + slot + t)·HeadDim + d]     else, of values
//
// so that attention reads both in registers of neighbours. Token t of x is at
// t·StrideX; slot + tokens ≤ PageTokens.
type Keep struct {
	HeadDim int
	StrideX int
	Columns bool
}

// Kind implements Spec.
func (Keep) Kind() string { return "keep" }

// Name implements Spec.
func (k Keep) Name() string {
	columns := ""
	if k.Columns {
		columns = "_columns"
	}
	return fmt.Sprintf("keep_d%d_sx%d%s", k.HeadDim, k.StrideX, columns)
}

// Signature implements Spec: (page, x, slot, heads, tokens).
func (Keep) Signature() []Param {
	return []Param{{"page", "[]float32"}, {"x", "[]float32"}, {"slot", "int"}, {"heads", "int"}, {"tokens", "int"}}
}

// Cost implements Spec; a unit is a head.
func (k Keep) Cost(units, tokens int) Cost { return Cost{StateBytes: 4 * units * tokens * k.HeadDim} }

func init() { register(Keep{}) }
