package kernel

import "fmt"

// DotGemv is Gemv by narrow dot products; x is a QuantisedRow. Where the weights
// are codes, there is per output row one chain over the groups of columns,
// ascending, from acc = 0:
//
//	n   = Σ value(code[row,k])·q[k] over the group, an exact integer
//	acc ← fma(float32(n), weightScale·scale, acc)
//
// then acc + bias, then acc + residual. The product of the scales is rounded.
// Where the scales of weights are multiples of one for the row, whole numbers
// take them in, and the chain is
//
//	n   = Σ value(code[row,k])·multiple·q[k] over the group, an exact integer
//	acc ← fma(float32(n), scale, acc)
//
// then acc·rowScale, rounded, then + bias, then + residual. float32(n) is rounded
// to nearest even. scratch holds 48 float32.
//
// Where the weights are bf16 it is the chain of Gemv over the rounded x, except
// on levels that have an instruction for pairs of bf16. There the second column
// of each pair is added before the first, and denormal factors, products and
// sums are zero. Such levels give other last bits than those without; within a
// level the bits are the same whatever kernel computes them.
type DotGemv struct {
	Storage  Storage
	K        int
	Epilogue Epilogue
}

// Kind implements Spec.
func (DotGemv) Kind() string { return "dotgemv" }

// Name implements Spec.
func (d DotGemv) Name() string {
	return fmt.Sprintf("dotgemv_%s_k%d%s", d.Storage, d.K, d.Epilogue.suffix())
}

// Signature implements Spec: (y, w, x, [bias], [residual], scratch, panels).
func (d DotGemv) Signature() []Param {
	p := []Param{{"y", "[]float32"}, {"w", d.Storage.WeightType()}, {"x", "[]float32"}}
	p = append(p, d.Epilogue.params()...)
	return append(p, Param{"scratch", "[]float32"}, Param{"panels", "int"})
}

// Cost implements Spec; a unit is a panel.
func (d DotGemv) Cost(units, tokens int) Cost {
	return Gemv(d).Cost(units, tokens)
}

func init() { register(DotGemv{}) }
