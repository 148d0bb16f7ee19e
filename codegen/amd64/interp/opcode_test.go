package interp

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/runtime/cpu"
)

// forms lists instructions to try on the CPU and in the interpreter: opcode
// with suffixes, then operands in Go's order. x y z are vector registers and
// m memory filled from a slot of inputs of their own, k a mask, g and d
// general registers of 64 and 32 bits, c and e such with a count of bits, a
// number a constant. The last operand
// is the result; a final m is memory written.
var forms = strings.Split(strings.TrimSpace(`
MOVQ g g
MOVL d d
MOVQ m g
MOVL m d
MOVQ g m
MOVL d m
MOVQ 305419896 g
MOVWLZX m d
MOVWQZX m g
MOVLQSX d g
MOVLQSX m g
MOVLQZX m g
ADDQ g g
ADDL d d
ADDQ 1000 g
SUBQ g g
SUBL d d
ANDQ 4080 g
ANDL d d
ORQ g g
ORL d d
XORQ g g
XORL d d
INCQ g
INCL d
DECQ g
DECL d
SHLQ 3 g
SHLL 5 d
SHRQ 7 g
SHRL 9 d
SARQ 11 g
SARL 13 d
IMULQ g g
IMULL d d
IMUL3Q 48 g g
IMUL3L 48 d d
NEGQ g
NEGL d
BZHIQ c g g
BZHIL e d d
SHLXQ c g g
SHLXL e d d
CMPQ g g JE
CMPQ g g JEQ
CMPQ g g JZ
CMPQ g g JNE
CMPQ g g JNZ
CMPQ g g JL
CMPQ g g JLT
CMPQ g g JGE
CMPQ g g JLE
CMPQ g g JG
CMPQ g g JGT
CMPQ g g JB
CMPQ g g JCS
CMPQ g g JLO
CMPQ g g JAE
CMPQ g g JCC
CMPQ g g JHS
CMPQ g g JBE
CMPQ g g JLS
CMPQ g g JA
CMPQ g g JHI
CMPQ g g JMI
CMPQ g g JS
CMPQ g g JPL
CMPQ g g JNS
CMPL d d JLT
CMPL d d JHI
CMPQ g 16 JGE
TESTQ g g JZ
TESTL d d JMI
SUBQ g g JLT
ADDQ g g JCS
ADDL d d JLT
DECQ g JNZ
VMOVUPS m y
VMOVUPS y m
VMOVUPS m z
VMOVUPS z m
VMOVUPS m k z
VMOVUPS.Z m k z
VMOVUPS z k m
VMOVUPS.Z m k y
VMOVUPD m y
VMOVUPD.Z m k z
VMOVDQU m y
VMOVDQU x m
VMOVDQU32 m z
VMOVDQU32.Z m k z
VMOVDQU64 m z
VLDDQU m y
VMOVAPS y y
VMOVAPS z z
VMOVDQA x x
VMOVDQA32 z z
VMOVDQA64 z z
VMOVSS m x
VMOVSS x m
VMOVSS x x x
VMOVD m x
VMOVD d x
VMOVD x d
VMOVQ m x
VMOVQ g x
VMOVQ x g
VMASKMOVPS m y y
VMASKMOVPS m x x
VMASKMOVPS y y m
VPMASKMOVD m y y
VPMASKMOVD x x m
VADDPS y y y
VADDPS m y y
VADDPS z z k z
VADDPS.Z m z k z
VADDPS.BCST m z z
VSUBPS y y y
VSUBPS z z z
VMULPS y y y
VMULPS.BCST m y k y
VDIVPS y y y
VDIVPS z z z
VMAXPS y y y
VMAXPS z z z
VMINPS y y y
VMINPS m z z
VADDSS x x x
VSUBSS x x x
VMULSS m x x
VDIVSS x x x
VMAXSS x x x
VMINSS x x x
VSQRTSS x x x
VSQRTPS y y
VSQRTPS z z
VSCALEFPS z z z
VSCALEFPS.Z z z k z
VFMADD132PS y y y
VFMADD213PS y y y
VFMADD231PS y y y
VFMADD231PS m y y
VFMADD231PS z z z
VFMADD213PS m z z
VFMADD132PS z z z
VFMADD231PS.BCST m z z
VFMADD231PS z z k z
VFMADD231PS.Z z z k z
VFNMADD132PS y y y
VFNMADD213PS y y y
VFNMADD231PS y y y
VFNMADD231PS z z z
VFMADD132SS x x x
VFMADD213SS x x x
VFMADD231SS m x x
VFNMADD132SS x x x
VFNMADD213SS x x x
VFNMADD231SS x x x
VROUNDPS 8 y y
VROUNDPS 1 y y
VROUNDPS 10 y y
VROUNDPS 11 m y
VRNDSCALEPS 8 z z
VRNDSCALEPS 9 z z
VCVTPS2DQ y y
VCVTPS2DQ z z
VCVTTPS2DQ y y
VCVTDQ2PS y y
VCVTDQ2PS z z
VCVTPH2PS x y
VCVTPH2PS m y
VCVTPH2PS y z
VCVTPH2PS.Z m k z
VPMOVZXWD x y
VPMOVZXWD m y
VPMOVZXWD y z
VPMOVSXWD x y
VPMOVSXBD m y
VPMOVSXBD m z
VANDPS y y y
VPAND y y y
VPANDD z z z
VANDPD y y y
VPANDQ z z z
VANDNPS y y y
VPANDN y y y
VPANDND z z z
VANDNPD y y y
VPANDNQ z z z
VORPS y y y
VPOR m y y
VPORD.BCST m z z
VORPD y y y
VPORQ z z z
VXORPS y y y
VPXOR x x x
VPXORD z z z
VXORPD y y y
VPXORQ z z z
VPADDD y y y
VPADDD m z z
VPSUBD y y y
VPMULLD y y y
VPMAXSD y y y
VPMINSD z z z
VPSLLW 8 y y
VPSLLW 15 z z
VPSLLW 16 y y
VPSRAW 8 y y
VPSRAW 15 z z
VPSRAW 16 y y
VPSLLD 16 y y
VPSLLD 16 z z
VPSLLD 23 m z
VPSLLD 40 y y
VPSLLD x y y
VPSRLD 9 y y
VPSRLD x z z
VPSRAD 31 y y
VPSRAD 40 y y
VPTERNLOGD 202 z z z
VPTERNLOGD 216 m z z
VPLZCNTD z z
VBROADCASTSS m y
VBROADCASTSS x y
VBROADCASTSS m z
VBROADCASTSS x z
VBROADCASTSS.Z m k z
VPBROADCASTD m y
VPBROADCASTD d z
VPBROADCASTD x z
VBROADCASTSD m y
VPBROADCASTQ x y
VPBROADCASTQ m z
VPBROADCASTW x y
VBROADCASTF128 m y
VBROADCASTI128 m y
VBROADCASTF32X4 m z
VBROADCASTI32X4 m z
VBROADCASTF32X8 m z
VBROADCASTI32X8 m z
VBROADCASTF64X4 m z
VBROADCASTI64X4 m z
VPERMD y y y
VPERMD z z z
VPERMPS y y y
VPERMPS m z z
VPERMPS z z z
VPERMW z z z
VPERMW y y y
VPERMQ 216 y y
VPERMQ 27 z z
VPERMQ z z z
VPERMPD 141 y y
VPERM2F128 49 y y y
VPERM2I128 32 y y y
VPERM2F128 131 m y y
VPSHUFB y y y
VPSHUFB m y y
VPSHUFB z z z
VSHUFPS 136 y y y
VSHUFPS 221 z z z
VPSHUFD 57 y y
VPSHUFD 57 z z
VPERMILPS 177 y y
VPERMILPS y y y
VUNPCKLPS y y y
VUNPCKHPS z z z
VPUNPCKLDQ y y y
VPUNPCKHDQ y y y
VMOVSHDUP y y
VMOVSLDUP z z
VMOVHLPS x x x
VBLENDPS 170 y y y
VPBLENDD 85 y y y
VEXTRACTF128 1 y x
VEXTRACTF128 1 y m
VEXTRACTI128 1 y x
VEXTRACTF32X4 2 z x
VEXTRACTI32X4 3 z x
VEXTRACTF64X2 1 z x
VEXTRACTI64X2 2 z x
VEXTRACTF32X8 1 z y
VEXTRACTI32X8 1 z y
VEXTRACTF64X4 1 z y
VEXTRACTI64X4 1 z m
VINSERTF128 1 x y y
VINSERTI128 0 m y y
VINSERTF32X4 2 x z z
VINSERTI32X4 3 m z z
VINSERTF64X4 1 y z z
VINSERTI64X4 1 m z z
VPACKSSDW y y y
VPACKSSWB y y y
VPMAXUD y y y
VPMAXUD z z z
VPMAXUD x x x
VPMINUD y y y
VPMINUD m z z
VPMADDWD y y y
VPMADDWD z z z
VPMADDUBSW y y y
VPMADDUBSW m y y
VPMADDUBSW z z z
VPEXTRW 0 x m
VPEXTRW 5 x m
VPDPWSSD z z z
VPDPWSSD m z z
VPDPWSSD.BCST m z z
VPDPBUSD z z z
VPDPBUSD m z z
VPDPBUSD.BCST m z z
VPMOVDW z m
VPMOVDB z m
VPACKUSDW y y y
VPACKUSDW z z z
KMOVB k k
KMOVW k k
KMOVW d k
KMOVW m k
KMOVW k d
KMOVD d k
KMOVQ g k
KMOVQ k g
KANDB k k k
KANDW k k k
KANDD k k k
KANDQ k k k
KORB k k k
KORW k k k
KORD k k k
KORQ k k k
KXORB k k k
KXORW k k k
KXORD k k k
KXORQ k k k
KXNORB k k k
KXNORW k k k
KXNORD k k k
KXNORQ k k k
KNOTB k k
KNOTW k k
KNOTD k k
KNOTQ k k
VCMPPS 0 y y y
VCMPPS 1 y y y
VCMPPS 2 y y y
VCMPPS 3 y y y
VCMPPS 4 y y y
VCMPPS 5 y y y
VCMPPS 6 y y y
VCMPPS 7 y y y
VCMPPS 8 y y y
VCMPPS 9 y y y
VCMPPS 10 y y y
VCMPPS 11 y y y
VCMPPS 12 y y y
VCMPPS 13 y y y
VCMPPS 14 y y y
VCMPPS 15 y y y
VCMPPS 30 y y y
VCMPPS 1 z z k
VCMPPS 13 m z k k
VPCMPEQD y y y
VPCMPEQD z z k
VPCMPGTD y y y
VPCMPGTD z z k
VBLENDVPS y y y y
VBLENDVPS y m y y
VBLENDMPS z z k z
VPBLENDMD z z k z
`), "\n")

