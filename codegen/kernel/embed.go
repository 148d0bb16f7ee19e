package kernel

import "fmt"

// Embed copies the embedding rows of a run of token ids, widened to float32,
// out of packed panels (the layout of a tied head, which is stored once):
// y[t·StrideY+k] = W[ids[t], k].
type Embed struct {
	Storage Storage
	Width   int // hidden size, the K of the packed panels
	StrideY int
}

// Kind implements Spec.
func (Embed) Kind() string { return "embed" }

// Name implements Spec.
func (e Embed) Name() string {
	return fmt.Sprintf("embed_%s_d%d_sy%d", e.Storage, e.Width, e.StrideY)
}

// Signature implements Spec: (y, w, ids, tokens).
func (e Embed) Signature() []Param {
	return []Param{{"y", "[]float32"}, {"w", e.Storage.WeightType()}, {"ids", "[]int32"}, {"tokens", "int"}}
}

// Cost implements Spec.
func (e Embed) Cost(_, tokens int) Cost {
	return Cost{WeightBytes: tokens * e.Width * e.Storage.ElementBytes()}
}

func init() { register(Embed{}) }
