package payload

// Layer is one layer of a model, by what mixes its tokens.
type Layer struct {
	Mixer string `json:"mixer"`           // mamba, mamba2, mamba3, attention, or mlp if nothing does
	Delta *Delta `json:"delta,omitempty"` // nil for a layer without
}

// Delta is how Δ of a layer is made of what a prefill hands out, one value for
// each channel or head: it is the tap itself or, with Bias,
// clamp(softplus(tap + bias), Low, High).
type Delta struct {
	Tap string `json:"tap"`
	// Bias is the first byte in the weights section, of as many float32; nil for a
	// tap that is Δ.
	Bias *int64  `json:"bias,omitempty"`
	Low  float32 `json:"low,omitempty"`
	High float32 `json:"high,omitempty"` // 0 for no bound
}
