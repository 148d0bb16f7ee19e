package kernel

import (
	"fmt"
	"math"
)

// Attend is one page's part of causal attention (families.md §1.7) for a run of
// tokens and the Group heads of queries that read one head of keys. Token t is
// at position + t, slot j of the page at base + j; the token sees slots up to
// its own position, the last Window positions of them if that is not 0:
//
//	s_j = Scale·Σ_d q_d·K_dj;  m' = max(m, max_j s_j);  p_j = exp(s_j − m')
//	l ← l·exp(m − m') + Σ_j p_j;  y_d ← y_d·exp(m − m') + Σ_j p_j·V_jd
//
// and y ← y/l on the last page that a token sees. On the first page m is −∞ and
// l and y are 0, whatever they hold. Tokens that see nothing of the page are
// left alone. Pages are called in ascending order.
//
// Order of operations, the same in every level: each s is a chain of fma in
// ascending d, times Scale; slots that are not seen have p = 0 and take part;
// Σ p is of 16 sums, slot j added to sum j mod 16, and those added as a tree
// (lane j with j+8, then j+4, j+2, j+1); l is fma(l, exp(m−m'), Σ p); each y is a
// chain of fma in ascending j, begun with the product y·exp(m−m'). Elements that
// are narrower than float32 are widened first, which is exact. Those of Int8 are
// widened without their scales: s is multiplied by that of K_j at last, and p_j
// by that of V_j once Σ p has it.
//
// Head g of token t of q and y is at t·Stride + g·HeadDim. keys and values are a
// head's part of a page as Keep has laid it out. stats hold m and l per token and
// head of queries. scratch holds AttendScratch float32.
type Attend struct {
	HeadDim   int
	Group     int // heads of queries that read the head of keys
	StrideQ   int
	StrideY   int
	Window    int
	ScaleBits uint32  // float32 bits, so that specs compare
	Storage   Storage // of keys and values, as Keep has it
}

// Scale is the factor of scores.
func (a Attend) Scale() float32 { return math.Float32frombits(a.ScaleBits) }

// Keys is how a page holds what K is.
func (a Attend) Keys() Keep { return Keep{HeadDim: a.HeadDim, Columns: true, Storage: a.Storage} }

// Values is how a page holds what V is.
func (a Attend) Values() Keep { return Keep{HeadDim: a.HeadDim, Storage: a.Storage} }

// AttendRows is the number of tokens of a call at most.
const AttendRows = PageTokens

// AttendStats is the number of float32 of stats.
func (a Attend) AttendStats() int { return 2 * AttendRows * a.Group }

// AttendTile is the number of rows, heads of a token or tokens, that kernels treat
// together at most.
const AttendTile = 4

// AttendScratch is the number of float32 of scratch: the scores of a page for each
// row of a tile, and a register of what is remembered of them.
const AttendScratch = AttendTile*PageTokens + GroupChannels

// Kind implements Spec.
func (Attend) Kind() string { return "attend" }

// Name implements Spec.
func (a Attend) Name() string {
	window := ""
	if a.Window > 0 {
		window = fmt.Sprintf("_w%d", a.Window)
	}
	return fmt.Sprintf("attend_d%d_g%d_sq%d_sy%d_scale%08x%s%s", a.HeadDim, a.Group, a.StrideQ, a.StrideY, a.ScaleBits, window, storageSuffix(a.Storage))
}

// Signature implements Spec:
// (y, q, keys, values, stats, scratch, position, base, tokens).
func (Attend) Signature() []Param {
	return []Param{{"y", "[]float32"}, {"q", "[]float32"}, {"keys", "[]float32"}, {"values", "[]float32"},
		{"stats", "[]float32"}, {"scratch", "[]float32"}, {"position", "int"}, {"base", "int"}, {"tokens", "int"}}
}

// Cost implements Spec: of one page; a unit is a head of keys.
func (a Attend) Cost(units, tokens int) Cost {
	n := units * PageTokens
	return Cost{StateBytes: 2 * n * a.Storage.CacheBytes(a.HeadDim), Flops: 4 * n * a.HeadDim * a.Group * tokens}
}

func init() { register(Attend{}) }
