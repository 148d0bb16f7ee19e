package model

// GenerateOption says how the tokens of a generation are chosen and when they
// end. A value out of its range is an error of the first step.
type GenerateOption func(*generateOptions)

// MaxTokens ends a generation after n tokens; −1 is no bound. The default is
// 256.
func MaxTokens(n int) GenerateOption { return func(o *generateOptions) { o.maxTokens = n } }

// Temperature divides the logits; 0, the default, always takes the largest.
func Temperature(t float64) GenerateOption {
	return func(o *generateOptions) { o.sampling.Temperature = t }
}

// TopK samples among the k likeliest; 0, the default, among all.
func TopK(k int) GenerateOption { return func(o *generateOptions) { o.sampling.TopK = k } }

// TopP samples among the fewest of the likeliest whose probabilities add up to
// p; 1, the default, among all.
func TopP(p float64) GenerateOption { return func(o *generateOptions) { o.sampling.TopP = p } }

// MinP drops what is less than p times as likely as the likeliest; 0, the
// default, nothing.
func MinP(p float64) GenerateOption { return func(o *generateOptions) { o.sampling.MinP = p } }

// RepetitionPenalty above 1 makes ids that the session has read less likely, also
// those of a state that was restored; 1, the default, leaves them.
func RepetitionPenalty(r float64) GenerateOption {
	return func(o *generateOptions) { o.sampling.RepetitionPenalty = r }
}

// Seed starts the random numbers: the same seed gives the same text. Without
// one they differ each time.
func Seed(seed uint64) GenerateOption { return func(o *generateOptions) { o.sampling.Seed = seed } }

// Stop ends a generation before any of the texts.
func Stop(texts ...string) GenerateOption {
	return func(o *generateOptions) {
		for _, t := range texts {
			if t != "" {
				o.stops = append(o.stops, []byte(t))
			}
		}
	}
}

// IgnoreEndTokens goes on behind tokens that end a text.
func IgnoreEndTokens() GenerateOption { return func(o *generateOptions) { o.ignoreEnds = true } }
