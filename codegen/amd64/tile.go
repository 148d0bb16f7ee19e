package amd64

import (
	"slices"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/target"
)

// shape is tokens × rows of a tile.
type shape struct{ tokens, rows int }

// tile is the form of a kernel: what a tiling says, or the first there is.
func (l *Level) tile(s kernel.Spec, tiling target.Tiling) target.Tile {
	if t, ok := tiling[s]; ok {
		return t
	}
	if list := l.Tiles(s); len(list) > 0 {
		return list[0]
	}
	return target.Tile{}
}

// Tiles implements target.Backend.
func (l *Level) Tiles(s kernel.Spec) []target.Tile {
	if e := emitters[s.Kind()]; e.tiles != nil {
		return e.tiles(l, s)
	}
	return nil
}

// Cost implements target.Backend.
func (l *Level) Cost(s kernel.Spec, t target.Tile, tokens int) float64 {
	if e := emitters[s.Kind()]; e.cost != nil {
		return e.cost(l, s, t, tokens)
	}
	return 0
}

// gemmTiles lists every shape with every width of a block. What is widened has to
// fit the scratch memory; codes are taken by whole pairs of groups.
func (l *Level) gemmTiles(s kernel.Gemm) []target.Tile {
	blocks := []int{kernel.KBlock, kernel.KBlock / 2}
	if _, coded := s.Storage.Coded(); coded {
		blocks = blocks[:1]
	}
	return tiles(l.shapes, blocks, s.K)
}

func (l *Level) dotGemmTiles(s kernel.DotGemm) []target.Tile {
	if s.Storage == kernel.BF16 {
		return l.gemmTiles(l.roundedGemm(s))
	}
	return tiles(l.dotShapes, []int{l.dotBlock(s.Storage)}, s.K)
}

// dotBlock is how many columns of codes are unpacked at a time: the fewer, the more
// bytes become of one, so that the first-level cache has room for inputs and sums.
func (l *Level) dotBlock(s kernel.Storage) int {
	products := (&asm{level: l}).products(s)
	return kernel.DotBlock / 4 * products.columns()
}

// tiles combines shapes and widths of blocks; of those that hold all columns one
// is enough.
func tiles(shapes []shape, blocks []int, columns int) []target.Tile {
	if columns <= slices.Min(blocks) {
		blocks = blocks[:1]
	}
	var list []target.Tile
	for _, b := range blocks {
		for _, s := range shapes {
			list = append(list, target.Tile{Tokens: s.tokens, Rows: s.rows, Block: b})
		}
	}
	return list
}

// heights are those of the tiles that make up any number of tokens: as many as
// there are of the first, at most one of each other.
func heights(tallest int) []int {
	list := []int{tallest}
	for m := 64; m > 0; m /= 2 {
		if m < tallest {
			list = append(list, m)
		}
	}
	return list
}

// wholeBlocks is how many blocks of columns come before the last one, and how
// many columns that one has: one at least.
func wholeBlocks(columns, block int) (full, rest int) {
	full = (columns - 1) / block
	return full, columns - full*block
}
