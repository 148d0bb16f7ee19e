package amd64_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/amd64"
	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/target"
)

// compiled is what a level makes of a spec, for all tests.
func compiled(t *testing.T, b target.Backend, s kernel.Spec) *ir.File {
	t.Helper()
	name := target.FuncName(s, b.Level().Name)
	if f, ok := files[name]; ok {
		return f
	}
	b, _ = target.Lookup(b.Level().Name)
	file, err := b.(*amd64.Level).Build(nil, s)
	if err != nil {
		t.Fatalf("%s: %v", s.Name(), err)
	}
	files[name] = file
	return file
}

// files are those already compiled, by the name of their function.
var files = map[string]*ir.File{}

// function is the one that a file of compiled has.
func function(t *testing.T, b target.Backend, s kernel.Spec) *ir.Function {
	t.Helper()
	return compiled(t, b, s).Functions()[0]
}

// opcodes is every instruction that a level's kernels consist of. A new one
// belongs here, in package interp, and in its table of forms.
var opcodes = map[string]string{
	"v3": `ADDQ CMPQ DECQ IMUL3Q INCQ JGE JGT JLE JLT JMP JNZ JZ LEAQ MOVL MOVQ PREFETCHT0 PREFETCHT1 RET SUBQ TESTQ VADDPS VADDSS
		VBROADCASTSS VCVTDQ2PS VCVTPH2PS VCVTPS2DQ VDIVPS VDIVSS VEXTRACTF128 VEXTRACTI128 VFMADD132PS
		VFMADD213PS VFMADD231PS VFMADD231SS VFNMADD231PS VMASKMOVPS VMAXPS VMAXSS VMINPS VMOVAPS VMOVD VMOVDQA
		VMOVDQU VMOVSS VMOVUPS VMULPS VORPS VPACKSSDW VPACKSSWB VPADDD VPAND VPBROADCASTD VPERMILPS
		VPERMPS VPERMQ VPEXTRW VPMADDUBSW VPMADDWD VPMAXUD VPMINUD VPMOVSXBD VPSHUFB VPSHUFD VPSLLD VPSLLW VPSRAD VPSRAW VPSRLD VPSUBD VPXOR VSQRTSS
		VSUBPS VXORPS VZEROUPPER XORQ`,
	"v4": `ADDQ CMPQ DECQ IMUL3Q INCQ JGE JGT JLE JLT JMP JNZ JZ KMOVW LEAQ MOVL MOVQ PREFETCHT0 PREFETCHT1 RET SUBQ TESTQ
		VADDPS VADDSS VBROADCASTSS VCVTDQ2PS VCVTPH2PS VCVTPS2DQ VDIVPS VDIVSS VEXTRACTF32X4
		VEXTRACTF64X4 VEXTRACTI32X4 VEXTRACTI64X4 VFMADD132PS VFMADD213PS VFMADD231PS VFMADD231SS VFNMADD231PS
		VMAXPS VMAXSS VMINPS VMOVAPS VMOVD VMOVDQA32 VMOVSS VMOVUPS VMULPS VORPS VPADDD VPANDD
		VPBROADCASTD VPERMILPS VPERMPS VPERMW VPEXTRW VPMADDUBSW VPMADDWD VPMAXUD VPMINUD VPMOVDB VPMOVDW VPMOVSXBD VPSHUFB VPSHUFD VPSLLD VPSLLW
		VPSRAD VPSRAW VPSRLD VPSUBD VPXORD VSQRTSS VSUBPS VXORPS VZEROUPPER XORQ`,
}

// differences are the instructions of a level that the one below does without.
var differences = map[string]string{"v4n": "VPDPBUSD VPDPWSSD", "v4b": "VDPBF16PS"}

// below are the levels that others have one feature less than.
var below = map[string]string{"v4n": "v4", "v4b": "v4n"}

// opcodesOf is every instruction of a level's kernels.
func opcodesOf(level string) []string {
	if below[level] == "" {
		return strings.Fields(opcodes[level])
	}
	return append(opcodesOf(below[level]), strings.Fields(differences[level])...)
}

// extensions maps avo's names to the features that a level may have.
var extensions = map[string]string{
	"AVX": "avx2", "AVX2": "avx2", "FMA3": "fma", "F16C": "f16c", "CMOV": "avx2", "SSE": "avx2", "SSE2": "avx2", "MMX+": "avx2",
	"AVX512F": "avx512f", "AVX512BW": "avx512bw", "AVX512DQ": "avx512dq", "AVX512VL": "avx512vl", "AVX512VNNI": "avx512vnni", "AVX512BF16": "avx512bf16",
}

