package main

import "slices"

// serving is what one run of make bench-serve has measured.
type serving struct {
	machine
	Model     string
	Weights   string
	Level     string
	Math      string
	Threads   int
	Rounds    int
	Samples   int
	Disturbed int       // of these, while others kept more than a tenth of a processor busy
	Chunk     int       // tokens that are read of a prompt at a time
	Streams   int       // at once
	Tokens    int       // of each
	Bench     []float64 // tokens a second of all together, by rounds: what bench tells
	Served    []float64 // and the server
	Stalls    stalls
	Prefix    prefix
	Notes     []string // what could not be measured, and why
}

// stalls is how long texts that go on wait for their next token, in seconds.
type stalls struct {
	Prompt  int       // tokens that somebody else has read meanwhile
	Usual   []float64 // between two tokens before that, the median of a round
	Longest []float64 // the longest time meanwhile, of any text
	Mean    []float64 // of the server's own figures, a chunk
	Most    float64   // of those, in all
}

// prefix is the time to the first token, in seconds, of a long text and a little
// more.
type prefix struct {
	Tokens, Rest int
	Without      []float64 // that nobody has read before
	Again        []float64 // that was a request's before; none if the server forgets
	Kept         []float64 // whose state is kept under a name
	Different    int       // texts that were not those without
}

// Bars that were set.
const (
	servedBar = 0.85
	prefixBar = 1. / 20
)

// ratios divides values of the same rounds.
func ratios(of, by []float64) quantity {
	var list []float64
	for i := range of {
		list = append(list, of[i]/by[i])
	}
	return newQuantity(list)
}

// scaled is values in another unit.
func scaled(values []float64, by float64) quantity {
	list := slices.Clone(values)
	for i := range list {
		list[i] *= by
	}
	return newQuantity(list)
}
