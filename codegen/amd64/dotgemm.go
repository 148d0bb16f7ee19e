package amd64

import (
	"fmt"
	"slices"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() {
	registerKind("dotgemm", emitter{
		supports: func(*Level, kernel.Spec) bool { return true },
		emit: func(a *asm, s kernel.Spec) {
			if d := s.(kernel.DotGemm); d.Storage == kernel.BF16 {
				dotGemmBF16(a, d)
			} else {
				newDotGemm(a, d).emit()
			}
		},
		uses: func(s kernel.Spec) string { return dotUses(s.(kernel.DotGemm).Storage) },
	})
}

// dotGemm multiplies one panel of codes with a run of quantised tokens. Columns
// are taken in blocks: their codes are unpacked, behind each group its scales, which stay in the first-level cache while all tokens use them. The
// sums of every token rest in scratch, behind the block.
type dotGemm struct {
	*asm
	kernel.DotGemm
	coder *coder
	row   kernel.QuantisedRow
	group int           // columns
	w, x  reg.GPVirtual // moving from block to block
	block reg.GPVirtual // groups of the block
	rows  reg.GPVirtual // byte of the first row of the tiles at hand
	// Moving from tile to tile: x, sums, tokens not yet done.
	tileX, tileSums, left reg.GPVirtual
	ahead, step           reg.GPVirtual // what of the coming codes to ask for
}

// dotSumsAt is where the sums begin in scratch, in bytes.
const dotSumsAt = kernel.PanelRows * (2*kernel.DotBlock + 4*kernel.DotBlock/32)

// laneUnroll is for how many vectors of every row a tile's loop takes one turn.
const laneUnroll = 4

func newDotGemm(a *asm, s kernel.DotGemm) *dotGemm {
	format, _ := s.Storage.Coded()
	return &dotGemm{asm: a, DotGemm: s, row: s.Storage.QuantisedRow(s.K), group: format.Group}
}

func (g *dotGemm) emit() {
	tokens, done := g.integer("tokens"), g.label("done")
	g.TESTQ(tokens, tokens)
	g.JZ(operand.LabelRef(done))
	g.clear()
	g.w, g.x = g.pointer("w"), g.pointer("x")
	perBlock := kernel.DotBlock / g.group
	groups, loop, whole := g.GP64(), g.label("block"), g.label("whole")
	g.MOVQ(operand.U32(uint32(g.row.Groups)), groups)
	g.pace()
	g.legend(fmt.Sprintf("%d columns a turn, or what is left.", kernel.DotBlock), holds("groups left", groups), holds("codes", g.w), holds("inputs", g.x))
	g.Label(loop)
	g.block = g.GP64()
	g.MOVQ(groups, g.block)
	g.CMPQ(groups, operand.U32(uint32(perBlock)))
	g.JLT(operand.LabelRef(whole))
	g.MOVQ(operand.U32(uint32(perBlock)), g.block)
	g.Label(whole)
	g.unpack()
	g.addBlock()
	g.ADDQ(operand.U32(uint32(perBlock*g.row.GroupBytes)), g.x)
	g.SUBQ(operand.U32(uint32(perBlock)), groups)
	g.JGT(operand.LabelRef(loop))
	g.finish()
	g.Label(done)
}

// eachToken runs body for every token, with a pointer to its sums.
func (g *dotGemm) eachToken(sentence string, body func(sums reg.GPVirtual)) {
	sums, n, loop := g.pointer("scratch"), g.integer("tokens"), g.label("token")
	g.ADDQ(operand.U32(dotSumsAt), sums)
	g.legend(sentence, holds("sums", sums), holds("tokens left", n))
	g.Label(loop)
	body(sums)
	g.ADDQ(operand.U32(panelBytes), sums)
	g.DECQ(n)
	g.JNZ(operand.LabelRef(loop))
}

// clear begins the sums of every token.
func (g *dotGemm) clear() {
	zero := g.vec()
	g.zero(zero)
	g.eachToken("Sums begin at zero.", func(sums reg.GPVirtual) {
		for at := 0; at < panelBytes; at += g.bytes() {
			g.VMOVUPS(zero, operand.Mem{Base: sums, Disp: at})
		}
	})
}

// finish writes every token's outputs.
func (g *dotGemm) finish() {
	y := g.pointer("y")
	e := g.epilogue(g.Epilogue)
	g.eachToken("Outputs of one token a turn.", func(sums reg.GPVirtual) {
		for at := 0; at < panelBytes; at += g.bytes() {
			v := g.vec()
			g.VMOVUPS(operand.Mem{Base: sums, Disp: at}, v)
			e.apply(v, at, 0)
			g.VMOVUPS(v, operand.Mem{Base: y, Disp: at})
		}
		g.ADDQ(operand.U32(uint32(4*g.StrideY)), y)
		if e.residual != nil {
			g.ADDQ(operand.U32(uint32(4*g.StrideY)), e.residual)
		}
	})
}

// unpack makes of the codes of the block what is multiplied, and float32 of
// their scales, and moves past them.
func (g *dotGemm) unpack() {
	g.coder = newCoder(g.asm, g.Storage)
	to, n, scales := g.pointer("scratch"), g.GP64(), g.GP64()
	g.MOVQ(g.block, n)
	g.eachPair(n, func() {
		g.MOVQ(g.w, scales)
		g.ADDQ(operand.U32(panelBytes), g.w)
	}, func(second int) {
		g.unpackGroup(to)
		for at := 0; at < panelBytes; at += g.bytes() {
			g.VMOVUPS(g.coder.scale(operand.Mem{Base: scales, Disp: at}, second), operand.Mem{Base: to, Disp: at})
		}
		g.ADDQ(operand.U32(panelBytes), to)
	})
}

func (g *dotGemm) unpackGroup(to reg.GPVirtual) {
	n, loop := g.GP64(), g.label("unit")
	g.MOVQ(operand.U32(uint32(g.group/g.Storage.UnitColumns())), n)
	g.legend("One unit of codes a turn.", holds("codes", g.w), holds("unpacked", to), holds("units left", n))
	g.Label(loop)
	for at := 0; at < panelBytes; at += g.bytes() {
		next := at
		for _, quads := range g.coder.quads(operand.Mem{Base: g.w, Disp: at}) {
			for _, lanes := range g.coder.lanes(quads) {
				g.VMOVUPS(lanes, operand.Mem{Base: to, Disp: next})
				next += panelBytes
			}
		}
	}
	g.ADDQ(operand.U32(panelBytes), g.w)
	g.ADDQ(operand.U32(uint32(g.Storage.UnitColumns()/g.coder.columns()*panelBytes)), to)
	g.DECQ(n)
	g.JNZ(operand.LabelRef(loop))
}

// addBlock adds the block to the sums of all tokens: a part of the rows that
// fits the registers with all tokens, then the next.
func (g *dotGemm) addBlock() {
	loop := g.label("rows")
	g.rows, g.ahead = g.GP64(), g.GP64()
	g.XORQ(g.rows, g.rows)
	g.MOVQ(g.w, g.ahead)
	g.Label(loop)
	g.tileX, g.left, g.tileSums = g.GP64(), g.integer("tokens"), g.pointer("scratch")
	g.MOVQ(g.x, g.tileX)
	g.ADDQ(g.rows, g.tileSums)
	g.ADDQ(operand.U32(dotSumsAt), g.tileSums)
	for i, m := range g.level.dotTokens {
		g.tiles(m, i == 0)
	}
	if g.level.dotRows < kernel.PanelRows {
		g.ADDQ(operand.U32(uint32(4*g.level.dotRows)), g.rows)
		g.CMPQ(g.rows, operand.U32(panelBytes))
		g.JLT(operand.LabelRef(loop))
	}
}

// pace chooses the step with which every turn of a tile's loop asks for the
// codes of the next block: a line for few tokens, less for so many that all of
// it is asked for anyway.
func (g *dotGemm) pace() {
	const many, part = 32, lineBytes / 8
	tokens, few := g.integer("tokens"), g.label("few")
	g.step = g.GP64()
	g.MOVQ(operand.U32(lineBytes), g.step)
	g.CMPQ(tokens, operand.U32(many))
	g.JLT(operand.LabelRef(few))
	g.MOVQ(operand.U32(part), g.step)
	g.Label(few)
}

// tiles runs tiles of m tokens: as many as fit of the tallest, at most one of
// the others.
func (g *dotGemm) tiles(m int, tallest bool) {
	loop, done := g.label("tile"), g.label("next")
	g.legend(fmt.Sprintf("Tokens, %d at a time.", m), holds("tokens left", g.left), holds("inputs", g.tileX), holds("sums", g.tileSums))
	g.Label(loop)
	g.CMPQ(g.left, operand.U32(uint32(m)))
	g.JLT(operand.LabelRef(done))
	g.tile(m)
	g.ADDQ(operand.U32(uint32(4*m*g.StrideX)), g.tileX)
	g.ADDQ(operand.U32(uint32(m*panelBytes)), g.tileSums)
	g.SUBQ(operand.U32(uint32(m)), g.left)
	if tallest {
		g.JMP(operand.LabelRef(loop))
	}
	g.Label(done)
}

// tile adds the groups of the block to m tokens × dotRows rows.
func (g *dotGemm) tile(m int) {
	w, x := g.pointer("scratch"), g.GP64()
	from, to := g.coder.numbers(g.row)
	g.ADDQ(g.rows, w)
	g.LEAQ(operand.Mem{Base: g.tileX, Disp: from}, x)
	n, loop := g.GP64(), g.label("group")
	g.MOVQ(g.block, n)
	g.Label(loop)
	acc := make([][]reg.VecVirtual, m)
	for t := range acc {
		acc[t] = g.vecs(g.level.dotRows / g.level.lanes)
		for _, v := range acc[t] {
			g.VPBROADCASTD(operand.Mem{Base: x, Disp: g.row.Zero - from + 4*t*g.StrideX}, v)
		}
	}
	g.products(acc, w, x)
	g.flush(acc, w, x, g.row.Scale-to)
	g.ADDQ(operand.U32(panelBytes), w)
	g.ADDQ(operand.U32(uint32(g.row.GroupBytes-(to-from))), x)
	g.DECQ(n)
	g.JNZ(operand.LabelRef(loop))
}

// products is the inner loop over the columns of a group: the tile's weights
// once, one input and a row of products per token. It leaves w at the scales of
// the group, and x at the end of its numbers.
func (g *dotGemm) products(acc [][]reg.VecVirtual, w, x reg.GPVirtual) {
	n, loop := g.GP64(), g.label("columns")
	turn := laneUnroll * g.coder.columns()
	g.MOVQ(operand.U32(uint32(g.group/turn)), n)
	g.legend(fmt.Sprintf("%d columns a turn.", turn), holds("sums", slices.Concat(acc...)...), holds("weights", w), holds("inputs", x), holds("turns left", n))
	g.Label(loop)
	g.PREFETCHT1(operand.Mem{Base: g.ahead})
	g.ADDQ(g.step, g.ahead)
	for u := range laneUnroll {
		weights := g.vecs(len(acc[0]))
		for i, v := range weights {
			g.VMOVUPS(operand.Mem{Base: w, Disp: u*panelBytes + i*g.bytes()}, v)
		}
		for t := range acc {
			in := g.coder.input(operand.Mem{Base: x, Disp: 4*u + 4*t*g.StrideX})
			for i, v := range acc[t] {
				g.coder.add(weights[i], in, v)
			}
		}
	}
	g.ADDQ(operand.U32(laneUnroll*panelBytes), w)
	g.ADDQ(operand.U32(4*laneUnroll), x)
	g.DECQ(n)
	g.JNZ(operand.LabelRef(loop))
}

// flush adds the whole numbers of a group, times both scales, to the sums; that
// of the inputs is some bytes behind x.
func (g *dotGemm) flush(acc [][]reg.VecVirtual, w, x reg.GPVirtual, scale int) {
	for t := range acc {
		scaleX := g.broadcast(x, scale+4*t*g.StrideX)
		for i, v := range acc[t] {
			at := i * g.bytes()
			both, sum := g.vec(), operand.Mem{Base: g.tileSums, Disp: t*panelBytes + at}
			g.VMULPS(operand.Mem{Base: w, Disp: at}, scaleX, both)
			g.VCVTDQ2PS(v, v)
			g.VFMADD213PS(sum, both, v)
			g.VMOVUPS(v, sum)
		}
	}
}
