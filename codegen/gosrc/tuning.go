package gosrc

import (
	"fmt"
	"slices"

	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/target"
)

const tuningPath = runtimePath + "tuning"

// Contest is a kernel whose tiles are to be compared at a level.
type Contest struct {
	Backend target.Backend
	Spec    kernel.Spec
	Chunk   int // tokens of a prefill call
}

// contestant is a package of the kernels that have one tile at one level: the
// same functions in another form.
type contestant struct {
	backend target.Backend
	tile    target.Tile
	specs   []kernel.Spec
}

func (c *contestant) name() string { return c.backend.Level().Name + "x" + c.tile.String() }

// TuningFiles is the source of a program, in a module of some path, that times
// every tile of some kernels.
func TuningFiles(module, header string, contests []Contest) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, c := range contestants(contests) {
		if err := c.files(header, files); err != nil {
			return nil, fmt.Errorf("level %s: %w", c.backend.Level().Name, err)
		}
	}
	f := newFile("main", header)
	f.ImportName(tuningPath, "tuning")
	f.Func().Id("main").Params().Block(jen.Qual(tuningPath, "Main").Call(
		jen.Index().Qual(tuningPath, "Kernel").Values(contestLiterals(module, contests)...),
	))
	text, err := render(f)
	files["main.go"] = text
	return files, err
}

// contestants groups the kernels by level and tile.
func contestants(contests []Contest) []*contestant {
	var list []*contestant
	for _, k := range contests {
		for _, tile := range k.Backend.Tiles(k.Spec) {
			c := &contestant{backend: k.Backend, tile: tile}
			if i := slices.IndexFunc(list, func(o *contestant) bool { return o.name() == c.name() }); i >= 0 {
				c = list[i]
			} else {
				list = append(list, c)
			}
			c.specs = append(c.specs, k.Spec)
		}
	}
	return list
}

// files adds a contestant's package.
func (c *contestant) files(header string, files map[string][]byte) error {
	name, level := c.name(), c.backend.Level()
	stubs, err := StubFile(name, header, level, c.specs)
	if err != nil {
		return err
	}
	tiling := target.Tiling{}
	for _, s := range c.specs {
		tiling[s] = c.tile
	}
	assembly, err := c.backend.Emit(name, header, c.specs, tiling)
	if err != nil {
		return err
	}
	f := newFile(name, header)
	f.ImportName(tuningPath, "tuning")
	table := jen.Dict{}
	for _, s := range c.specs {
		table[jen.Lit(s.Name())] = timed(s, level.Name)
	}
	f.Var().Id("Kernels").Op("=").Map(jen.String()).Func().Params(jen.Op("*").Qual(tuningPath, "Call")).Values(table)
	text, err := render(f)
	files[name+"/kernels.go"], files[name+"/stubs.go"], files[name+"/kernels.s"] = text, stubs, assembly
	return err
}

// timed is a function literal that calls a kernel with the arguments of a
// tuning.Call.
func timed(s kernel.Spec, level string) jen.Code {
	weights := map[string]string{"[]float32": "F32", "[]uint16": "U16", "[]uint8": "U8"}
	var args []jen.Code
	for _, p := range s.Signature() {
		if p.Name == "w" {
			args = append(args, id("c").Dot(weights[p.Type]).Call())
		} else {
			args = append(args, id("c").Dot(title(p.Name)))
		}
	}
	return jen.Func().Params(id("c").Op("*").Qual(tuningPath, "Call")).Block(id(target.FuncName(s, level)).Call(args...))
}

func contestLiterals(module string, contests []Contest) []jen.Code {
	var list []jen.Code
	for _, k := range contests {
		list = append(list, jen.Line().Add(k.literal(module)))
	}
	return append(list, jen.Line())
}

func (k *Contest) literal(module string) jen.Code {
	p, scratch := product(k.Spec)
	var tokens, forms []jen.Code
	for _, n := range target.Calls(k.Chunk) {
		tokens = append(tokens, jen.Lit(n))
	}
	for _, tile := range k.Backend.Tiles(k.Spec) {
		c := contestant{backend: k.Backend, tile: tile}
		forms = append(forms, jen.Line().Values(jen.Lit(tile.String()), jen.Qual(module+"/"+c.name(), "Kernels").Index(jen.Lit(k.Spec.Name()))))
	}
	return jen.Values(
		field("Name", jen.Lit(k.Spec.Name())),
		field("Tokens", jen.Index().Int().Values(tokens...)),
		field("PanelBytes", jen.Lit(p.Storage.PanelElements(p.K)*p.Storage.ElementBytes())),
		field("StrideX", jen.Lit(p.StrideX)), field("StrideY", jen.Lit(p.StrideY)),
		field("Scratch", jen.Lit(scratch(slices.Max(target.Calls(k.Chunk))))),
		field("Forms", jen.Index().Qual(tuningPath, "Form").Values(append(forms, jen.Line())...)),
	)
}

// product is the shape of a product of matrices, and the size of its scratch
// memory by the number of tokens.
func product(s kernel.Spec) (kernel.Gemm, func(tokens int) int) {
	switch s := s.(type) {
	case kernel.Gemm:
		return s, kernel.GemmScratch
	case kernel.DotGemm:
		return kernel.Gemm(s), kernel.DotGemmScratch
	}
	panic("BUG: tiles of kind " + s.Kind())
}