// tested elsewhere: RET, JMP and VZEROUPPER are in every program, memory that
// must be aligned in TestAlignment, what the assembler does not know in
// TestPairs, and a prefetch shows no result.
var elsewhere = map[string]bool{
	"RET": true, "JMP": true, "VZEROUPPER": true, "NOP": true, "VMOVNTPS": true, "VDPBF16PS": true,
	"LEAQ": true, "LEAL": true, "PREFETCHT0": true, "PREFETCHT1": true, "PREFETCHT2": true, "PREFETCHNTA": true,
}

// TestEveryOpcodeHasForm loops over what the interpreter knows.
func TestEveryOpcodeHasForm(t *testing.T) {
	tried := map[string]bool{}
	for _, form := range forms {
		for _, word := range strings.Fields(form) {
			tried[strings.Split(word, ".")[0]] = true
		}
	}
	for opcode := range operations {
		if !tried[opcode] && !elsewhere[opcode] {
			t.Errorf("%s is in no form", opcode)
		}
	}
}

// slots is the number of vectors of 64 bytes of a program's input.
const slots = 6

// TestAgainstCPU runs every form natively and in the interpreter.
func TestAgainstCPU(t *testing.T) {
	if !cpu.Has("avx2") {
		t.Skip("this CPU lacks avx2")
	}
	file, names := formFile(t)
	inputs := formInputs(80)
	native := runNatively(t, file, names, inputs)
	f, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		for j, in := range inputs {
			out := make([]float32, 16)
			if err := f.Run(name, out, bytes32(in)); err != nil {
				t.Fatalf("%s: %v", formOf(name), err)
			}
			want := native[i*len(inputs)+j]
			for lane, v := range out {
				if w := want[lane]; math.Float32bits(v) != w && !(v != v && isNaN(w)) {
					t.Errorf("%s, input %d: lane %d is %#x, on the CPU %#x", formOf(name), j, lane, math.Float32bits(v), w)
					break
				}
			}
		}
	}
}