func TestOpcodes(t *testing.T) {
	for _, b := range target.Backends() {
		level, seen := b.Level().Name, map[string]bool{}
		for _, s := range supported(b) {
			for _, i := range function(t, b, s).Instructions() {
				seen[i.Opcode] = true
			}
		}
		want := opcodesOf(level)
		for _, op := range want {
			if !seen[op] {
				t.Errorf("%s: no kernel uses %s any more", level, op)
			}
			delete(seen, op)
		}
		for op := range seen {
			t.Errorf("%s: %s is new; list it, and teach the interpreter", level, op)
		}
	}
}

// sixteenRegisters are the instructions among those of level v3 that AVX-512 has
// no encoding of: it calls what does the same for 32 registers otherwise.
var sixteenRegisters = strings.Fields("VEXTRACTF128 VEXTRACTI128 VMASKMOVPS VMOVDQA VMOVDQU VPAND VPXOR")

// TestLevelHasWhatKernelsNeed looks at every instruction's extension, and on
// levels without AVX-512 at the numbers of registers: X16 and above would be
// encoded as something else. On the others, no instruction may depend on which
// registers are left.
func TestLevelHasWhatKernelsNeed(t *testing.T) {
	for _, b := range target.Backends() {
		for _, s := range supported(b) {
			f := function(t, b, s)
			for _, isa := range f.ISA {
				if !slices.Contains(b.Level().Features, extensions[isa]) {
					t.Errorf("%s: %s needs %s", b.Level().Name, s.Name(), isa)
				}
			}
			for _, i := range f.Instructions() {
				for _, r := range i.Registers() {
					if r.Kind() == reg.KindVector && b.Level().Name == "v3" && r.(reg.Physical).PhysicalIndex() > 15 {
						t.Errorf("%s: %s uses %s", b.Level().Name, s.Name(), r.Asm())
					}
				}
				if b.Level().Name != "v3" && slices.Contains(sixteenRegisters, i.Opcode) {
					t.Errorf("%s: %s uses %s, which has no encoding for half of the registers", b.Level().Name, s.Name(), i.Opcode)
				}
			}
		}
	}
}

// TestFormOfFunctions: no frame, no call, no access to a stack, and upper
// halves cleared before the one return.
func TestFormOfFunctions(t *testing.T) {
	for _, b := range target.Backends() {
		for _, s := range supported(b) {
			f := function(t, b, s)
			if f.LocalSize != 0 {
				t.Errorf("%s: a frame of %d bytes", f.Name, f.LocalSize)
			}
			list := f.Instructions()
			for n, i := range list {
				switch {
				case i.Opcode == "CALL" || i.Opcode == "PUSHQ" || i.Opcode == "POPQ":
					t.Errorf("%s: %s", f.Name, i.Opcode)
				case i.Opcode == "RET" && (n == 0 || list[n-1].Opcode != "VZEROUPPER" || n != len(list)-1):
					t.Errorf("%s: RET at instruction %d of %d, without VZEROUPPER before it or before the end", f.Name, n, len(list))
				}
			}
		}
	}
}

// TestImprovements: a level says that it makes a spec better if and only if its
// instructions are others than those of the level below.
func TestImprovements(t *testing.T) {
	text := func(f *ir.Function) string {
		var b strings.Builder
		for _, i := range f.Instructions() {
			fmt.Fprintln(&b, i.OpcodeWithSuffixes(), i.Operands)
		}
		return b.String()
	}
	for level, below := range below {
		b, _ := target.Lookup(level)
		old, _ := target.Lookup(below)
		for _, s := range supported(b) {
			differs := text(function(t, b, s)) != strings.ReplaceAll(text(function(t, old, s)), "_"+below, "_"+level)
			if b.Improves(s) != differs {
				t.Errorf("%s: %s: improves is %v, other instructions %v", level, s.Name(), b.Improves(s), differs)
			}
		}
	}
}

func TestEmissionIsDeterministic(t *testing.T) {
	for _, b := range target.Backends() {
		specs := onePerKind(supported(b)) // emission is slow, and alike for all of a kind
		first, err := b.Emit("kernels", "Made by a test.", specs, nil)
		if err != nil {
			t.Fatal(err)
		}
		if second, _ := b.Emit("kernels", "Made by a test.", specs, nil); !bytes.Equal(first, second) {
			t.Errorf("%s: two emissions differ", b.Level().Name)
		}
	}
}

