// Package interp executes compiled avo functions one instruction at a time,
// with registers and memory as Go values, so that kernels of CPU levels that
// this machine lacks can be tested, and every access to memory checked. It is
// imported by tests only and sees nothing of ours.
package interp

import (
	"fmt"

	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/reg"
)

// File is an assembly file made ready to run.
type File struct {
	functions map[string]*function
	globals   []*region
}

// function is a decoded function.
type function struct {
	name   string
	frame  int // bytes of arguments
	locals int
	code   []*instruction
}

// Open decodes a file after avo's pass.Compile. An unknown instruction or
// operand is an error naming it.
func Open(file *ir.File) (*File, error) {
	f := &File{functions: map[string]*function{}}
	for _, section := range file.Sections {
		if g, ok := section.(*ir.Global); ok {
			r, err := globalRegion(g, uint64(len(f.globals)))
			if err != nil {
				return nil, err
			}
			f.globals = append(f.globals, r)
		}
	}
	for _, fn := range file.Functions() {
		decoded, err := f.decode(fn)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", fn.Name, err)
		}
		f.functions[fn.Name] = decoded
	}
	return f, nil
}

// maxSteps ends a run that has surely lost its way.
const maxSteps = 1 << 26

// Run calls a function with arguments of the types []float32, []uint16,
// []int32 and int, in the order of its parameters; slices are written to. An
// access outside the arguments, a misaligned one that demands alignment, and a
// return with dirty upper halves of vector registers are errors naming the
// instruction.
func (f *File) Run(name string, args ...any) error {
	fn := f.functions[name]
	if fn == nil {
		return fmt.Errorf("no function %s", name)
	}
	s := &state{}
	s.regions = append(s.regions, f.globals...)
	if err := s.passArguments(fn, args); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	s.startRegisters()
	if err := s.execute(fn); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (s *state) execute(fn *function) error {
	for step := 0; !s.done; step++ {
		if s.next >= len(fn.code) {
			return fmt.Errorf("runs past its last instruction")
		}
		if step == maxSteps {
			return fmt.Errorf("no end after %d instructions", step)
		}
		in := fn.code[s.next]
		s.next++
		if err := in.run(s, in); err != nil {
			return fmt.Errorf("instruction %d, %s: %w", s.next-1, in, err)
		}
	}
	if s.dirty {
		return fmt.Errorf("returns without VZEROUPPER")
	}
	return nil
}

// startRegisters fills registers with what a kernel cannot have meant to use.
func (s *state) startRegisters() {
	for i := range s.general {
		s.general[i] = 0xdead_0000_dead_0000 + uint64(i)
	}
	for i := range s.vectors {
		for j := range s.vectors[i] {
			s.vectors[i][j] = 0x7fdead00 + uint32(i)
		}
	}
	for i := range s.masks {
		s.masks[i] = 0xdead_dead_dead_dead
	}
	if local := s.regionNamed("locals"); local != nil {
		s.general[stackPointer] = local.base
	}
}

// stackPointer is the number of SP among the general registers.
var stackPointer = reg.RSP.PhysicalIndex()
