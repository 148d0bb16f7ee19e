// Package heat shows what a model chose to remember of a text: Δ of its scans for
// every token and layer, as numbers and as a picture; it sees the runtime only.
package heat

import (
	"encoding/json"
	"io"
	"slices"
	"strconv"

	"github.com/mambac/mambac/runtime/tokenizer"
)

// MaxTokens is how long a text may be: more than a picture of it can be read.
const MaxTokens = 4096

// Map is Δ along a text.
type Map struct {
	Model  string   `json:"model"`
	Tokens []string `json:"tokens"`
	Layers []Layer  `json:"layers"`
	// Delta has of each layer the mean of Δ, over its channels or heads, for every
	// token; nil of a layer that has no Δ.
	Delta [][]float32 `json:"delta"`
	// Shades has of each layer how large Δ of every token is beside those of the
	// others, from 0 to Steps-1: each shade has as many tokens. Overall is that of
	// the mean over the layers.
	Shades  [][]int `json:"shades"`
	Overall []int   `json:"overall"`
}

// Layer is one layer of the model.
type Layer struct {
	Layer int    `json:"layer"`
	Mixer string `json:"mixer"` // mamba, mamba2, mamba3, attention or mlp
}

// Steps is how many shades there are.
const Steps = 9

// shade fills in the shades.
func (m *Map) shade() {
	var sums []float32
	for _, row := range m.Delta {
		list := ranks(row)
		m.Shades = append(m.Shades, shades(list))
		if sums == nil && row != nil {
			sums = make([]float32, len(row))
		}
		for i, r := range list {
			sums[i] += float32(r)
		}
	}
	m.Overall = shades(ranks(sums))
}

// shades divides ranks evenly; nil gives nil.
func shades(ranks []float64) []int {
	if ranks == nil {
		return nil
	}
	list := make([]int, len(ranks))
	for i, r := range ranks {
		list[i] = min(int(r*Steps), Steps-1)
	}
	return list
}

// ranks are the shares of values that are smaller, where equal ones count half.
func ranks(row []float32) []float64 {
	if row == nil {
		return nil
	}
	sorted := slices.Sorted(slices.Values(row))
	list := make([]float64, len(row))
	for i, v := range row {
		below, _ := slices.BinarySearch(sorted, v)
		above, _ := slices.BinarySearchFunc(sorted, v, func(a, b float32) int {
			if a <= b {
				return -1
			}
			return 1
		})
		list[i] = float64(below+above) / float64(2*len(row))
	}
	return list
}

// Write writes the map as one JSON object.
func (m *Map) Write(w io.Writer) error { return json.NewEncoder(w).Encode(m) }

// Texts are the tokens' parts of their text; of a character that several tokens
// make, the last one has all. Without a tokenizer they are numbers.
func Texts(t *tokenizer.Tokenizer, ids []int32) []string {
	list := make([]string, len(ids))
	if t == nil {
		for i, id := range ids {
			list[i] = strconv.Itoa(int(id))
		}
		return list
	}
	d := tokenizer.NewDecoder(t, false)
	for i, id := range ids {
		list[i] = string(d.Append(nil, id))
	}
	if n := len(list); n > 0 {
		list[n-1] += string(d.Flush(nil))
	}
	return list
}
