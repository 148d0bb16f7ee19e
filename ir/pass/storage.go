package pass

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
	"github.com/mambac/mambac/ir/storage"
	"github.com/mambac/mambac/ir/tensor"
)

// Formats lists what Options.Storage may be, beside auto:N.
var Formats = append([]string{"auto"}, storage.Names()...)

// chooseStorage gives parameters formats, and then caches, which are narrow where
// weights are.
func chooseStorage(m *ir.Module, o *Options) error {
	if err := chooseWeights(m, o); err != nil {
		return err
	}
	return chooseCache(m, o.Cache)
}

// chooseWeights gives the matrices of linears and embeddings formats by a
// recipe. Everything else is small or sensitive and stays float32.
func chooseWeights(m *ir.Module, o *Options) error {
	if err := CheckRecipe(o.Storage); err != nil {
		return err
	}
	for _, p := range m.Params {
		p.Storage = tensor.F32.String()
	}
	if bits, ok := parseBudget(o.Storage); ok {
		return withinBudget(m, bits)
	}
	steering, uses := findSteering(m), ir.Uses(m)
	each(m, func(_ *ir.Region, v *ir.Value) {
		for _, p := range op.Matrices(v) {
			p.Storage = storageFor(p, o.Storage, steering[v])
			if routes(uses, v) {
				p.Storage = stored(p)
			}
		}
	})
	return nil
}

// CheckRecipe says what is wrong with a value of Options.Storage.
func CheckRecipe(recipe string) error {
	bits, budget := parseBudget(recipe)
	switch {
	case budget && !(bits > 0 && bits <= 32):
		return fmt.Errorf("%s: want a number of bits for each weight, as in auto:5.5", recipe)
	case !budget && recipe != "" && !slices.Contains(Formats, recipe):
		return fmt.Errorf("unknown weight format %q; known are %s and auto:N, with N bits for each weight", recipe, strings.Join(Formats, ", "))
	}
	return nil
}

// parseBudget reads auto:N; what is no number is NaN.
func parseBudget(recipe string) (bits float64, ok bool) {
	number, ok := strings.CutPrefix(recipe, "auto:")
	bits, err := strconv.ParseFloat(number, 64)
	if err != nil {
		bits = math.NaN()
	}
	return bits, ok
}

// routes reports whether a value is what a router chooses experts by: its matrix
// is small, and an error in it is another expert.
func routes(uses map[*ir.Value][]*ir.Value, v *ir.Value) bool {
	return slices.ContainsFunc(uses[v], func(user *ir.Value) bool {
		_, ok := user.Op.(op.Route)
		return ok
	})
}

// storageFor is the format of a matrix under a recipe that names one format
// (RATIONALE.md, "Which matrices are narrowed?").
func storageFor(p *ir.Param, wanted string, steers bool) string {
	switch {
	case wanted == "" || wanted == "auto":
		return stored(p)
	case wanted == "int4" && steers && p.Shape.Row() >= leastColumns:
		return "int8"
	case isCoded(wanted) && p.Shape.Row() < fewColumns:
		return stored(p)
	}
	return wanted
}

// stored is the format that holds what the checkpoint stored without loss.
func stored(p *ir.Param) string {
	if p.DType == tensor.F16 || p.DType == tensor.BF16 {
		return p.DType.String()
	}
	return tensor.F32.String()
}

func isCoded(format string) bool {
	_, ok := storage.LookupCoded(format)
	return ok
}

// fewColumns is a width below which a matrix stays as it was stored: it is small,
// its groups are not filled, and what it makes is the step of a scan.
const fewColumns = 128

// leastColumns is that width for what steers scans beside int4, where its 16 bits
// would be a large part of all: a quarter of a group of int8.
const leastColumns = 16
