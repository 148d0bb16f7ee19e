package engine

import (
	"iter"
	"sync"
	"unsafe"

	"github.com/mambac/mambac/runtime/hugepage"
)

// State is one sequence: everything that is carried from token to token. It
// belongs to engines of the shape that made it and to one call at a time.
type State struct {
	sequence Sequence
}

// NewState is a sequence before its first token.
func (e *Engine) NewState() *State { return &State{Sequence{Block: block(e.shape.State)}} }

// Pos is the number of tokens that the sequence has seen.
func (s *State) Pos() int { return s.sequence.Position }

// Block is the values of the state, as the kernels have laid them out. Writing
// to it and SetPos make another sequence of it.
func (s *State) Block() []float32 { return s.sequence.Block }

// SetPos says how many tokens the values stand for: zeros for none.
func (s *State) SetPos(n int) { s.sequence.Position = n }

// Page is the page of a cache that holds the tokens from n·PageTokens on, of
// those that a next token may look back at. Only after Place it may be written.
func (s *State) Page(cache, n int) []float32 { return s.sequence.Page(cache, n) }

// Place makes s a sequence that has seen n tokens: zeros, to be written to.
func (e *Engine) Place(s *State, n int) {
	s.Reset()
	s.sequence.Position = n
	s.sequence.grow(e.shape.Caches, e.shape.Chunk, 0)
}

// Clone copies the sequence; the two go on independently, from goroutines of
// their own too. They share the pages of caches until one of them writes there.
// Many may clone a state at once that is a clone itself and has not gone on.
func (s *State) Clone() *State {
	return &State{s.sequence.clone()}
}

// Pages visits the pages of the caches, which clones may share.
func (s *State) Pages() iter.Seq[[]float32] {
	return func(yield func([]float32) bool) {
		for _, ring := range s.sequence.pages {
			for _, p := range ring {
				if !yield(p.values) {
					return
				}
			}
		}
	}
}

// Reset takes the sequence back to before its first token.
func (s *State) Reset() {
	clear(s.sequence.Block)
	s.sequence.Position, s.sequence.pages = 0, nil
}

// Bytes is the size of the state in memory, with pages that it shares.
func (s *State) Bytes() int { return s.sequence.bytes() }

// Held is the memory that the state takes, with pages that it shares: more than
// Bytes, see the function of that name.
func (s *State) Held() int { return s.sequence.held() }

// mostCopied is the size of a state of which there may be two more, beside an arena
// of 8 MiB, without the program taking 64 MiB besides its weights and the state. A
// larger arena and the copies take no more than mostSpare.
const (
	mostCopied = 24 << 20
	mostSpare  = 8<<20 + 2*mostCopied
)

// CopiesStates reports whether states are small enough to be copied in order to be
// taken back, unasked.
func (e *Engine) CopiesStates() bool {
	return 4*e.shape.State <= min(mostCopied, max(0, mostSpare-4*e.shape.Arena)/2)
}

const lineFloats = 16 // of a cache line and of the widest register

// aligned allocates n zeros that start on a cache line, in huge pages where the
// system gives them: for what an engine has once.
func aligned(n int) []float32 { return onLine(hugepage.Zeros(bytesOnLine(n)), n) }

// leastHuge is the size from which a block is worth huge pages, whose borders take
// up to 2 MiB more: there may be many blocks, in a cache or of a server's texts.
const leastHuge = 8 << 20

// block is aligned for a part of a state. From some size on Go's memory starts on a
// line by itself, and room for that would cost another of its pages.
func block(n int) []float32 {
	if 4*n >= leastHuge {
		return aligned(n)
	}
	b := make([]byte, 4*max(n, lineFloats))
	if toLine(b) > 0 {
		b = make([]byte, bytesOnLine(n))
	}
	return onLine(b, n)
}

// Held is the memory that a block or a page of n values takes: Go's comes in pieces of
// certain sizes, and huge pages begin where they like.
func Held(n int) int {
	if 4*n >= leastHuge {
		return piece(hugepage.Held(bytesOnLine(n)))
	}
	return piece(4 * max(n, lineFloats))
}

// Go's heap has pieces of certain sizes for what is small, and whole pages of its own
// for the rest.
const (
	smallPiece = 32 << 10
	heapPage   = 8 << 10
)

// pieces are sizes of small pieces, by what they were asked for.
var pieces sync.Map

// piece is the size of the memory that Go takes for n bytes.
func piece(n int) int {
	if n > smallPiece {
		return (n + heapPage - 1) / heapPage * heapPage
	}
	if size, ok := pieces.Load(n); ok {
		return size.(int)
	}
	size := cap(append([]byte(nil), make([]byte, n)...)) // all of the piece
	pieces.Store(n, size)
	return size
}

// bytesOnLine is room for n floats that start on a cache line.
func bytesOnLine(n int) int { return 4 * (n + lineFloats) }

// onLine is n floats of b that start on a cache line.
func onLine(b []byte, n int) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(&b[toLine(b)])), n)
}

// toLine is how many bytes of b come before the first cache line that starts in it.
func toLine(b []byte) uintptr { return -uintptr(unsafe.Pointer(&b[0])) & (4*lineFloats - 1) }
