package convert

import (
	"fmt"
	"math"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/tensor"
)

// elementType is the type that a parameter is written in: the one that was
// asked for, or its own. Nothing that mambac makes is wider than float32.
func elementType(p *ir.Param, dtype string) tensor.DType {
	if dtype != "" {
		t, err := tensor.ParseDType(dtype)
		if err != nil {
			panic("BUG: " + err.Error())
		}
		return t
	}
	if p.DType == tensor.F64 {
		return tensor.F32
	}
	return p.DType
}

// wideType is elementType of a parameter that stays float32 in checkpoints of
// a 16-bit type: states decay by it.
func wideType(p *ir.Param, dtype string) tensor.DType {
	if dtype != "" {
		return tensor.F32
	}
	return elementType(p, dtype)
}

// rounded is the values of a parameter that are about to be rounded. Float16
// has no room for large ones, which would become infinite.
type rounded struct {
	path  string // of the checkpoint
	param *ir.Param
	f16   bool
}

// ReadRows implements tensor.Source.
func (r *rounded) ReadRows(dst []float32, lo, hi int) error {
	if err := r.param.Source.ReadRows(dst, lo, hi); err != nil {
		return err
	}
	if !r.f16 || r.param.DType == tensor.F16 {
		return nil
	}
	const limit = 65520 // what is below it is rounded to at most 65504
	for _, v := range dst {
		if a := math.Abs(float64(v)); a >= limit && !math.IsInf(a, 0) {
			return fmt.Errorf("%s: %s: holds %g, too large for f16; choose --dtype bf16 or f32", r.path, r.param.Name, v)
		}
	}
	return nil
}