// onePerKind keeps the last spec of each kind.
func onePerKind(specs []kernel.Spec) []kernel.Spec {
	last := map[string]kernel.Spec{}
	for _, s := range specs {
		last[s.Kind()] = s
	}
	return slices.DeleteFunc(slices.Clone(specs), func(s kernel.Spec) bool { return last[s.Kind()] != s })
}

func TestUnsupportedSpecIsAnError(t *testing.T) {
	for _, b := range target.Backends() {
		for _, s := range []kernel.Spec{
			kernel.Embed{Storage: kernel.F32, Width: 8, StrideY: 8},
			kernel.Conv{Taps: 20, Channels: 48, StrideX: 48, StrideY: 48},
		} {
			if b.Supports(s) {
				t.Errorf("%s: %s is supported", b.Level().Name, s.Name())
			}
			if _, err := b.Emit("kernels", "", []kernel.Spec{s}, nil); err == nil || !strings.Contains(err.Error(), s.Name()) {
				t.Errorf("%s: %s: error %v", b.Level().Name, s.Name(), err)
			}
		}
	}
}

// TestRoundedIsExact: without an instruction for pairs of bf16 the product with
// rounded inputs is that with any, instruction by instruction.
func TestRoundedIsExact(t *testing.T) {
	for _, level := range []string{"v3", "v4", "v4n"} {
		b, _ := target.Lookup(level)
		for narrow, wide := range map[kernel.Spec]kernel.Spec{
			kernel.DotGemv{Storage: kernel.BF16, K: 31}:                           kernel.Gemv{Storage: kernel.BF16, K: 31},
			kernel.DotGemm{Storage: kernel.BF16, K: 31, StrideX: 48, StrideY: 48}: kernel.Gemm{Storage: kernel.BF16, K: 31, StrideX: 48, StrideY: 48},
		} {
			a, b := function(t, b, narrow).Instructions(), function(t, b, wide).Instructions()
			same := slices.EqualFunc(a, b, func(a, b *ir.Instruction) bool { return a.Opcode == b.Opcode })
			if !same {
				t.Errorf("%s: %s and %s differ", level, narrow.Name(), wide.Name())
			}
		}
	}
}

// TestLegendsNameRegisters: what a reader of the assembly is told.
func TestLegendsNameRegisters(t *testing.T) {
	b, _ := target.Lookup("v4")
	text, err := b.Emit("kernels", "", []kernel.Spec{kernel.Gemm{Storage: kernel.F32, K: 64, StrideX: 64, StrideY: 48}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"// gemm_f32_k64_sx64_sy48 for v4.", "// Tokens, 8 at a time.", "Z0…Z23 sums, "} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %q in the assembly", want)
		}
	}
}

// count is what matters of an inner loop.
type count struct {
	multiplyAdds, broadcasts, loads, stores, asks, others int
}

// heaviest is the loop that multiplies most.
func heaviest(f *ir.Function) count {
	return slices.MaxFunc(loops(f), func(a, b count) int { return a.multiplyAdds - b.multiplyAdds })
}

func (c count) String() string {
	return fmt.Sprintf("%d multiply-adds, %d broadcasts, %d loads, %d stores, %d asks, %d others",
		c.multiplyAdds, c.broadcasts, c.loads, c.stores, c.asks, c.others)
}

// loops counts the instructions of every loop that holds no other, in order.
// Loads are all reads of memory but broadcasts, as operands or alone.
func loops(f *ir.Function) []count {
	var list []count
	var now count
	var head ir.Label
	for _, n := range f.Nodes {
		switch n := n.(type) {
		case ir.Label:
			head, now = n, count{}
		case *ir.Instruction:
			if target := n.TargetLabel(); target != nil && *target == head {
				list = append(list, now)
				head = ""
			}
			now.add(n)
		}
	}
	return list
}

// dots are the multiply-adds of narrow products.
var dots = []string{"VPMADDWD", "VPDPBUSD", "VPDPWSSD", "VDPBF16PS"}

func (c *count) add(i *ir.Instruction) {
	reads, last := false, len(i.Operands)-1
	for n, op := range i.Operands {
		reads = reads || operand.IsMem(op) && n < last
	}
	switch {
	case i.Opcode == "VBROADCASTSS", i.Opcode == "VPBROADCASTD":
		c.broadcasts++
	case strings.HasPrefix(i.Opcode, "VFMADD"), slices.Contains(dots, i.Opcode):
		c.multiplyAdds++
	case strings.HasPrefix(i.Opcode, "PREFETCH"):
		c.asks++
	case last >= 0 && operand.IsMem(i.Operands[last]):
		c.stores++
	case !reads:
		c.others++
	}
	if reads && i.Opcode != "VBROADCASTSS" && i.Opcode != "VPBROADCASTD" {
		c.loads++
	}
}

