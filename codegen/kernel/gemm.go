package kernel

import "fmt"

// Gemm is matrix × matrix for prefill: one panel of 48 output rows times a
// run of tokens. Row t of x starts at x[t·StrideX], row t of y (and of
// residual) at y[t·StrideY].
//
// Every output has the same accumulation chain as Gemv, whatever the tile and
// the blocking over k (between blocks a partial sum rests in scratch, which
// changes no bit), so prefill equals decode. Exactly `tokens` rows of 48
// outputs are written. scratch holds GemmScratch(tokens) float32: a block of
// widened weights, then the resting sums. residual may alias y only where it
// is y.
type Gemm struct {
	Storage  Storage
	K        int
	StrideX  int
	StrideY  int
	Epilogue Epilogue
}

// KBlock is the number of columns whose widened weights stay in the first
// level cache while all tokens of a call use them; even.
const KBlock = 128

// Blocks is how many columns make whole blocks before the last one, and how
// many that one has: between 1 and KBlock.
func (g Gemm) Blocks() (full, rest int) {
	full = (g.K - 1) / KBlock
	return full, g.K - full*KBlock
}

// GemmScratch is the number of float32 of scratch for a run of tokens.
func GemmScratch(tokens int) int { return PanelRows * (KBlock + tokens) }

// Kind implements Spec.
func (Gemm) Kind() string { return "gemm" }

// Name implements Spec.
func (g Gemm) Name() string {
	return fmt.Sprintf("gemm_%s_k%d_sx%d_sy%d%s", g.Storage, g.K, g.StrideX, g.StrideY, g.Epilogue.suffix())
}

// Signature implements Spec: (y, w, x, [bias], [residual], scratch, tokens).
func (g Gemm) Signature() []Param {
	p := []Param{{"y", "[]float32"}, {"w", g.Storage.WeightType()}, {"x", "[]float32"}}
	p = append(p, g.Epilogue.params()...)
	return append(p, Param{"scratch", "[]float32"}, Param{"tokens", "int"})
}

// Cost implements Spec; a unit is a panel.
func (g Gemm) Cost(units, tokens int) Cost {
	return Gemv{g.Storage, g.K, g.Epilogue}.Cost(units, tokens)
}

func init() { register(Gemm{}) }
