// Package amd64 emits kernels in Go assembly through avo, for every CPU level
// of that architecture. It sees kernel and target.
package amd64

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/amd64/evex"
	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/target"
)

// Level is a CPU level: its features and its registers. It implements
// target.Backend.
type Level struct {
	level target.Level
	// below is the level that has all but the last of the features; nil for one
	// that stands for itself.
	below *Level
	// lanes is the number of float32 of a vector register, registers how many
	// vector registers there are.
	lanes, registers int
	// shapes are those of the tiles of products of float32, dotShapes those of
	// whole numbers: what the registers hold.
	shapes, dotShapes []shape
}

// Level implements target.Backend.
func (l *Level) Level() target.Level { return l.level }

// with is the next level: the same registers, and one more feature.
func (l *Level) with(name, feature string) *Level {
	next := *l
	next.level.Name, next.level.Rank, next.below = name, l.level.Rank+1, l
	next.level.Features = append(slices.Clone(l.level.Features), feature)
	return &next
}

// has reports whether a CPU of the level has a feature.
func (l *Level) has(feature string) bool { return slices.Contains(l.level.Features, feature) }

// emitters holds, per kind, the function that emits a spec's body.
var emitters = map[string]emitter{}

// emitter emits kernels of one kind.
type emitter struct {
	supports func(l *Level, s kernel.Spec) bool
	emit     func(a *asm, s kernel.Spec)
	// uses is the feature, not of all levels, that makes code for a spec better
	// where it is there; nil if there is none.
	uses func(s kernel.Spec) string
	// tiles lists the forms that emit can give the kernel; nil if it has one.
	tiles func(l *Level, s kernel.Spec) []target.Tile
	// cost estimates the cycles of a panel and some tokens; nil without tiles.
	cost func(l *Level, s kernel.Spec, t target.Tile, tokens int) float64
}

func registerKind(kind string, e emitter) {
	if _, ok := emitters[kind]; ok {
		panic("BUG: kind " + kind + " is emitted twice")
	}
	emitters[kind] = e
}

// Supports implements target.Backend.
func (l *Level) Supports(s kernel.Spec) bool {
	e, ok := emitters[s.Kind()]
	return ok && e.supports(l, s)
}

// Improves implements target.Backend.
func (l *Level) Improves(s kernel.Spec) bool {
	if l.below == nil {
		return l.Supports(s)
	}
	uses := emitters[s.Kind()].uses
	return uses != nil && l.has(uses(s)) && !l.below.has(uses(s))
}

// Build returns the compiled instructions of the given specs, one function
// each, and the constants that they share.
func (l *Level) Build(tiling target.Tiling, specs ...kernel.Spec) (*ir.File, error) {
	a, file, err := l.instructions(tiling, specs)
	if err != nil {
		return nil, err
	}
	if err := compile(file); err != nil {
		return nil, fmt.Errorf("level %s: %w", l.level.Name, err)
	}
	a.resolveLegends(file)
	return file, nil
}

// instructions emits functions whose registers are not chosen yet.
func (l *Level) instructions(tiling target.Tiling, specs []kernel.Spec) (*asm, *ir.File, error) {
	ctx := build.NewContext()
	ctx.ConstraintExpr("amd64,!purego")
	a := &asm{Context: ctx, level: l, constants: map[string]bool{}, legends: map[string][][]role{}}
	for _, s := range specs {
		if !l.Supports(s) {
			return nil, nil, fmt.Errorf("%s: level %s does not emit it", s.Name(), l.level.Name)
		}
		a.tile = l.tile(s, tiling)
		a.function(s)
	}
	file, err := ctx.Result()
	return a, file, err
}

// compile runs the passes on all functions at once.
func compile(file *ir.File) error {
	functions := file.Functions()
	errs := make([]error, len(functions))
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(functions)) {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(functions); i = int(next.Add(1)) - 1 {
				errs[i] = compilation.Execute(&ir.File{Sections: []ir.Section{functions[i]}})
			}
		})
	}
	wait.Wait()
	return errors.Join(append(errs, pass.IncludeTextFlagHeader(file))...)
}

// Emit implements target.Backend.
func (l *Level) Emit(pkg, header string, specs []kernel.Spec, tiling target.Tiling) ([]byte, error) {
	file, err := l.Build(tiling, specs...)
	if err == nil {
		err = evex.Encode(file)
	}
	if err != nil {
		return nil, err
	}
	text, err := printer.NewGoAsm(printer.Config{Name: "avo", Pkg: pkg}).Print(file)
	if err != nil {
		return nil, err
	}
	_, body, _ := strings.Cut(string(text), "\n")
	return []byte("// " + header + "\n" + body), nil
}

// asm emits the functions of one file. Kinds hold it in a field: if they embedded
// it, the compiler would write wrappers of its thousands of methods for each.
type asm struct {
	*build.Context
	level     *Level
	tile      target.Tile     // of the function at hand
	constants map[string]bool // names of constants already in the file
	labels    int
	legends   map[string][][]role // by sentence, in the order of emission
}

// function emits one kernel.
func (a *asm) function(s kernel.Spec) {
	var params []string
	for _, p := range s.Signature() {
		params = append(params, p.Name+" "+p.Type)
	}
	a.Function(target.FuncName(s, a.level.level.Name))
	a.Attributes(attr.NOSPLIT)
	a.SignatureExpr("func(" + strings.Join(params, ", ") + ")")
	a.Comment(s.Name() + " for " + a.level.level.Name + ".")
	emitters[s.Kind()].emit(a, s)
	a.VZEROUPPER()
	a.RET()
}

// vec is a new vector register of the level's width.
func (a *asm) vec() reg.VecVirtual {
	if a.level.lanes == 16 {
		return a.ZMM()
	}
	return a.YMM()
}

// vecs is n of them.
func (a *asm) vecs(n int) []reg.VecVirtual {
	list := make([]reg.VecVirtual, n)
	for i := range list {
		list[i] = a.vec()
	}
	return list
}

// bytes is the size of a vector register.
func (a *asm) bytes() int { return 4 * a.level.lanes }

// pointer loads the base of a slice parameter.
func (a *asm) pointer(name string) reg.GPVirtual {
	p := a.GP64()
	a.Load(a.Param(name).Base(), p)
	return p
}

// pointerFrom is pointer, moved by a number of bytes.
func (a *asm) pointerFrom(name string, offset reg.GPVirtual) reg.GPVirtual {
	p := a.pointer(name)
	a.ADDQ(offset, p)
	return p
}

// integer loads an int parameter.
func (a *asm) integer(name string) reg.GPVirtual {
	n := a.GP64()
	a.Load(a.Param(name), n)
	return n
}

// tokensAhead is how many tokens before its use a kernel that walks tokens asks
// for a row: they lie pages apart, where no hardware looks ahead.
const tokensAhead = 8

// askToken asks for what lies at a pointer some tokens later.
func (a *asm) askToken(row reg.GPVirtual, stride int) {
	a.PREFETCHT0(operand.Mem{Base: row, Disp: 4 * stride * tokensAhead})
}

// label makes a name that is unique in the file.
func (a *asm) label(base string) string {
	a.labels++
	return fmt.Sprintf("%s%d", base, a.labels)
}
