package amd64_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/mambac/mambac/codegen/amd64"
	"github.com/mambac/mambac/codegen/amd64/interp"
	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/leveltest"
	"github.com/mambac/mambac/codegen/target"
	"github.com/mambac/mambac/runtime/kerneltest"
)

// tiledSpecs is a product of every form of weights, of more columns than the
// widest block has.
func tiledSpecs() []kernel.Spec {
	const k = 259
	specs := []kernel.Spec{kernel.Gemm{Storage: kernel.F32, K: 3, StrideX: 3, StrideY: kernel.PanelRows}}
	for _, s := range []kernel.Storage{kernel.F32, kernel.F16, kernel.BF16, kernel.Int8, kernel.Int4} {
		specs = append(specs, kernel.Gemm{Storage: s, K: k, StrideX: k + 2, StrideY: 50, Epilogue: kernel.Epilogue{Bias: true, Residual: true}})
	}
	for _, s := range []kernel.Storage{kernel.BF16, kernel.Int8, kernel.Int4} {
		specs = append(specs, kernel.DotGemm{Storage: s, K: k, StrideX: s.QuantisedRow(k).Floats, StrideY: 50})
	}
	return specs
}

// TestTiles: every tile that a level offers gives the bits that the kind demands,
// which know of no tile.
func TestTiles(t *testing.T) {
	for _, s := range tiledSpecs() {
		cases := tileCases(t, s)
		for _, b := range target.Backends() {
			if !b.Improves(s) {
				continue
			}
			for _, tile := range b.Tiles(s)[1:] { // TestInterpreted has the first
				t.Run(b.Level().Name+"/"+s.Name()+"/"+tile.String(), func(t *testing.T) { checkTile(t, b, s, tile, cases) })
			}
		}
	}
}

// tileCases is those of seven tokens, which leave a rest in every tile, and of 17,
// which fill every one.
func tileCases(t *testing.T, s kernel.Spec) []*kerneltest.Case {
	var cases []*kerneltest.Case
	for c := range leveltest.Meaning(t, s).Cases() {
		if strings.HasPrefix(c.Name, "tokens=7/") || strings.HasPrefix(c.Name, "tokens=17/") {
			cases = append(cases, c)
		}
	}
	if len(cases) < 2 {
		t.Fatalf("%s: %d cases of 7 and 17 tokens", s.Name(), len(cases))
	}
	return cases
}

func checkTile(t *testing.T, b target.Backend, s kernel.Spec, tile target.Tile, cases []*kerneltest.Case) {
	file, err := b.(*amd64.Level).Build(target.Tiling{s: tile}, s)
	if err != nil {
		t.Fatal(err)
	}
	f, err := interp.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	if size := file.Functions()[0].LocalSize; size != 0 {
		t.Errorf("a frame of %d bytes", size)
	}
	name := target.FuncName(s, b.Level().Name)
	run := func(c *kerneltest.Call) error { return f.Run(name, c.Args()...) }
	for _, c := range cases {
		if err := c.Check(kerneltest.Strict, run); err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
	}
}

// TestEveryTileIsATileOfItsOwn: nothing is offered, or measured, twice.
func TestEveryTileIsATileOfItsOwn(t *testing.T) {
	for _, b := range target.Backends() {
		for _, s := range supported(b) {
			list := b.Tiles(s)
			for i, tile := range list {
				if slices.Contains(list[:i], tile) {
					t.Errorf("%s: %s: %s is listed twice", b.Level().Name, s.Name(), tile)
				}
			}
		}
	}
}
