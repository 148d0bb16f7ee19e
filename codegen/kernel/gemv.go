package kernel

import "fmt"

// Gemv is matrix × vector for decode: y = W·x for a run of whole panels.
//
// Each output row is one chain acc ← fma(w[row,k], x[k], acc) in ascending k
// from acc = 0, then acc + bias, then acc + residual (contracts.md §2). y, bias
// and residual hold 48·panels elements; w holds panels·PanelElements(K); x
// holds K. residual may alias y.
type Gemv struct {
	Storage  Storage
	K        int
	Epilogue Epilogue
}

// Kind implements Spec.
func (Gemv) Kind() string { return "gemv" }

// Name implements Spec.
func (g Gemv) Name() string {
	return fmt.Sprintf("gemv_%s_k%d%s", g.Storage, g.K, g.Epilogue.suffix())
}

// Signature implements Spec: (y, w, x, [bias], [residual], panels).
func (g Gemv) Signature() []Param {
	p := []Param{{"y", "[]float32"}, {"w", g.Storage.WeightType()}, {"x", "[]float32"}}
	p = append(p, g.Epilogue.params()...)
	return append(p, Param{"panels", "int"})
}

// Cost implements Spec; a unit is a panel.
func (g Gemv) Cost(units, tokens int) Cost {
	return Cost{
		WeightBytes: units * g.Storage.PanelElements(g.K) * g.Storage.ElementBytes(),
		Flops:       2 * units * PanelRows * g.K * tokens,
	}
}

func init() { register(Gemv{}) }
