package interp

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
)

// region is a run of memory: an argument's slice, a data symbol, the frame.
type region struct {
	name     string
	base     uint64
	data     []byte
	readOnly bool
}

// Regions are this far apart, so that no wrong index meets another one. The
// low bits give slices the alignment of their elements and no more.
const (
	regionShift = 40
	globalsBase = 0x100 << regionShift
	frameBase   = 0x200 << regionShift
	localsBase  = 0x300 << regionShift
	slicesBase  = 0x400 << regionShift
)

func globalRegion(g *ir.Global, i uint64) (*region, error) {
	r := &region{
		name: g.Symbol.Name, base: globalsBase + i<<regionShift + 8, data: make([]byte, g.Size), readOnly: true,
	}
	for _, d := range g.Data {
		switch v := d.Value.(type) {
		case operand.F32:
			binary.LittleEndian.PutUint32(r.data[d.Offset:], math.Float32bits(float32(v)))
		case operand.F64:
			binary.LittleEndian.PutUint64(r.data[d.Offset:], math.Float64bits(float64(v)))
		case operand.String:
			copy(r.data[d.Offset:], v)
		default:
			bits, err := constantBits(v)
			if err != nil {
				return nil, fmt.Errorf("data %s: %w", g.Symbol.Name, err)
			}
			for j := range v.Bytes() {
				r.data[d.Offset+j] = byte(bits >> (8 * j))
			}
		}
	}
	return r, nil
}

func (s *state) regionNamed(name string) *region {
	for _, r := range s.regions {
		if r.name == name {
			return r
		}
	}
	return nil
}

// bytes finds n bytes of memory.
func (s *state) bytes(at uint64, n int, write bool) ([]byte, error) {
	for _, r := range s.regions {
		if (at^r.base)>>regionShift != 0 {
			continue
		}
		from := int64(at - r.base)
		if from < 0 || from+int64(n) > int64(len(r.data)) {
			return nil, fmt.Errorf("%d bytes at offset %d of %s, which has %d", n, from, r.name, len(r.data))
		}
		if write && r.readOnly {
			return nil, fmt.Errorf("write to %s", r.name)
		}
		return r.data[from : from+int64(n)], nil
	}
	return nil, fmt.Errorf("%d bytes at %#x, which is in no argument", n, at)
}

// resolve computes an address.
func (s *state) resolve(a address) uint64 {
	at := a.offset
	if a.base >= 0 {
		at += s.general[a.base]
	}
	if a.index >= 0 {
		at += s.general[a.index] * a.scale
	}
	return at
}

// load reads up to 8 bytes.
func (s *state) load(at uint64, n int) (uint64, error) {
	b, err := s.bytes(at, n, false)
	if len(b) == 4 { // most often
		return uint64(binary.LittleEndian.Uint32(b)), err
	}
	var value uint64
	for i := range b {
		value |= uint64(b[i]) << (8 * i)
	}
	return value, err
}

// store writes up to 8 bytes.
func (s *state) store(at uint64, n int, value uint64) error {
	b, err := s.bytes(at, n, true)
	for i := range b {
		b[i] = byte(value >> (8 * i))
	}
	return err
}
