package main

// curve is what one run of make context-curve has measured.
type curve struct {
	machine
	Weights   string // format of all programs
	Cache     string // format of keys and values, "" for the default
	Level     string
	Math      string
	Threads   int
	Gen       int // tokens of a sample of decoding
	Repeats   int // samples at each length
	Samples   int // lengths that were measured, all models
	Disturbed int // of these, while others kept more than a tenth of a processor busy
	Models    []curveModel
	Trained   []trainedModel
	Notes     []string // what could not be measured, and why
}

// curveModel is one kind of model, and its speed along one text.
type curveModel struct {
	Name, Kind string
	Parameters int64
	Layers     int // of mixers and attention
	Attention  int // of these, with caches
	Heads      int // of keys and values
	FixedBytes int64
	TokenBytes int64 // that a token adds to the caches, as they are built
	Weights    int64 // bytes
	Points     []curvePoint
}

// curvePoint is the speed after so many tokens.
type curvePoint struct {
	Context    int
	Decode     quantity // tokens a second
	FirstToken float64  // seconds: all the text and one step
	State      int64    // bytes of the sequence
	Highest    int64    // bytes that were resident until then; 0 where nothing tells
	Others     float64  // processors that others kept busy
}

// at is the point of a length, nil if it was not measured.
func (m *curveModel) at(context int) *curvePoint {
	for i := range m.Points {
		if m.Points[i].Context == context {
			return &m.Points[i]
		}
	}
	return nil
}

// contexts are the lengths of all models: those of the first.
func (c *curve) contexts() []int {
	var list []int
	for _, p := range c.Models[0].Points {
		list = append(list, p.Context)
	}
	return list
}

// trainedModel is how well a trained model predicts by position.
type trainedModel struct {
	Name, Kind string
	Buckets    []positionBucket
	// Largest is the largest difference to the reference, in its buckets.
	Largest float64
}

// positionBucket is the mean over positions [From, To).
type positionBucket struct {
	From   int     `json:"from"`
	To     int     `json:"to"`
	NLL    float64 `json:"nll"`
	Tokens int     `json:"tokens"`
}

// over is the mean over [from, to) of buckets that lie in it; false if they do
// not make it up.
func over(buckets []positionBucket, from, to int) (float64, bool) {
	sum, tokens, next := 0.0, 0, from
	for _, b := range buckets {
		if b.From == next && b.To <= to {
			sum, tokens, next = sum+b.NLL*float64(b.Tokens), tokens+b.Tokens, b.To
		}
	}
	return sum / float64(max(1, tokens)), tokens > 0 && next == to
}
