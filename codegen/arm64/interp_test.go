package arm64

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unsafe"
)

// machine executes emitted instructions as Go values: it needs no processor
// that has them, and sees every access to memory.
type machine struct {
	general [32]uint64
	vectors [vectorRegisters][lanes]uint32
	less    bool // of the last comparison
	memory  [][]byte
	frame   map[int]uint64 // arguments by offset
	err     error          // the first access out of bounds
}

// regionShift keeps slices so far apart that no wrong offset meets another one.
const regionShift = 40

// interpret runs a function with the arguments of a call.
func interpret(f *Function, args []any) error {
	m := &machine{frame: map[int]uint64{}}
	for i := range m.general {
		m.general[i] = 0xdead<<48 | uint64(i)
	}
	for i := range m.vectors {
		m.vectors[i] = [lanes]uint32{0x7fc0dead, 0x7fc0dead, 0x7fc0dead, 0x7fc0dead}
	}
	if n := m.pass(args); n != f.bytes {
		return fmt.Errorf("%s: have %d bytes of arguments, the function takes %d", f.name, n, f.bytes)
	}
	if err := m.run(f.nodes); err != nil {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	return nil
}

// pass lays out the arguments: slices as pointer, length, capacity.
func (m *machine) pass(args []any) int {
	offset := 0
	for _, arg := range args {
		switch v := arg.(type) {
		case int:
			m.frame[offset] = uint64(v)
			offset += 8
			continue
		case []float32:
			m.slice(offset, bytesOf(v))
		case []uint16:
			m.slice(offset, bytesOf(v))
		default:
			panic(fmt.Sprintf("BUG: an argument of type %T", arg))
		}
		offset += 24
	}
	return offset
}

// slice lays out one slice; its length, which no kernel asks for, is in bytes.
func (m *machine) slice(offset int, b []byte) {
	m.frame[offset], m.frame[offset+8] = m.region(b), uint64(len(b))
}

// bytesOf is the memory of a slice, so that slices that share it do so here.
func bytesOf[T float32 | uint16](v []T) []byte {
	var zero T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), len(v)*int(unsafe.Sizeof(zero)))
}

// region gives memory an address.
func (m *machine) region(b []byte) uint64 {
	m.memory = append(m.memory, b)
	return uint64(len(m.memory)) << regionShift
}

// bytes finds n bytes of memory; where there are none it remembers the error
// and answers with others.
func (m *machine) bytes(at uint64, n int) []byte {
	region, from := int(at>>regionShift)-1, int(at&(1<<regionShift-1))
	if region < 0 || region >= len(m.memory) {
		m.err = errors.Join(m.err, fmt.Errorf("%d bytes at %#x, which is in no argument", n, at))
		return make([]byte, n)
	}
	if b := m.memory[region]; from+n <= len(b) {
		return b[from : from+n]
	}
	m.err = errors.Join(m.err, fmt.Errorf("%d bytes at offset %d of slice %d, which has %d", n, from, region, len(m.memory[region])))
	return make([]byte, n)
}

func (m *machine) word(at uint64) uint32 { return binary.LittleEndian.Uint32(m.bytes(at, 4)) }

func (m *machine) setWord(at uint64, v uint32) { binary.LittleEndian.PutUint32(m.bytes(at, 4), v) }

// run executes from the first node to RET.
func (m *machine) run(nodes []node) error {
	labels := map[label]int{}
	for i, n := range nodes {
		if l, ok := n.(label); ok {
			labels[l] = i
		}
	}
	for pc := 0; pc < len(nodes); pc++ {
		i, ok := nodes[pc].(Instruction)
		if !ok {
			continue
		}
		if i.mnemonic == "RET" {
			return nil
		}
		to, jumps := m.branch(i)
		if jumps {
			at, known := labels[to]
			if !known {
				return fmt.Errorf("%s: no such label", i.text())
			}
			pc = at
			continue
		}
		if m.err != nil {
			return fmt.Errorf("%s: %w", i.text(), m.err)
		}
	}
	return errors.New("no RET at the end")
}

// branch executes an instruction and says where to go on if not behind it.
func (m *machine) branch(i Instruction) (label, bool) {
	switch i.mnemonic {
	case "JMP":
		return i.operands[0].(label), true
	case "CBZ":
		return i.operands[1].(label), m.general[i.operands[0].(general)] == 0
	case "CBNZ":
		return i.operands[1].(label), m.general[i.operands[0].(general)] != 0
	case "CMP":
		m.less = int64(m.general[i.operands[1].(general)]) < int64(i.operands[0].(immediate))
	case "BLT":
		return i.operands[0].(label), m.less
	default:
		m.execute(i)
	}
	return "", false
}

// TestInterpreterSeesFaults: what would go unnoticed elsewhere.
func TestInterpreterSeesFaults(t *testing.T) {
	inputs := parameter{"x_base", 0}
	for _, c := range []struct {
		want string
		emit func(a *asm)
	}{
		{"offset 16 of slice 0", func(a *asm) { a.load(inputs, 0); a.addConstant(8, 0); a.loadVector(0, 0, 1) }},
		{"in no argument", func(a *asm) { a.loadVector(3, 0, 1) }},
		{"no such label", func(a *asm) { a.jump("nowhere") }},
		{"no RET", func(a *asm) {}},
		{"", func(a *asm) { a.load(inputs, 0); a.loadVector(0, 0, 1); a.put("RET") }},
	} {
		a := &asm{code: &Function{name: "f", bytes: 24}}
		c.emit(a)
		err := interpret(a.code, []any{make([]float32, 4)})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
}
