// Package probe emits the assembly of runtime/probe: bare loops that reach the
// limits of a machine. It sees avo and evex only.
package probe

import (
	"errors"
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/amd64/evex"
)

// vector is a width of registers.
type vector struct {
	suffix string
	bytes  int
	make   func(*build.Context) reg.VecVirtual
}

var (
	avx2   = vector{"AVX2", 32, (*build.Context).YMM}
	avx512 = vector{"AVX512", 64, (*build.Context).ZMM}
)

// chains is the number of independent accumulators: more than latency times
// throughput of a multiply-add anywhere, and all fit in 16 registers.
const chains = 12

// Emit returns runtime/probe/probe_amd64.s.
func Emit() ([]byte, error) {
	ctx := build.NewContext()
	ctx.ConstraintExpr("!purego")
	for _, v := range []vector{avx2, avx512} {
		read(ctx, v)
		fma(ctx, v)
		dot(ctx, v)
	}
	dotVNNI(ctx)
	dotBF16(ctx)
	file, err := ctx.Result()
	if err != nil {
		return nil, err
	}
	return text(file)
}

func text(file *ir.File) ([]byte, error) {
	if err := errors.Join(pass.Compile.Execute(file), evex.Encode(file)); err != nil {
		return nil, err
	}
	config := printer.Config{Name: "go generate ./codegen/amd64/probe"}
	return printer.NewGoAsm(config).Print(file)
}

// read is one sequential stream of loads, lines half a page ahead are asked
// for; the sums make every load needed.
func read(ctx *build.Context, v vector) {
	const lines, ahead = 8, 2048
	function(ctx, "read"+v.suffix, "func(b []byte)",
		fmt.Sprintf("reads b, a multiple of %d bytes, as one stream", lines*64))
	p, n := ctx.Load(ctx.Param("b").Base(), ctx.GP64()), ctx.Load(ctx.Param("b").Len(), ctx.GP64())
	sums := registers(ctx, v, 4)
	zero(ctx, v, sums)
	ctx.SHRQ(operand.Imm(9), n)
	ctx.JZ(operand.LabelRef("done"))
	ctx.Label("loop")
	for at := 0; at < lines*64; at += v.bytes {
		if at%64 == 0 {
			ctx.PREFETCHT0(operand.Mem{Base: p, Disp: ahead + at})
		}
		s := sums[at/v.bytes%len(sums)]
		from := operand.Mem{Base: p, Disp: at}
		ctx.VPADDQ(from, s, s)
	}
	ctx.ADDQ(operand.U32(lines*64), p)
	ctx.DECQ(n)
	ctx.JNZ(operand.LabelRef("loop"))
	ctx.Label("done")
	finish(ctx)
}

// fma is chains of multiply-adds on registers.
func fma(ctx *build.Context, v vector) {
	function(ctx, "fma"+v.suffix, "func(rounds int)",
		fmt.Sprintf("does rounds × %d fused multiply-adds of %d float32", chains, v.bytes/4))
	n := ctx.Load(ctx.Param("rounds"), ctx.GP64())
	one, sums := v.make(ctx), registers(ctx, v, chains)
	ones(ctx, v, one)
	ctx.VPSRLD(operand.Imm(25), one, one) // 0x7f, the exponent of 1.0
	ctx.VPSLLD(operand.Imm(23), one, one)
	addTo(ctx, v, n, sums, func(s reg.VecVirtual) { ctx.VFMADD231PS(one, one, s) })
}