func isNaN(bits uint32) bool { return bits&0x7fffffff > 0x7f800000 }

func formOf(name string) string {
	var i int
	fmt.Sscanf(name, "form%d", &i)
	return forms[i]
}

// formFile writes a function for each form that this CPU can run.
func formFile(t *testing.T) (*ir.File, []string) {
	t.Helper()
	all := &ir.File{}
	var names []string
	for i, form := range forms {
		file, err := formProgram(fmt.Sprintf("form%d", i), form)
		if err != nil {
			t.Errorf("%s: %v", form, err)
			continue
		}
		if fn := file.Functions()[0]; canRun(fn.ISA) {
			all.Sections = append(all.Sections, fn)
			names = append(names, fn.Name)
		}
	}
	if err := pass.IncludeTextFlagHeader(all); err != nil {
		t.Fatal(err)
	}
	return all, names
}

func canRun(isa []string) bool {
	for _, extension := range isa {
		if strings.HasPrefix(extension, "AVX512") && !cpu.Has(strings.ToLower(extension)) {
			return false
		}
	}
	return true
}

// formProgram is func(out, in []float32): registers from in, the instruction,
// the result to out.
func formProgram(name, form string) (*ir.File, error) {
	c := build.NewContext()
	c.Function(name)
	c.SignatureExpr("func(out, in []float32)")
	out := c.Load(c.Param("out").Base(), c.GP64())
	in := c.Load(c.Param("in").Base(), c.GP64())
	words := strings.Fields(form)
	jump := ""
	if last := words[len(words)-1]; last[0] == 'J' {
		jump, words = last, words[:len(words)-1]
	}
	var ops []operand.Op
	for i, word := range words[1:] {
		ops = append(ops, formOperand(c, word, in, 64*i, i == len(words)-2 && i > 0, out))
	}
	emit(c, words[0], ops)
	if jump != "" {
		emit(c, jump, []operand.Op{operand.LabelRef("taken")})
		c.JMP(operand.LabelRef("end"))
		c.Label("taken")
		c.MOVL(operand.U32(1), operand.Mem{Base: out})
		c.Label("end")
	} else {
		storeResult(c, ops[len(ops)-1], out)
	}
	if strings.ContainsAny(form, "xyzk") {
		c.VZEROUPPER()
	}
	c.RET()
	file, err := c.Result()
	if err != nil {
		return nil, err
	}
	return file, pass.Compile.Execute(file)
}

