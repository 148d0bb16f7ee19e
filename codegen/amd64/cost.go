package amd64

import (
	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/target"
)

func (l *Level) gemmCost(s kernel.Gemm, t target.Tile, tokens int) float64 { return 0 }

func (l *Level) dotGemmCost(s kernel.DotGemm, t target.Tile, tokens int) float64 { return 0 }
