// Package engine runs a compiled model: prefill, decode, batches and
// cancellation, over any program that a generated package implements.
package engine

import "github.com/mambac/mambac/runtime/parallel"

// Shape is the fixed sizes of a compiled program, in elements.
type Shape struct {
	IDs        int // ids that can be fed: rows of the embedding
	Vocab      int // logits of a token
	State      int // float32 of one sequence's state block
	Arena      int // float32 of the shared activations
	Scratch    int // float32 of each worker's own scratch
	Chunk      int // largest number of tokens of one Prefill
	Block      int // largest number of sequences of one Batch, and of rows of one Logits
	LogitWidth int // Vocab rounded up to whole panels: row stride of Logits' output
	// Caches is what a sequence keeps of every token; none for a state of fixed
	// size.
	Caches []Cache
}

// WindowBytes is what the caches that look back at a window take when it is full.
func (s *Shape) WindowBytes() int {
	n := 0
	for _, c := range s.Caches {
		if c.Window > 0 {
			n += 4 * c.Page * c.ring(s.Chunk)
		}
	}
	return n
}

// BytesPerToken is what a sequence grows by with each token, in the long run.
func (s *Shape) BytesPerToken() int {
	n := 0
	for _, c := range s.Caches {
		if c.Window == 0 {
			n += 4 * c.Page / PageTokens
		}
	}
	return n
}

// Memory is what the executor owns and every worker of a run shares.
type Memory struct {
	Arena   []float32
	Scratch []float32 // this worker's own: one Memory per worker
	chosen  []int32   // what Chosen gave
	taps    *tapped   // while a prefill hands out taps
}

// Chosen lists the rows, of the first n, whose element of a column is not 0;
// rows are stride apart. The list is good until the next call.
func (m *Memory) Chosen(column []float32, stride, n int) []int32 {
	m.chosen = m.chosen[:0]
	for i := range n {
		if column[i*stride] != 0 {
			m.chosen = append(m.chosen, int32(i))
		}
	}
	return m.chosen
}

// Program is a compiled model bound to its weights. Every worker of a team
// calls the same method with the same arguments (but its own Memory.Scratch);
// the calls return after the last phase's barrier. Nothing is allocated.
type Program interface {
	Shape() Shape
	// Decode feeds one token to one sequence: state is advanced, but for its
	// position, which is the caller's to advance, and row 0 of
	// the hidden rows is left in the arena.
	Decode(w *parallel.Worker, m *Memory, state *Sequence, id int32)
	// Batch feeds ids[i] to the sequence of states[i], 2 to Block of them;
	// hidden row i is its, with the same bits as after a Decode.
	Batch(w *parallel.Worker, m *Memory, states []*Sequence, ids []int32)
	// Prefill feeds len(ids) ≤ Chunk tokens to one sequence; hidden row i
	// belongs to ids[i].
	Prefill(w *parallel.Worker, m *Memory, state *Sequence, ids []int32)
	// Logits computes rows [row, row+rows) of the last Decode, Batch or Prefill into
	// out, row stride LogitWidth; rows ≤ Block.
	Logits(w *parallel.Worker, m *Memory, row, rows int, out []float32)
}
