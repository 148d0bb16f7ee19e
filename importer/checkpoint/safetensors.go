package checkpoint

import (
	"fmt"
	"strings"

	"github.com/mambac/mambac/ir/tensor"
	"github.com/mambac/mambac/runtime/safetensors"
)

func readSafetensors(src *source) ([]*Tensor, error) {
	f, err := safetensors.Open(src.r, src.size)
	if err != nil {
		return nil, err
	}
	tensors := make([]*Tensor, len(f.Tensors))
	for i, t := range f.Tensors {
		dtype, err := tensor.ParseDType(strings.ToLower(t.DType))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", printable(t.Name), unsupported(t.DType))
		}
		v := view{shape: t.Shape, strides: contiguous(t.Shape)}
		if tensors[i], err = newTensor(src, t.Name, dtype, t.Begin, t.End-t.Begin, v); err != nil {
			return nil, fmt.Errorf("%s: %w", printable(t.Name), err)
		}
	}
	return tensors, nil
}
