package kernel

import "fmt"

// PageTokens is the number of tokens whose keys and values lie on one page of a
// cache, as in package engine.
const PageTokens = 64

// Keep stores the keys or values of a run of tokens on a page of a cache, from
// a slot on, for a run of heads, each of which has HeadWords float32. Of a head,
// element d of token t is
//
//	page[d·PageTokens + slot + t]     with Columns, of keys
//	page[(slot + t)·HeadDim + d]      else, of values
//
// so that attention reads both in registers of neighbours. Token t of x is at
// t·StrideX; slot + tokens ≤ PageTokens.
//
// A narrow Storage keeps several elements of a token in each float32, the first
// in the lowest bits, so that tokens share none; behind the last element they
// are zero. F16 has pairs of IEEE halves, rounded to the nearest, ties to even;
// what is beyond the largest half becomes that. Int8 has four whole numbers
// within ±127, and before the numbers of a head stand the scales of its
// PageTokens tokens: the scale is max|x|/127 rounded to bf16, 0 if that is below
// the least normal number, a number x/scale rounded to the nearest, ties to even,
// 0 where the scale is. A number times its scale is exact in float32, and keeping
// that gives the same numbers and scale. d counts float32 then, and a row of
// values fills whole registers: Row.
type Keep struct {
	HeadDim int
	StrideX int
	Columns bool
	Storage Storage // F16, Int8, or nothing for float32
}

// PerWord is how many elements of a token a float32 of a page holds.
func (s Storage) PerWord() int {
	switch s {
	case F16:
		return 2
	case Int8:
		return 4
	}
	return 1
}

// CacheBytes is the size of a row of some elements in a cache.
func (s Storage) CacheBytes(elements int) int {
	if s == Int8 {
		return elements + 4
	}
	return 4 / s.PerWord() * elements
}

// Scales is the number of float32 before the first row of a head.
func (k Keep) Scales() int {
	if k.Storage == Int8 {
		return PageTokens
	}
	return 0
}

// Row is the number of float32 that hold a token's elements; of values narrower
// than float32 they are of whole registers.
func (k Keep) Row() int {
	n := k.Storage.PerWord()
	if n > 1 && !k.Columns {
		return PadGroup(k.HeadDim) / n
	}
	return (k.HeadDim + n - 1) / n
}

// HeadWords is the number of float32 that a head has of a page.
func (k Keep) HeadWords() int { return k.Scales() + k.Row()*PageTokens }

// Word is the place of float32 w of a token in its head's part.
func (k Keep) Word(slot, w int) int {
	if k.Columns {
		return k.Scales() + w*PageTokens + slot
	}
	return k.Scales() + slot*k.Row() + w
}

// storageSuffix names the storage of a cache.
func storageSuffix(s Storage) string {
	if s == "" {
		return ""
	}
	return "_" + string(s)
}

// Kind implements Spec.
func (Keep) Kind() string { return "keep" }

// Name implements Spec.
func (k Keep) Name() string {
	columns := ""
	if k.Columns {
		columns = "_columns"
	}
	return fmt.Sprintf("keep_d%d_sx%d%s%s", k.HeadDim, k.StrideX, columns, storageSuffix(k.Storage))
}

// Signature implements Spec: (page, x, slot, heads, tokens).
func (Keep) Signature() []Param {
	return []Param{{"page", "[]float32"}, {"x", "[]float32"}, {"slot", "int"}, {"heads", "int"}, {"tokens", "int"}}
}

// Cost implements Spec; a unit is a head.
func (k Keep) Cost(units, tokens int) Cost {
	return Cost{StateBytes: units * tokens * k.Storage.CacheBytes(k.HeadDim)}
}

func init() { register(Keep{}) }
