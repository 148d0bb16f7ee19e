package arm64

import (
	"bytes"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/mambac/mambac/codegen/kernel"
)

// compiled is the one function that the level makes of a spec.
func compiled(t *testing.T, s kernel.Spec) *Function {
	t.Helper()
	file, err := neon.Build(s)
	if err != nil {
		t.Fatalf("%s: %v", s.Name(), err)
	}
	return file.Functions[0]
}

// instructions are those of a function.
func (f *Function) instructions() iter.Seq[Instruction] {
	return func(yield func(Instruction) bool) {
		for _, n := range f.nodes {
			if i, ok := n.(Instruction); ok && !yield(i) {
				return
			}
		}
	}
}

// emitted are the instructions of every kernel.
func emitted(t *testing.T) iter.Seq[Instruction] {
	return func(yield func(Instruction) bool) {
		for _, s := range oddSpecs() {
			for i := range compiled(t, s).instructions() {
				if !yield(i) {
					return
				}
			}
		}
	}
}

// mnemonics is every instruction that kernels consist of. A new one belongs
// here and in the interpreter.
const mnemonics = `ADD BLT CBNZ CBZ CMP JMP LSL MOVD RET SUB
	FABS FADD FADDS FCVTL FCVTL2 FDIV FDIVS FMAX FMIN FMLA FMOVQ FMUL FNEG FSQRTS FSUB
	VAND VDUP VEOR VEXT VFMLA VFMLS VLD1 VLD1.P VMOV VSHL VST1 VST1.P`

func TestMnemonics(t *testing.T) {
	seen := map[string]bool{}
	for i := range emitted(t) {
		seen[i.mnemonic] = true
	}
	for _, m := range strings.Fields(mnemonics) {
		if !seen[m] {
			t.Errorf("no kernel uses %s any more", m)
		}
		delete(seen, m)
	}
	for m := range seen {
		t.Errorf("%s is new; list it, and teach the interpreter", m)
	}
}

// TestFormOfFunctions: one return, at the end, and no register that belongs to
// the system, the assembler or the runtime.
func TestFormOfFunctions(t *testing.T) {
	for _, s := range oddSpecs() {
		list := slices.Collect(compiled(t, s).instructions())
		for n, i := range list {
			if i.mnemonic == "RET" && n != len(list)-1 {
				t.Errorf("%s: RET at instruction %d of %d", s.Name(), n, len(list))
			}
			for _, o := range i.operands {
				if r, ok := o.(general); ok && (r == platformRegister || r >= generalRegisters) {
					t.Errorf("%s: %s uses %v", s.Name(), i.text(), r)
				}
			}
		}
	}
}

func TestEmissionIsDeterministic(t *testing.T) {
	first, err := neon.Emit("kernels", "Made by a test.", oddSpecs(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if second, _ := neon.Emit("kernels", "Made by a test.", oddSpecs(), nil); !bytes.Equal(first, second) {
		t.Error("two emissions differ")
	}
}

func TestUnsupportedSpecIsAnError(t *testing.T) {
	for _, s := range []kernel.Spec{
		kernel.Embed{Storage: kernel.F32, Width: 8, StrideY: 8},
		kernel.Conv{Taps: 20, Channels: 48, StrideX: 48, StrideY: 48},
		kernel.Conv{Taps: 4, Channels: 48, StrideX: 48, StrideY: 48, Activation: "tan"},
		kernel.Gemv{Storage: "f7", K: 8},
		kernel.Map{Function: "tan", Width: 4, StrideA: 4, StrideY: 4},
	} {
		if neon.Supports(s) {
			t.Errorf("%s is supported", s.Name())
		}
		if _, err := neon.Emit("kernels", "", []kernel.Spec{s}, nil); err == nil || !strings.Contains(err.Error(), s.Name()) {
			t.Errorf("%s: error %v", s.Name(), err)
		}
	}
}

// TestLegendsNameRegisters: what a reader of the assembly is told.
func TestLegendsNameRegisters(t *testing.T) {
	text, err := neon.Emit("kernels", "Made by a test.", []kernel.Spec{kernel.Gemm{Storage: kernel.F32, K: 64, StrideX: 64, StrideY: 48}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"// Made by a test.", "//go:build arm64 && !purego", "// gemm_f32_k64_sx64_sy48 for neon.",
		"// Tokens, 4 at a time.", "V0…V15 sums, ", "// FMLA V0.4S, V20.4S, V16.S[0]",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %q in the assembly", want)
		}
	}
}

// count is what matters of an inner loop, in vector registers.
type count struct {
	multiplyAdds, loads, stores, others int
}

func (c count) String() string {
	return fmt.Sprintf("%d multiply-adds, %d loaded, %d stored, %d others", c.multiplyAdds, c.loads, c.stores, c.others)
}

// innermost counts the first loop that holds no other.
func innermost(f *Function) count {
	var now count
	var head label
	for _, n := range f.nodes {
		switch n := n.(type) {
		case label:
			head, now = n, count{}
		case Instruction:
			if last := len(n.operands) - 1; last >= 0 && n.operands[last] == fmt.Stringer(head) {
				return now
			}
			now.add(n)
		}
	}
	return now
}

func (c *count) add(i Instruction) {
	switch {
	case strings.HasSuffix(i.mnemonic, "FMLA"):
		c.multiplyAdds++
	case strings.HasPrefix(i.mnemonic, "VLD"):
		c.loads += len(i.operands[1].(registers).list)
	case strings.HasPrefix(i.mnemonic, "VST"):
		c.stores += len(i.operands[0].(registers).list)
	default:
		c.others++
	}
}

// TestInnerLoops states what the loops that take the time consist of: nothing
// is loaded twice, stored or moved without need.
func TestInnerLoops(t *testing.T) {
	for _, c := range []struct {
		spec kernel.Spec
		want count
	}{
		// Four columns of 12 registers, one register of inputs; the counter.
		{kernel.Gemv{Storage: kernel.F32, K: 768}, count{48, 48 + 1, 0, 1}},
		// Half the bytes; a shift or a mask, or a conversion, per register.
		{kernel.Gemv{Storage: kernel.BF16, K: 768}, count{48, 24 + 1, 0, 48 + 1}},
		{kernel.Gemv{Storage: kernel.F16, K: 768}, count{48, 24 + 1, 0, 48 + 1}},
		// Four columns of the tile of 4 tokens × 4 registers.
		{kernel.Gemm{Storage: kernel.F32, K: 768, StrideX: 768, StrideY: 768}, count{64, 16 + 4, 0, 1}},
	} {
		if got := innermost(compiled(t, c.spec)); got != c.want {
			t.Errorf("%s: %v, want %v", c.spec.Name(), got, c.want)
		}
	}
}
