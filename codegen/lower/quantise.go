package lower

import (
	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/ir"
)

// fast reports whether weights of a storage are multiplied by narrow dot
// products: those that are codes unless everything is to be exact, and bf16 if
// it is asked for.
func (l *lowering) fast(s kernel.Storage) bool {
	_, coded := s.Coded()
	return coded && l.options.Math != Exact || s == kernel.BF16 && l.options.Math == Fast
}

// input is where a linear with weights of a storage finds its input: the value
// itself, or the whole numbers and scales made of it, once for all linears of a
// region that read it.
func (l *lowering) input(linear *ir.Value, s kernel.Storage) view {
	x := linear.Args[0]
	if !l.fast(s) {
		return l.at(x)
	}
	key := quantisedKey{x, s, l.mode != plan.Prefill}
	b := l.quantised[key]
	if b == nil {
		b = l.quantisedBuffer(key, l.placement.region[linear])
		l.quantised[key] = b
	}
	to := view{b, 0, b.Width}
	if !l.ready[b] {
		l.ready[b] = true
		l.emit(l.quantiseStep(l.at(x), x.Type.Width, s, to))
	}
	return to
}

// quantisedKey is an activation in the form that weights of a storage are
// multiplied with: of a few tokens, in every worker's private memory.
type quantisedKey struct {
	value   *ir.Value
	storage kernel.Storage
	private bool
}

// quantisedBuffer is a temporary of the region that reads it, not of the one
// that made the value: those of different regions share memory.
func (l *lowering) quantisedBuffer(key quantisedKey, region int) *plan.Buffer {
	row := key.storage.QuantisedRow(key.value.Type.Width).Floats
	if key.private {
		return l.temporary(region, plan.Private, l.name("quantisedOwn"), row, row)
	}
	return l.temporary(region, plan.Arena, l.name("quantised"), row, row)
}

func (l *lowering) quantiseStep(from view, k int, s kernel.Storage, to view) plan.Step {
	split := l.tokenSplit()
	if to.buffer.Space == plan.Private {
		split = plan.Each
	}
	return plan.Step{
		Spec:  kernel.Quantise{Storage: s, K: k, StrideX: from.stride(), StrideY: to.stride()},
		Split: split, Panels: panels(k),
		Args: []plan.Arg{written(whole(to)), whole(from)},
	}
}
