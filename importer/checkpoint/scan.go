package checkpoint

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Limits of a pickle. The pickle of a checkpoint with ten thousand tensors is
// some 2 MB of 100,000 objects.
const (
	maxPickle  = 8 << 20
	maxMarks   = 64
	maxMemo    = 1 << 19
	maxObjects = 1 << 18
	maxString  = 64 << 10
	maxLine    = 128
	maxLong    = 16
)

// scanner walks over a pickle before the unpickler sees it. The unpickler
// allocates what a length says and knows classes of its own; after the scan
// every length lies inside the input, every class is one of ours, and what it
// can build is bounded.
type scanner struct {
	b       []byte
	at      int
	marks   int
	objects int
	memo    []literal
	last    [2]literal // the two values pushed last, while they are strings
}

// literal is a string of the pickle; known is false for any other value.
type literal struct {
	text  string
	known bool
}

// scanPickle checks the pickle that b begins with and returns its length.
func scanPickle(b []byte) (int, error) {
	s := &scanner{b: b}
	for {
		op, err := s.next()
		if err != nil {
			return 0, err
		}
		if op == '.' {
			return s.at, nil
		}
		start := s.at - 1
		if err := s.step(op); err != nil {
			return 0, fmt.Errorf("pickle, byte %d: %w", start, err)
		}
	}
}

func (s *scanner) next() (byte, error) {
	b, err := s.take(1)
	if err != nil {
		return 0, fmt.Errorf("pickle without an end: %w", err)
	}
	return b[0], nil
}

// take returns the next n bytes.
func (s *scanner) take(n uint64) ([]byte, error) {
	if n > uint64(len(s.b)-s.at) {
		return nil, fmt.Errorf("%d bytes wanted, %d left: %w", n, len(s.b)-s.at, io.ErrUnexpectedEOF)
	}
	b := s.b[s.at : s.at+int(n)]
	s.at += int(n)
	return b, nil
}

// number reads n little-endian bytes.
func (s *scanner) number(n uint64) (uint64, error) {
	b, err := s.take(n)
	if err != nil {
		return 0, err
	}
	var wide [8]byte
	copy(wide[:], b)
	return binary.LittleEndian.Uint64(wide[:]), nil
}

// step checks one opcode of those that torch writes.
func (s *scanner) step(op byte) error {
	switch op {
	case 'X', 0x8c: // BINUNICODE, SHORT_BINUNICODE
		return s.text(op)
	case 'q', 'r', 0x94: // BINPUT, LONG_BINPUT, MEMOIZE
		return s.put(op)
	case 'h', 'j': // BINGET, LONG_BINGET
		return s.get(op)
	case 0x93: // STACK_GLOBAL
		return s.stackGlobal()
	}
	s.last = [2]literal{}
	switch op {
	case 0x80: // PROTO
		return s.protocol()
	case 0x95: // FRAME
		return s.frame()
	case 'c': // GLOBAL
		return s.global()
	case '(', 't', 'u', 'e': // MARK, TUPLE, SETITEMS, APPENDS
		return s.mark(op)
	case '}', ']', ')', 'R', 0x85, 0x86, 0x87: // EMPTY_DICT, EMPTY_LIST, EMPTY_TUPLE, REDUCE, TUPLE1 to TUPLE3
		return s.object()
	case 'N', 0x88, 0x89, 'Q', 's', 'a', 'b': // NONE, NEWTRUE, NEWFALSE, BINPERSID, SETITEM, APPEND, BUILD
		return nil
	}
	return s.constant(op)
}

// constant passes over a number.
func (s *scanner) constant(op byte) error {
	size := map[byte]uint64{'K': 1, 'M': 2, 'J': 4, 'G': 8}[op] // BININT1, BININT2, BININT, BINFLOAT
	switch {
	case size > 0:
		_, err := s.take(size)
		return err
	case op == 0x8a: // LONG1
		n, err := s.number(1)
		if err != nil {
			return err
		}
		if n < 1 || n > maxLong {
			return fmt.Errorf("a number of %d bytes, want 1 to %d", n, maxLong)
		}
		_, err = s.take(n)
		return err
	}
	return fmt.Errorf("opcode %#02x is none that torch writes", op)
}

func (s *scanner) protocol() error {
	n, err := s.number(1)
	if err == nil && (n < 2 || n > 5) {
		err = fmt.Errorf("protocol %d, want 2 to 5", n)
	}
	return err
}

// frame checks the announced length; what is inside is scanned as it comes.
func (s *scanner) frame() error {
	n, err := s.number(8)
	if err == nil && n > uint64(len(s.b)-s.at) {
		err = fmt.Errorf("a frame of %d bytes, %d left", n, len(s.b)-s.at)
	}
	return err
}

func (s *scanner) text(op byte) error {
	width := uint64(4)
	if op == 0x8c {
		width = 1
	}
	n, err := s.number(width)
	if err != nil {
		return err
	}
	if n > maxString {
		return fmt.Errorf("a string of %d bytes, want at most %d", n, maxString)
	}
	b, err := s.take(n)
	s.push(literal{string(b), true})
	return err
}

func (s *scanner) push(l literal) { s.last = [2]literal{s.last[1], l} }

// put checks that the memo grows one by one, as picklers fill it.
func (s *scanner) put(op byte) error {
	i, err := uint64(len(s.memo)), error(nil)
	switch op {
	case 'q':
		i, err = s.number(1)
	case 'r':
		i, err = s.number(4)
	}
	switch {
	case err != nil:
		return err
	case i > uint64(len(s.memo)) || i >= maxMemo:
		return fmt.Errorf("memo entry %d after %d", i, len(s.memo))
	case i == uint64(len(s.memo)):
		s.memo = append(s.memo, literal{})
	}
	s.memo[i] = s.last[1]
	return nil
}

func (s *scanner) get(op byte) error {
	width := uint64(1)
	if op == 'j' {
		width = 4
	}
	i, err := s.number(width)
	if err != nil {
		return err
	}
	if i >= uint64(len(s.memo)) {
		return fmt.Errorf("memo entry %d of %d", i, len(s.memo))
	}
	s.push(s.memo[i])
	return nil
}

func (s *scanner) object() error {
	s.objects++
	if s.objects > maxObjects {
		return fmt.Errorf("more than %d objects", maxObjects)
	}
	return nil
}

func (s *scanner) mark(op byte) error {
	if op != '(' {
		s.marks--
		if s.marks < 0 {
			return errors.New("the end of a list that has no begin")
		}
		return nil
	}
	s.marks++
	if s.marks > maxMarks {
		return fmt.Errorf("more than %d levels deep", maxMarks)
	}
	return s.object()
}

// global checks the class that follows as two lines.
func (s *scanner) global() error {
	module, err := s.line()
	if err != nil {
		return err
	}
	name, err := s.line()
	if err != nil {
		return err
	}
	return checkClass(module, name)
}

func (s *scanner) line() (string, error) {
	rest := s.b[s.at:]
	n := bytes.IndexByte(rest[:min(len(rest), maxLine)], '\n')
	if n < 0 {
		return "", fmt.Errorf("the name of a class without an end within %d bytes", maxLine)
	}
	s.at += n + 1
	return string(rest[:n]), nil
}

// stackGlobal checks the class named by the two strings pushed last.
func (s *scanner) stackGlobal() error {
	module, name := s.last[0], s.last[1]
	s.last = [2]literal{}
	if !module.known || !name.known {
		return errors.New("a class whose name is computed")
	}
	return checkClass(module.text, name.text)
}
