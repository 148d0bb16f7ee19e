package interp

import (
	"encoding/binary"
	"fmt"
)

func init() {
	register(4, moveVector(1), "VMOVUPS", "VMOVDQU", "VMOVDQU32", "VLDDQU")
	register(8, moveVector(1), "VMOVUPD", "VMOVDQU64")
	register(4, moveVector(16), "VMOVAPS", "VMOVDQA", "VMOVDQA32", "VMOVNTPS")
	register(8, moveVector(16), "VMOVDQA64")
	register(4, moveScalar, "VMOVSS")
	register(0, moveBits(4), "VMOVD")
	register(0, moveBits(8), "VMOVQ")
	register(0, storeWord, "VPEXTRW")
	register(0, moveSelected, "VMASKMOVPS", "VPMASKMOVD")
	register(0, zeroUpper, "VZEROUPPER")
}

// moveVector moves between registers and memory. An alignment above 1 demands
// addresses that are multiples of the vector.
func moveVector(align int) handler {
	return func(s *state, in *instruction) error {
		source, destination := &in.ops[0], in.destination()
		vector, mem := destination, source
		if destination.kind == memoryOp {
			vector, mem = source, destination
		}
		if mem.kind == memoryOp && align > 1 && s.resolve(mem.mem)%uint64(vector.bytes) != 0 {
			return fmt.Errorf("address %#x is not aligned", s.resolve(mem.mem))
		}
		if destination.kind == memoryOp {
			return s.storeVector(in, destination, source)
		}
		v, err := s.readVector(in, source, destination.lanes())
		if err != nil {
			return err
		}
		return s.writeVector(in, v)
	}
}

// storeWord stores a word of a register.
func storeWord(s *state, in *instruction) error {
	if in.destination().kind != memoryOp {
		return errNotImplemented
	}
	word := s.vectors[in.ops[1].number].word(int(in.ops[0].value & 7))
	return s.store(s.resolve(in.destination().mem), 2, uint64(word))
}

// storeVector writes the lanes that the mask lets through.
func (s *state) storeVector(in *instruction, mem, source *op) error {
	at := s.resolve(mem.mem)
	if !in.masked {
		if b, err := s.bytes(at, source.bytes, true); err == nil { // the loop says where it is not
			for i := range source.lanes() {
				binary.LittleEndian.PutUint32(b[4*i:], s.vectors[source.number][i])
			}
			return nil
		}
	}
	for i := range source.lanes() {
		if !s.active(in, i) {
			continue
		}
		if err := s.store(at+uint64(4*i), 4, uint64(s.vectors[source.number][i])); err != nil {
			return err
		}
	}
	return nil
}

// moveScalar loads lane 0 and clears the rest, stores it, or merges it.
func moveScalar(s *state, in *instruction) error {
	source, destination := &in.ops[0], in.destination()
	if destination.kind == memoryOp {
		if !s.active(in, 0) {
			return nil
		}
		return s.store(s.resolve(destination.mem), 4, uint64(s.vectors[source.number][0]))
	}
	if source.kind == memoryOp {
		v, err := s.readVector(in, source, 1)
		if err != nil {
			return err
		}
		return s.writeLanes(in, v, 1)
	}
	v := s.vectors[in.ops[1].number]
	v[0] = s.vectors[source.number][0]
	return s.writeVector(in, v)
}

// moveBits moves n bytes between a vector register and elsewhere.
func moveBits(n int) handler {
	return func(s *state, in *instruction) error {
		source, destination := &in.ops[0], in.destination()
		var value uint64
		var err error
		if source.kind == vectorOp {
			value = s.vectors[source.number].quad(0)
		} else if value, err = s.readGeneral(source, n); err != nil {
			return err
		}
		if destination.kind != vectorOp {
			return s.writeGeneral(destination, n, truncate(value, n))
		}
		var v vector
		v.setQuad(0, truncate(value, n))
		return s.writeVector(in, v)
	}
}

// moveSelected moves the lanes whose selector has its highest bit set; the
// others are not accessed, and load as zero.
func moveSelected(s *state, in *instruction) error {
	selector := s.vectors[in.ops[1].number]
	source, destination := &in.ops[0], &in.ops[2]
	if destination.kind == memoryOp {
		at := s.resolve(destination.mem)
		for i := range source.lanes() {
			if selector[i]>>31 == 0 {
				continue
			}
			if err := s.store(at+uint64(4*i), 4, uint64(s.vectors[source.number][i])); err != nil {
				return err
			}
		}
		return nil
	}
	var v vector
	at := s.resolve(source.mem)
	for i := range destination.lanes() {
		if selector[i]>>31 == 0 {
			continue
		}
		value, err := s.load(at+uint64(4*i), 4)
		if err != nil {
			return err
		}
		v[i] = uint32(value)
	}
	return s.writeVector(in, v)
}

func zeroUpper(s *state, _ *instruction) error {
	for i := range 16 {
		clear(s.vectors[i][4:])
	}
	s.dirty = false
	return nil
}

func (v *vector) quad(i int) uint64 { return uint64(v[2*i]) | uint64(v[2*i+1])<<32 }

func (v *vector) setQuad(i int, q uint64) { v[2*i], v[2*i+1] = uint32(q), uint32(q>>32) }

func (v *vector) word(i int) uint16 { return uint16(v[i/2] >> (16 * (i % 2))) }

func (v *vector) setWord(i int, w uint16) {
	shift := 16 * (i % 2)
	v[i/2] = v[i/2]&^(0xffff<<shift) | uint32(w)<<shift
}

func (v *vector) byte(i int) byte { return byte(v[i/4] >> (8 * (i % 4))) }

func (v *vector) setByte(i int, b byte) {
	shift := 8 * (i % 4)
	v[i/4] = v[i/4]&^(0xff<<shift) | uint32(b)<<shift
}
