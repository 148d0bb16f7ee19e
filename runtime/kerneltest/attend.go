package kerneltest

import (
	"fmt"
	"iter"
	"math"
)

// Attend is one page's part of causal attention for a run of tokens and the
// heads of queries that read one head of keys: scores, a running maximum m and
// sum l of exponentials, and y; y/l on the last page that a token sees.
type Attend struct {
	HeadDim, Group, StrideQ, StrideY, Window int
	ScaleBits                                int
	Storage                                  string // f16, int8, or nothing for float32
}

// Cases implements Kernel: pages that tokens see first, last, in between, in
// part and not at all.
func (k Attend) Cases() iter.Seq[*Case] {
	return func(yield func(*Case) bool) {
		for _, at := range []struct{ position, base, tokens int }{
			{0, 0, 1}, {0, 0, 64}, {5, 0, 3}, {63, 0, 1}, {64, 0, 2}, {64, 64, 2}, {60, 64, 9}, {130, 64, 64}, {130, 128, 7}, {1 << 20, 1<<20 - 64, 4}, {7, 0, 0},
		} {
			for _, f := range []flavour{plain, wide, sharp} {
				if !yield(k.newCase(at.position, at.base, at.tokens, f)) {
					return
				}
			}
		}
	}
}

// sharp has scores so far apart that all but few of the exponentials are 0.
const sharp flavour = "stiff"

func (k Attend) axes() []axis { return nil }

func (k Attend) newCase(position, base, tokens int, f flavour) *Case {
	c := &Case{Name: fmt.Sprintf("position=%d/base=%d/tokens=%d/%s", position, base, tokens, f), kernel: k}
	v := newValues(c.Name, f)
	width := k.Group * k.HeadDim
	y, q := v.tame(rows(tokens, k.StrideY, width)), v.f32(rows(tokens, k.StrideQ, width))
	keys := newCached(Keep{HeadDim: k.HeadDim, Columns: true, Storage: k.Storage}, v)
	values := newCached(Keep{HeadDim: k.HeadDim, Storage: k.Storage}, v)
	stats := v.tame(2 * tokens * k.Group)
	for i := 1; i < len(stats); i += 2 {
		stats[i] = float32(math.Abs(float64(stats[i]))) + 1
	}
	c.inputs = []input{{"y", y}, {"q", q}, {"keys", keys.page}, {"values", values.page}, {"stats", stats},
		{scratch, make([]float32, 5*pageTokens)}, {"position", position}, {"base", base}, {"tokens", tokens}}
	return c.expect(outputs{"y": y, "stats": stats}, func(want outcomes) {
		for row := range tokens * k.Group {
			t, g := row/k.Group, row%k.Group
			see := k.visible(position+t, base)
			if see.lo >= see.hi {
				continue
			}
			head := attended{Attend: k, keys: keys, values: values, sees: see,
				y: y[t*k.StrideY+g*k.HeadDim:], q: q[t*k.StrideQ+g*k.HeadDim:], m: stats[2*row], l: stats[2*row+1]}
			head.outcome(want["y"], want["stats"], t*k.StrideY+g*k.HeadDim, 2*row)
		}
	})
}

// sight is the slots of a page that a token sees, and whether the page is the
// first and the last of which it sees any.
type sight struct {
	lo, hi      int
	first, last bool
}

func (k Attend) visible(position, base int) sight {
	from := 0
	if k.Window > 0 {
		from = max(0, position-k.Window+1)
	}
	return sight{max(0, from-base), min(pageTokens, position+1-base), from >= base, position < base+pageTokens}
}

// attended is one head of queries of one token.
type attended struct {
	Attend
	keys, values *cached
	y, q         []float32
	m, l         float32
	sees         sight
}

// outcome follows the head with numbers that know how far off float32 code may
// be.
func (a *attended) outcome(out, after *outcome, y, stats int) {
	scores, most := a.scores()
	p := make([]number, pageTokens)
	sum := number{}
	for j := a.sees.lo; j < a.sees.hi; j++ {
		p[j] = scores[j].plus(most.negative()).times(log2e).exp2()
		sum = sum.plus(p[j])
	}
	decay := number{}
	if !a.sees.first {
		decay = exactly(a.m).plus(most.negative()).times(log2e).exp2()
		sum = sum.plus(exactly(a.l).times(decay))
	}
	after.near(stats, most.value, most.err)
	after.near(stats+1, sum.value, sum.err)
	for d := range a.HeadDim {
		v := number{}
		if !a.sees.first {
			v = exactly(a.y[d]).times(decay)
		}
		for j := range p {
			v = v.plus(p[j].times(exactly(a.values.scale(j))).times(exactly(a.values.element(j, d))))
		}
		if a.sees.last {
			v = v.over(sum)
		}
		out.near(y+d, v.value, v.err)
	}
}

// scores is those of the slots that are seen, and the greatest, or the one
// before if that is greater.
func (a *attended) scores() (scores []number, most number) {
	scores = make([]number, pageTokens)
	most = number{value: math.Inf(-1)}
	if !a.sees.first {
		most = exactly(a.m)
	}
	scale := exactly(math.Float32frombits(uint32(a.ScaleBits)))
	for j := a.sees.lo; j < a.sees.hi; j++ {
		for d := range a.HeadDim {
			scores[j] = scores[j].plus(exactly(a.q[d]).times(exactly(a.keys.element(j, d))))
		}
		scores[j] = scores[j].times(scale).times(exactly(a.keys.scale(j)))
		err := max(most.err, scores[j].err)
		if scores[j].value > most.value {
			most.value = scores[j].value
		}
		most.err = err
	}
	return scores, most
}
