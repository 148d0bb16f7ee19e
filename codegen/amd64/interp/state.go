package interp

import (
	"encoding/binary"
	"fmt"
)

// state is the processor and its memory.
type state struct {
	general [16]uint64
	vectors [32]vector
	masks   [8]uint64
	flags   flags
	regions []*region
	next    int  // instruction
	done    bool // returned
	dirty   bool // the upper half of one of the first 16 vector registers
}

// vector is the content of a vector register by lanes of 32 bits; narrower
// registers use the first ones.
type vector [16]uint32

type flags struct{ zero, sign, carry, overflow bool }

// lanes is the number of 32-bit lanes of a vector operand.
func (o *op) lanes() int { return o.bytes / 4 }

// destination is the last operand.
func (in *instruction) destination() *op { return &in.ops[len(in.ops)-1] }

// active reports whether the mask lets lane i of 32 bits through.
func (s *state) active(in *instruction, lane int) bool {
	if !in.masked {
		return true
	}
	return s.masks[in.mask]>>(4*lane/in.element)&1 == 1
}

// readVector reads a register or n lanes of memory; lanes that the mask
// shuts out are not accessed.
func (s *state) readVector(in *instruction, o *op, n int) (vector, error) {
	if o.kind == vectorOp {
		return s.vectors[o.number], nil
	}
	var v vector
	if o.kind != memoryOp {
		return v, fmt.Errorf("operand is neither vector nor memory")
	}
	at := s.resolve(o.mem)
	if !in.masked && !in.broadcast {
		if b, err := s.bytes(at, 4*n, false); err == nil { // the loop says where it is not
			for i := range n {
				v[i] = binary.LittleEndian.Uint32(b[4*i:])
			}
			return v, nil
		}
	}
	for i := range n {
		if !s.active(in, i) {
			continue
		}
		from := at + uint64(4*i)
		if in.broadcast {
			from = at + uint64(4*i%in.element)
		}
		value, err := s.load(from, 4)
		if err != nil {
			return v, err
		}
		v[i] = uint32(value)
	}
	return v, nil
}

// writeVector writes the destination under the mask. The rest of a register
// above its width becomes zero.
func (s *state) writeVector(in *instruction, v vector) error {
	o := in.destination()
	if o.kind != vectorOp {
		return fmt.Errorf("destination is no vector register")
	}
	return s.writeLanes(in, v, o.lanes())
}

// writeLanes is writeVector for the first n lanes.
func (s *state) writeLanes(in *instruction, v vector, n int) error {
	if in.masked && in.element < 4 {
		return fmt.Errorf("masks of elements of %d bytes are not implemented", in.element)
	}
	o := in.destination()
	register := &s.vectors[o.number]
	for i := range n {
		switch {
		case !in.masked || s.active(in, i):
			register[i] = v[i]
		case in.zeroing:
			register[i] = 0
		}
	}
	clear(register[n:])
	s.dirty = s.dirty || o.bytes > 16 && o.number < 16
	return nil
}

// readGeneral reads a general register, an immediate or n bytes of memory.
func (s *state) readGeneral(o *op, n int) (uint64, error) {
	switch o.kind {
	case generalOp:
		return truncate(s.general[o.number], n), nil
	case immediateOp:
		return truncate(o.value, n), nil
	case memoryOp:
		return s.load(s.resolve(o.mem), n)
	}
	return 0, fmt.Errorf("operand is no integer")
}

// writeGeneral writes n bytes; four bytes clear the upper half of a register.
func (s *state) writeGeneral(o *op, n int, value uint64) error {
	switch {
	case o.kind == memoryOp:
		return s.store(s.resolve(o.mem), n, value)
	case o.kind != generalOp:
		return fmt.Errorf("destination is no integer")
	case n >= 4:
		s.general[o.number] = truncate(value, n)
	default:
		s.general[o.number] = s.general[o.number]&^truncate(^uint64(0), n) | truncate(value, n)
	}
	return nil
}

// truncate keeps the low n bytes.
func truncate(value uint64, n int) uint64 { return value << (64 - 8*n) >> (64 - 8*n) }
