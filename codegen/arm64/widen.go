package arm64

import "github.com/mambac/mambac/codegen/kernel"

// widener turns packed 16-bit weights into float32. 32 bytes of memory hold
// the pair of columns k, k+1 for widenRows rows.
type widener struct {
	*asm
	storage kernel.Storage
	mask    vector // keeps the high halves (bf16)
}

// widenRows is the number of rows that are widened together.
const widenRows = 8

func (a *asm) widener(s kernel.Storage) *widener {
	w := &widener{asm: a, storage: s}
	if s == kernel.BF16 {
		start := len(a.code.nodes)
		w.mask = a.constant(0xffff0000)
		a.legendAt(start, "Both halves of a pair are the high half of a float32.", holds("mask of the second", w.mask))
	}
	return w
}

// pair widens columns k and k+1 of the rows that a pointer is at, and moves it.
// The caller frees what it gets.
func (w *widener) pair(from general) (first, second []vector) {
	packed, first := w.vecs(2), w.vecs(2)
	if w.storage == kernel.BF16 {
		w.loads(from, packed)
		for i, v := range packed {
			w.shiftLeft(16, v, first[i])
			w.and(v, w.mask, v)
		}
		return first, packed
	}
	second = w.vecs(2)
	w.loads(from, packed) // eight rows of k, then of k+1
	for i, to := range [][]vector{first, second} {
		w.widenLow(packed[i], to[0])
		w.widenHigh(packed[i], to[1])
	}
	w.free(packed...)
	return first, second
}

// done gives the mask back.
func (w *widener) done() {
	if w.storage == kernel.BF16 {
		w.free(w.mask)
	}
}
