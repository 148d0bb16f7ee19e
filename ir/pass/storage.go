package pass

import (
	"fmt"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
	"github.com/mambac/mambac/ir/tensor"
)

// Formats lists what Options.Storage may be.
var Formats = []string{"auto", "f32", "f16", "bf16"}

// chooseStorage gives the matrices of linears and embeddings the format asked
// for, or with auto the one that holds what the checkpoint stored without
// loss. Everything else is small or sensitive and stays float32.
func chooseStorage(m *ir.Module, o *Options) error {
	for _, p := range m.Params {
		p.Storage = tensor.F32.String()
	}
	for _, r := range m.Regions {
		for _, v := range r.Body {
			if !hasMatrix(v.Op) {
				continue
			}
			format, err := storageFor(v.Params[0], o.Storage)
			if err != nil {
				return err
			}
			v.Params[0].Storage = format
		}
	}
	return nil
}

// hasMatrix reports whether an op's first parameter is read as a matrix.
func hasMatrix(o ir.Op) bool {
	switch o.(type) {
	case op.Linear, op.Embed:
		return true
	}
	return false
}

func storageFor(p *ir.Param, wanted string) (string, error) {
	switch wanted {
	case "f32", "f16", "bf16":
		return wanted, nil
	case "", "auto":
		if p.DType == tensor.F16 || p.DType == tensor.BF16 {
			return p.DType.String(), nil
		}
		return tensor.F32.String(), nil
	}
	return "", fmt.Errorf("unknown weight format %q; known are %v", wanted, Formats)
}
