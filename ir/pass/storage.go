package pass

import (
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
	"github.com/mambac/mambac/ir/storage"
	"github.com/mambac/mambac/ir/tensor"
)

// Formats lists what Options.Storage may be.
var Formats = append([]string{"auto"}, storage.Names()...)

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

// storageFor is the format of a matrix under a recipe.
func storageFor(p *ir.Param, wanted string) (string, error) {
	if wanted == "" || wanted == "auto" {
		if p.DType == tensor.F16 || p.DType == tensor.BF16 {
			return p.DType.String(), nil
		}
		return tensor.F32.String(), nil
	}
	if _, err := storage.Lookup(wanted); err != nil {
		return "", err
	}
	if _, coded := storage.LookupCoded(wanted); coded && p.Shape.Row() < fewColumns {
		return storageFor(p, "auto")
	}
	return wanted, nil
}

// fewColumns is a width below which a matrix stays as it was stored: it is
// small, and what it makes is the step of a scan.
const fewColumns = 128