// emit calls the method of build.Context that has the opcode's name.
func emit(c *build.Context, opcode string, ops []operand.Op) {
	var args []reflect.Value
	for _, o := range ops {
		args = append(args, reflect.ValueOf(o))
	}
	reflect.ValueOf(c).MethodByName(strings.ReplaceAll(opcode, ".", "_")).Call(args)
}

func formOperand(c *build.Context, word string, in reg.Register, at int, last bool, out reg.Register) operand.Op {
	mem := operand.Mem{Base: in, Disp: at}
	switch word {
	case "x":
		r := c.XMM()
		c.VMOVUPS(mem, r)
		return r
	case "y":
		r := c.YMM()
		c.VMOVUPS(mem, r)
		return r
	case "z":
		r := c.ZMM()
		c.VMOVUPS(mem, r)
		return r
	case "k":
		r := c.K()
		c.KMOVQ(mem, r)
		return r
	case "g":
		r := c.GP64()
		c.MOVQ(mem, r)
		return r
	case "d":
		r := c.GP32()
		c.MOVL(mem, r)
		return r
	case "c", "e": // a count of bits, in 64 or 32
		r := c.GP64()
		c.MOVQ(mem, r)
		c.ANDQ(operand.U8(63), r)
		if word == "e" {
			return r.As32()
		}
		return r
	case "m":
		if last {
			return operand.Mem{Base: out}
		}
		return mem
	}
	value, err := strconv.ParseUint(word, 10, 64)
	if err != nil {
		panic(err)
	}
	if value > 255 {
		return operand.U32(value)
	}
	return operand.U8(value)
}

