package ladder

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/leveltest"
	"github.com/mambac/mambac/codegen/lower"
	"github.com/mambac/mambac/codegen/target"
	"github.com/mambac/mambac/ir/irtest"
	"github.com/mambac/mambac/ir/pass"
)

var update = flag.Bool("update", false, "rewrite what tests expect")

// seeds is enough that every storage meets every pass left out, and every kind
// of arithmetic.
var seeds = flag.Int("seeds", 36, "how many random modules to compile")

// TestRandom takes random modules up the ladder. Storages, arithmetics and passes
// left out take turns; chunks are short enough that sequences span several.
func TestRandom(t *testing.T) { RequireSame(t, random(*seeds)...) }

// TestEmulated takes a few up the ladder of another architecture.
func TestEmulated(t *testing.T) {
	neon, _ := target.Lookup("neon")
	if neon.Level().GOARCH == runtime.GOARCH {
		t.Skip("this machine runs them itself")
	}
	RequireSameEmulated(t, neon.Level().GOARCH, leveltest.Emulator(t, neon), random(6)...)
}

// TestInterpreted takes a few up the ladder of levels that are interpreted,
// where every access to memory is seen.
func TestInterpreted(t *testing.T) {
	RequireSameInterpreted(t, Interpretation{[]string{"v3", "v4"}, []string{"prefill", "decode", "batch3"}}, random(3)...)
}

// TestNarrowInterpreted takes weights in few bits up the ladder of all levels
// that multiply them in their own way.
func TestNarrowInterpreted(t *testing.T) {
	var cases []Case
	sizes := irtest.Sizes{Layers: 1, Vocab: 60, Hidden: 130, Inner: 140, States: 3, Taps: 3, Rank: 5}
	for seed, storage := range []kernel.Storage{kernel.Int8, kernel.Int4, kernel.BF16} {
		cases = append(cases, Case{
			Name: string(storage), Module: irtest.Disturbed(uint64(seed), sizes), IDs: []int{1, 0, 2, 1, 1, 0},
			Passes: pass.Options{Storage: string(storage)}, Math: lower.Fast,
		})
	}
	RequireSameInterpreted(t, Interpretation{[]string{"v3", "v4", "v4n", "v4b"}, []string{"prefill", "decode", "batch3"}}, cases...)
}

// random is a case for each seed below n.
func random(n int) []Case {
	var cases []Case
	names, maths := pass.Names(), []lower.Math{lower.Auto, lower.Exact, lower.Fast}
	for seed := range n {
		o := pass.Options{Storage: pass.Formats[seed%len(pass.Formats)]}
		_, coded := kernel.Storage(o.Storage).Coded() // in wide matrices alone
		m := irtest.Random(uint64(seed))
		if coded || seed%4 == 3 {
			m = irtest.Disturbed(uint64(seed), manyPanels(uint64(seed)))
		}
		if i := seed % (len(names) + 2); i < len(names) {
			o.Disable = names[i : i+1]
		}
		cases = append(cases, Case{
			Name: fmt.Sprintf("seed%d", seed), Module: m, IDs: ids(uint64(seed), m.Output.Type.Width),
			Passes: o, Chunk: []int{0, 16, 5}[seed%3], Math: maths[seed/len(pass.Formats)%len(maths)],
		})
	}
	return cases
}

// manyPanels are sizes that leave several panels to each worker.
func manyPanels(seed uint64) irtest.Sizes {
	r := rand.New(rand.NewPCG(seed, 4))
	return irtest.Sizes{
		Layers: 1, Vocab: 100 + r.IntN(200), Hidden: 48 + r.IntN(150), Inner: 90 + r.IntN(300),
		States: 1 + r.IntN(20), Taps: 1 + r.IntN(6), Rank: 1 + r.IntN(60),
	}
}

// ids is a random sequence of 1 to 40 ids below n.
func ids(seed uint64, n int) []int {
	r := rand.New(rand.NewPCG(seed, 3))
	list := make([]int, 1+r.IntN(40))
	for i := range list {
		list[i] = r.IntN(n)
	}
	return list
}

// fixed holds a module for each fault that was found in generated code.
const fixed = "../testdata/fixed/*.txtar"

// TestFixed runs them on the evaluator; TestText takes them up the ladder.
func TestFixed(t *testing.T) { irtest.Run(t, fixed, *update) }

// TestText repeats what textual tests of ops, passes and modules run on the
// evaluator.
func TestText(t *testing.T) {
	var cases []Case
	for _, pattern := range []string{fixed, "../../ir/testdata/*.txtar", "../../ir/op/testdata/*/*.txtar", "../../ir/pass/testdata/*/*.txtar"} {
		for _, r := range irtest.Runs(t, pattern) {
			cases = append(cases, Case{Name: r.Name, Module: r.Module, IDs: r.IDs})
		}
	}
	RequireSame(t, cases...)
}
