// Package target lists the back ends that emit kernels and chooses among them.
package target

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mambac/mambac/codegen/kernel"
)

// Level is a named set of CPU features that a back end emits for.
type Level struct {
	Name     string   // v3, v4, neon, …
	GOARCH   string   // the build constraint of what it emits
	Features []string // names that runtime/cpu knows
	Rank     int      // higher is preferred where several of one GOARCH are present
}

// Backend emits kernels for one level. The generic level (the pure-Go twins)
// is no back end: it is always there, and it stands in for every spec that a
// back end does not support.
type Backend interface {
	Level() Level
	// Supports reports whether Emit can express the spec.
	Supports(kernel.Spec) bool
	// Improves reports whether what Emit makes of the spec is better than what
	// the levels below this one do; where no spec of a program is, it does
	// without the level.
	Improves(kernel.Spec) bool
	// Tiles lists the tiles that Emit can give the kernel of a spec, none for a
	// kernel that has but one form.
	Tiles(kernel.Spec) []Tile
	// Cost estimates in how many cycles a kernel with a tile multiplies a panel
	// with some tokens.
	Cost(s kernel.Spec, t Tile, tokens int) float64
	// Emit returns one source file holding a function for each spec, named
	// FuncName(spec, level); header is a comment for the top of the file.
	Emit(pkg, header string, specs []kernel.Spec, tiling Tiling) ([]byte, error)
}

// FuncName is the Go name of the function that implements a spec at a level:
// gemvBf16K768AddV4; the pure-Go twin has the suffix Generic.
func FuncName(s kernel.Spec, level string) string {
	return kernel.GoName(s) + strings.ToUpper(level[:1]) + level[1:]
}

// Generic is the name of the level of pure-Go twins.
const Generic = "generic"

var backends = map[string]Backend{}

// Register adds a back end; called from init of the file that defines it.
func Register(b Backend) {
	name := b.Level().Name
	if _, ok := backends[name]; ok || name == Generic {
		panic(fmt.Sprintf("BUG: level %s is registered twice", name))
	}
	backends[name] = b
}

// Backends lists all back ends by architecture, the least preferred level of
// each first.
func Backends() []Backend {
	var list []Backend
	for _, b := range backends {
		list = append(list, b)
	}
	slices.SortFunc(list, Compare)
	return list
}

// Compare orders back ends as Backends lists them.
func Compare(a, b Backend) int {
	return cmp.Or(cmp.Compare(a.Level().GOARCH, b.Level().GOARCH), cmp.Compare(a.Level().Rank, b.Level().Rank))
}

// Lookup finds the back end of a level.
func Lookup(level string) (Backend, bool) {
	b, ok := backends[level]
	return b, ok
}