// TestInnerLoops states what the loops that take the time consist of: nothing
// is loaded twice, stored or moved without need.
func TestInnerLoops(t *testing.T) {
	gemv := func(s kernel.Storage) kernel.Spec { return kernel.Gemv{Storage: s, K: 768} }
	gemm := kernel.Gemm{Storage: kernel.F32, K: 768, StrideX: 768, StrideY: 768}
	dotGemv := func(s kernel.Storage) kernel.Spec { return kernel.DotGemv{Storage: s, K: 768} }
	dotGemm := func(s kernel.Storage) kernel.Spec {
		return kernel.DotGemm{Storage: s, K: 768, StrideX: s.QuantisedRow(768).Floats, StrideY: 768}
	}
	const overhead = 3 // two pointers and the counter; the branch ends the loop
	for _, c := range []struct {
		level string
		spec  kernel.Spec
		want  count
	}{
		// Eight turns; 48 rows are 6 registers in v3, 3 in v4.
		{"v3", gemv(kernel.F32), count{48, 8, 48, 0, 0, overhead}},
		{"v4", gemv(kernel.F32), count{24, 8, 24, 0, 0, overhead}},
		// A pair is two columns, one load, one shift, one mask; v3 asks for lines ahead.
		{"v3", gemv(kernel.BF16), count{96, 16, 48, 0, 3 * 8, 2*48 + overhead}},
		{"v4", gemv(kernel.BF16), count{48, 16, 24, 0, 0, 2*24 + overhead}},
		// Convert both as they are loaded; permute, convert, take the high half, convert.
		{"v3", gemv(kernel.F16), count{96, 16, 96, 0, 3 * 8, overhead}},
		{"v4", gemv(kernel.F16), count{48, 16, 24, 0, 0, 4*24 + overhead}},
		// Four columns of the tile: 4 × 3 registers, 8 × 3 registers; the pointer to
		// coming weights.
		{"v3", gemm, count{48, 16, 12, 0, 2, overhead + 1}},
		{"v4", gemm, count{96, 32, 12, 0, 4, overhead + 1}},
		// Four quads of columns: those of int8 are used as they lie in memory, or
		// become two vectors of words, products, sums.
		{"v3", dotGemv(kernel.Int8), count{48, 8, 24 + 48, 0, 0, 48 + overhead}},
		{"v4n", dotGemv(kernel.Int8), count{12, 0, 12 + 12, 0, 0, overhead}},
		// Eight codes of int4 are split in two (shift, two masks), each half is looked
		// up and multiplied twice, as bytes and by the multiple, which two units share:
		// it is moved into its place and made a word of (shuffle, shift).
		{"v3", dotGemv(kernel.Int4), count{24, 4, 12*(1+2) + 6 + 1, 0, 0, 12*(1+2+2+2) + 6*2 + overhead}},
		{"v4n", dotGemv(kernel.Int4), count{12, 4, 6*(1+2) + 3 + 1, 0, 0, 6*(1+2+2) + 3*2 + overhead}},
		// Two pairs of quads of the tile: 6 × 2 registers, an input for both, products
		// that are added; with many tokens one line of coming weights is enough.
		{"v3", dotGemm(kernel.Int8), count{48, 24, 8, 0, 1, 48 + overhead + 1}},
		// Four quads of the tile: 8 × 3 registers, an input from memory each; or an
		// input for three registers, whose products are multiplied again.
		{"v4n", dotGemm(kernel.Int8), count{96, 0, 12 + 96, 0, 1, overhead + 1}},
		{"v4n", dotGemm(kernel.Int4), count{96, 32, 12 + 3, 0, 1, 96 + overhead + 1}},
		// Pairs of bf16 take the place of columns of f32.
		{"v4b", dotGemv(kernel.BF16), count{24, 8, 24, 0, 0, overhead}},
		{"v4b", dotGemm(kernel.BF16), count{96, 32, 12, 0, 4, overhead + 1}},
	} {
		b, _ := target.Lookup(c.level)
		if got := heaviest(function(t, b, c.spec)); got != c.want {
			t.Errorf("%s, %s: %v, want %v", c.level, c.spec.Name(), got, c.want)
		}
	}
}