func storeResult(c *build.Context, o operand.Op, out reg.Register) {
	mem := operand.Mem{Base: out}
	r, ok := o.(reg.Register)
	if !ok {
		return
	}
	switch {
	case r.Kind() == reg.KindOpmask:
		c.KMOVQ(r, mem)
	case r.Kind() == reg.KindGP:
		c.MOVQ(r.(reg.GP).As64(), mem)
	case r.Size() == 64:
		c.VMOVUPS(r, mem)
	default:
		c.VMOVUPS(r.(reg.Vec).AsY(), mem)
	}
}

// formInputs makes slots of bits that are now numbers, now masks and indices.
func formInputs(n int) [][]uint32 {
	r := rand.New(rand.NewPCG(1, 2))
	edges := []uint32{
		0, 1 << 31, 0x7f800000, 0xff800000, 0x7fc00001, 1, 0x007fffff, 0x7f7fffff, 0xff7fffff,
		0x3f800000, 0x4f000000, 0xcf000000, 0x3f000000, 0xbf000000, 0x3fc00000, 0xffffffff,
	}
	var list [][]uint32
	for i := range n {
		in := make([]uint32, 16*slots)
		for j := range in {
			switch {
			case i%4 == 0:
				in[j] = r.Uint32()
			case i%4 == 1 && r.IntN(2) == 0:
				in[j] = edges[r.IntN(len(edges))]
			case i%4 == 2:
				in[j] = r.Uint32N(64)
			default:
				in[j] = math.Float32bits(float32(r.NormFloat64() * math.Exp(4*r.NormFloat64())))
			}
		}
		list = append(list, in)
	}
	return list
}

func bytes32(in []uint32) []float32 {
	out := make([]float32, len(in))
	for i, v := range in {
		out[i] = math.Float32frombits(v)
	}
	return out
}

// runNatively builds a program of the functions and runs it on the inputs.
func runNatively(t *testing.T, file *ir.File, names []string, inputs [][]uint32) [][16]uint32 {
	t.Helper()
	dir := t.TempDir()
	asm, err := printer.NewGoAsm(printer.Config{Name: "opcode_test"}).Print(file)
	if err != nil {
		t.Fatal(err)
	}
	stubs, err := printer.NewStubs(printer.Config{Name: "opcode_test", Pkg: "main"}).Print(file)
	if err != nil {
		t.Fatal(err)
	}
	main := fmt.Sprintf(nativeMain, slots*16, strings.Join(names, ", "))
	for name, text := range map[string]string{
		"go.mod": "module example.com/forms\n\ngo 1.26\n", "forms_amd64.s": string(asm), "stubs.go": string(stubs), "main.go": main,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	var stdin, stdout, stderr bytes.Buffer
	for _, in := range inputs {
		binary.Write(&stdin, binary.LittleEndian, in)
	}
	build := exec.Command("go", "build", "-o", "forms", ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	run := exec.Command(filepath.Join(dir, "forms"))
	run.Stdin, run.Stdout, run.Stderr = &stdin, &stdout, &stderr
	if err := run.Run(); err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	results := make([][16]uint32, len(names)*len(inputs))
	if err := binary.Read(&stdout, binary.LittleEndian, results); err != nil {
		t.Fatal(err)
	}
	return results
}

const nativeMain = `package main

import (
	"encoding/binary"
	"os"
)

func main() {
	var inputs [][]float32
	for {
		in := make([]float32, %d)
		if binary.Read(os.Stdin, binary.LittleEndian, in) != nil {
			break
		}
		inputs = append(inputs, in)
	}
	var results []float32
	for _, f := range []func(out, in []float32){%s} {
		for _, in := range inputs {
			out := make([]float32, 16)
			f(out, in)
			results = append(results, out...)
		}
	}
	binary.Write(os.Stdout, binary.LittleEndian, results)
}
`
