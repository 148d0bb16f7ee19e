package kernel

import "fmt"

// DotGemm is DotGemv for one panel of 48 output rows and a run of tokens: row t
// of x, a QuantisedRow, starts at x[t·StrideX], row t of y (and of residual) at
// y[t·StrideY]. Every output has the chain of DotGemv. Exactly `tokens` rows of
// 48 outputs are written. scratch holds DotGemmScratch(tokens) float32: a block
// of columns unpacked, with its scales or multiples, then the sums of every token. residual may alias y only where it is y.
type DotGemm struct {
	Storage  Storage
	K        int
	StrideX  int
	StrideY  int
	Epilogue Epilogue
}

// DotBlock is the most columns that are unpacked at a time: whole pairs of groups, at
// a byte a weight few enough to stay in the first-level cache.
const DotBlock = 256

// DotGemmScratch is the number of float32 of scratch for a run of tokens.
func DotGemmScratch(tokens int) int {
	const words, scales = DotBlock / 2, DotBlock / 64
	return PanelRows * (words + scales + tokens)
}

// Kind implements Spec.
func (DotGemm) Kind() string { return "dotgemm" }

// Name implements Spec.
func (d DotGemm) Name() string {
	return fmt.Sprintf("dotgemm_%s_k%d_sx%d_sy%d%s", d.Storage, d.K, d.StrideX, d.StrideY, d.Epilogue.suffix())
}

// Signature implements Spec: (y, w, x, [bias], [residual], scratch, tokens).
func (d DotGemm) Signature() []Param { return Gemm(d).Signature() }

// Cost implements Spec; a unit is a panel.
func (d DotGemm) Cost(units, tokens int) Cost { return Gemm(d).Cost(units, tokens) }

func init() { register(DotGemm{}) }
