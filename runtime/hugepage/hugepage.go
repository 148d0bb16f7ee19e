// Package hugepage has memory lie in huge pages where that makes it faster: it
// asks for them, and moves what is mapped from a file into them, in place and piece
// by piece; it sees runtime/cpu.
package hugepage

import "unsafe"

const (
	page = 4096
	huge = 2 << 20

	// pieces is how many calls of Move a section is moved in, unless it is so
	// large or small that a piece would have more or less than these bytes.
	pieces   = 64
	minPiece = huge
	maxPiece = 16 << 20
)

// Mover moves one section. Nobody who reads it need know: addresses and bytes
// stay as they are, at every moment.
type Mover struct {
	section []byte
	left    []byte // whole huge pages that were not looked at yet
	piece   int
	begun   bool
}

// New is a mover of bytes that are mapped read-only from a file.
func New(section []byte) *Mover { return &Mover{section: section} }

// Move moves a piece of what has been read so far, and reports whether there
// is more to move. Where nothing is to be won by it, there is not.
func (m *Mover) Move() (more bool) {
	if !m.begun {
		m.begun = true
		if !worthwhile(m.section) {
			return false
		}
		m.left = whole(m.section)
		m.piece = min(max(len(m.left)/pieces/huge*huge, minPiece), maxPiece)
	}
	n := min(m.piece, len(m.left))
	if n > 0 && hot(m.left[:n]) && !move(m.left[:n]) {
		n = len(m.left)
	}
	m.left = m.left[n:]
	return len(m.left) > 0
}

// All moves everything that has been read so far.
func (m *Mover) All() {
	for m.Move() {
	}
}

// Zeros is n bytes of memory, in huge pages as far as whole ones fit and the system
// gives them.
func Zeros(n int) []byte {
	if n < huge {
		return make([]byte, n)
	}
	b := make([]byte, Held(n))
	b = b[-uintptr(unsafe.Pointer(&b[0]))&(huge-1):][:n:n]
	_ = advise(b[:n&^(huge-1)]) // small pages do as well, but slower
	return b
}

// Held is the memory that Zeros takes for n bytes: where the first huge page begins
// is the system's to say, and what lies before it may have been in use.
func Held(n int) int {
	if n < huge {
		return n
	}
	return n + huge
}

// whole cuts b down to the huge pages that lie in it as a whole.
func whole(b []byte) []byte {
	if len(b) < 2*huge {
		return nil
	}
	b = b[-uintptr(unsafe.Pointer(&b[0]))&(huge-1):]
	return b[:len(b)&^(huge-1)]
}
