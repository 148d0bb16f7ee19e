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

// rounded is the values of a parameter that are about to be rounded to a type,
// which may have no room for all of them.
type rounded struct {
	path  string // of the checkpoint
	param *ir.Param
	as    string
}

// f16Limit is the first number that float16 has no room for, which would become
// infinite: what is below it is rounded to at most 65504.
const f16Limit = 65520

// roundingLimits are the first numbers that types have no room for. The step of a block
// of q8_0 is a float16, and the largest number of a block is 127 steps.
var roundingLimits = map[string]float64{"f16": f16Limit, "q8_0": 127 * f16Limit}

// ReadRows implements tensor.Source.
func (r *rounded) ReadRows(dst []float32, lo, hi int) error {
	if err := r.param.Source.ReadRows(dst, lo, hi); err != nil {
		return err
	}
	limit, ok := roundingLimits[r.as]
	if !ok || r.as == "f16" && r.param.DType == tensor.F16 {
		return nil
	}
	for _, v := range dst {
		a := math.Abs(float64(v))
		switch finite := a <= math.MaxFloat32; {
		case finite && a >= limit:
			return fmt.Errorf("%s: %s: holds %g, too large for %s; choose --dtype bf16 or f32", r.path, r.param.Name, v, r.as)
		case !finite && r.as == "q8_0":
			return fmt.Errorf("%s: %s: holds %g, for which q8_0 has no number; choose --dtype f16, bf16 or f32", r.path, r.param.Name, v)
		}
	}
	return nil
}
