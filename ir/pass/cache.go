package pass

import (
	"slices"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
	"github.com/mambac/mambac/ir/storage"
)

// Caches lists what Options.Cache may be.
var Caches = append([]string{"auto"}, storage.Caches...)

// chooseCache gives all attention one format of keys and values. Auto is f16
// where some weights are codes, which rounds more than that (RATIONALE.md, "When
// are caches narrow?").
func chooseCache(m *ir.Module, format string) error {
	if format == "" {
		return nil
	}
	if format == "auto" {
		format = "f32"
		if slices.ContainsFunc(m.Params, func(p *ir.Param) bool { return isCoded(p.Storage) }) {
			format = "f16"
		}
	}
	if err := storage.CheckCache(format); err != nil {
		return err
	}
	each(m, func(_ *ir.Region, v *ir.Value) {
		if o, ok := v.Op.(op.Attention); ok {
			o.Cache = format
			v.Op = o
		}
	})
	return nil
}
