package amd64

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/target"
)

// TestRegisters: the choice is avo's, to the register, in kernels with loops,
// branches, masks, parts of registers, and as many values as there are registers.
func TestRegisters(t *testing.T) {
	specs := []kernel.Spec{
		kernel.Gemm{Storage: kernel.F32, K: 3, StrideX: 3, StrideY: kernel.PanelRows},
		kernel.Gemv{Storage: kernel.Int4, K: 33, Epilogue: kernel.Epilogue{Bias: true}},
		kernel.Quantise{Storage: kernel.Int8, K: 33, StrideX: 33, StrideY: 64},
		kernel.Map{Function: kernel.MapSiLU, Width: 17, StrideA: 17, StrideY: 17},
		kernel.SSD{HeadDim: 5, States: 7, PerGroup: 1, StrideU: 25, StrideBC: 73, OffsetB: 3, OffsetC: 38, StrideD: 7, StrideY: 25},
		kernel.Attend{HeadDim: 20, Group: 2, StrideQ: 40, StrideY: 40, ScaleBits: math.Float32bits(0.25)},
	}
	for _, b := range target.Backends() {
		for _, s := range specs {
			if !b.Supports(s) {
				continue
			}
			ours, theirs := uncompiled(t, b, s), uncompiled(t, b, s)
			if err := compile(ours); err != nil {
				t.Fatal(err)
			}
			if err := pass.Compile.Execute(theirs); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(printed(t, ours), printed(t, theirs)) {
				t.Errorf("%s: %s: other registers than avo's", b.Level().Name, s.Name())
			}
		}
	}
}

// TestTooManyRegisters: what no choice can satisfy is an error.
func TestTooManyRegisters(t *testing.T) {
	ctx := build.NewContext()
	ctx.Function("crowded")
	ctx.SignatureExpr("func()")
	vectors := make([]reg.VecVirtual, 33)
	for i := range vectors {
		vectors[i] = ctx.ZMM()
		ctx.VPXORD(vectors[i], vectors[i], vectors[i])
	}
	for _, v := range vectors {
		ctx.VPADDD(v, vectors[0], vectors[0])
	}
	ctx.RET()
	file, err := ctx.Result()
	if err != nil {
		t.Fatal(err)
	}
	if err := compile(file); err == nil || !strings.Contains(err.Error(), "crowded: more registers at once than there are") {
		t.Errorf("error %v", err)
	}
}

func uncompiled(t *testing.T, b target.Backend, s kernel.Spec) *ir.File {
	t.Helper()
	_, file, err := b.(*Level).instructions(nil, []kernel.Spec{s})
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func printed(t *testing.T, file *ir.File) []byte {
	t.Helper()
	text, err := printer.NewGoAsm(printer.Config{Name: "avo", Pkg: "p"}).Print(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