// dot is the int8 dot product without VNNI: pairs by VPMADDUBSW, quads by
// VPMADDWD.
func dot(ctx *build.Context, v vector) {
	const chains = 6 // each has a register of products too
	function(ctx, "dot"+v.suffix, "func(rounds int)",
		fmt.Sprintf("does rounds × %d dot products of %d int8, four to a sum", chains, v.bytes))
	n := ctx.Load(ctx.Param("rounds"), ctx.GP64())
	bytes, words := v.make(ctx), v.make(ctx)
	sums, products := registers(ctx, v, chains), registers(ctx, v, chains)
	ones(ctx, v, bytes)
	ctx.VPABSB(bytes, bytes)
	ones(ctx, v, words)
	ctx.VPABSW(words, words)
	zero(ctx, v, sums)
	loop(ctx, n, func() {
		for i, s := range sums {
			ctx.VPMADDUBSW(bytes, bytes, products[i])
			ctx.VPMADDWD(products[i], words, products[i])
			ctx.VPADDD(products[i], s, s)
		}
	})
}

// dotVNNI is the int8 dot product of AVX-512 VNNI.
func dotVNNI(ctx *build.Context) {
	function(ctx, "dotVNNI", "func(rounds int)",
		fmt.Sprintf("does rounds × %d dot products of 64 int8, four to a sum", chains))
	n := ctx.Load(ctx.Param("rounds"), ctx.GP64())
	bytes, sums := ctx.ZMM(), registers(ctx, avx512, chains)
	ones(ctx, avx512, bytes)
	addTo(ctx, avx512, n, sums, func(s reg.VecVirtual) { ctx.VPDPBUSD(bytes, bytes, s) })
}

// dotBF16 is the dot product of bf16 of AVX-512.
func dotBF16(ctx *build.Context) {
	function(ctx, "dotBF16", "func(rounds int)",
		fmt.Sprintf("does rounds × %d dot products of 32 bfloat16, two to a sum", chains))
	n := ctx.Load(ctx.Param("rounds"), ctx.GP64())
	one, sums := ctx.ZMM(), registers(ctx, avx512, chains)
	ones(ctx, avx512, one)
	ctx.VPSRLW(operand.Imm(9), one, one) // 0x7f, the exponent of 1.0
	ctx.VPSLLW(operand.Imm(7), one, one)
	addTo(ctx, avx512, n, sums, func(s reg.VecVirtual) { ctx.Instruction(evex.VDPBF16PS(one, one, s)) })
}

func function(ctx *build.Context, name, signature, doc string) {
	ctx.Function(name)
	ctx.Attributes(attr.NOSPLIT)
	ctx.SignatureExpr(signature)
	ctx.Doc(name + " " + doc + ".")
}

func registers(ctx *build.Context, v vector, n int) []reg.VecVirtual {
	var list []reg.VecVirtual
	for range n {
		list = append(list, v.make(ctx))
	}
	return list
}

func zero(ctx *build.Context, v vector, list []reg.VecVirtual) {
	for _, r := range list {
		if v.bytes == 64 {
			ctx.VPXORD(r, r, r)
		} else {
			ctx.VPXOR(r, r, r)
		}
	}
}

func ones(ctx *build.Context, v vector, r reg.VecVirtual) {
	if v.bytes == 64 {
		ctx.VPTERNLOGD(operand.Imm(0xff), r, r, r)
	} else {
		ctx.VPCMPEQD(r, r, r)
	}
}

// addTo adds to every sum, which begin at zero, n times, and returns from the
// function.
func addTo(ctx *build.Context, v vector, n reg.Register, sums []reg.VecVirtual, add func(s reg.VecVirtual)) {
	zero(ctx, v, sums)
	loop(ctx, n, func() {
		for _, s := range sums {
			add(s)
		}
	})
}

// loop runs the body n times and returns from the function.
func loop(ctx *build.Context, n reg.Register, body func()) {
	ctx.TESTQ(n, n)
	ctx.JZ(operand.LabelRef("done"))
	ctx.Label("loop")
	body()
	ctx.DECQ(n)
	ctx.JNZ(operand.LabelRef("loop"))
	ctx.Label("done")
	finish(ctx)
}

func finish(ctx *build.Context) {
	ctx.VZEROUPPER()
	ctx.RET()
}
