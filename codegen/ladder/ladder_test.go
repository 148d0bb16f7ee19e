package ladder

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/leveltest"
	"github.com/mambac/mambac/codegen/lower"
	"github.com/mambac/mambac/codegen/target"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/irtest"
	"github.com/mambac/mambac/ir/op"
	"github.com/mambac/mambac/ir/pass"
	"github.com/mambac/mambac/ir/storage"
)

var update = flag.Bool("update", false, "rewrite what tests expect")

// seeds is enough that every storage meets every pass left out, every kind of
// arithmetic, and all kinds of layers.
var seeds = flag.Int("seeds", 36, "how many random modules to compile")

// TestRandom takes random modules up the ladder. Storages, arithmetics and passes
// left out take turns; chunks are short enough that sequences span several.
func TestRandom(t *testing.T) { RequireSame(t, random(*seeds)...) }

// TestRandomMeetsEverything: the modules that TestRandom compiles hold every op
// that there is, and their plans every kind of kernel.
func TestRandomMeetsEverything(t *testing.T) {
	ops, kinds := map[string]bool{}, map[string]bool{}
	for _, c := range random(*seeds) {
		m, err := pass.Run(c.Module, c.Passes)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range m.Regions {
			for _, v := range r.Body {
				ops[v.Op.OpName()] = true
			}
		}
		p, err := lower.Lower(m, lower.Options{Chunk: c.Chunk, Math: c.Math})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range p.Specs() {
			kinds[s.Kind()] = true
		}
	}
	if have, want := slices.Sorted(maps.Keys(ops)), op.Names(); !slices.Equal(have, want) {
		t.Errorf("have the ops\n%v, want\n%v", have, want)
	}
	if have, want := slices.Sorted(maps.Keys(kinds)), kernel.Kinds(); !slices.Equal(have, want) {
		t.Errorf("have kernels of the kinds\n%v, want\n%v", have, want)
	}
}

// TestEmulated takes a few up the ladder of another architecture.
func TestEmulated(t *testing.T) {
	neon, _ := target.Lookup("neon")
	if neon.Level().GOARCH == runtime.GOARCH {
		t.Skip("this machine runs them itself")
	}
	cases := random(6)
	for i := range cases { // an emulator takes a hundred times as long
		cases[i].IDs = cases[i].IDs[:min(len(cases[i].IDs), 18)]
	}
	RequireSameEmulated(t, neon.Level().GOARCH, leveltest.Emulator(t, neon), cases...)
}

// TestInterpreted takes a few up the ladder of levels that are interpreted,
// where every access to memory is seen.
func TestInterpreted(t *testing.T) {
	RequireSameInterpreted(t, Interpretation{[]string{"v3", "v4"}, []string{"prefill", "decode", "batch3"}}, random(3)...)
}

// TestMixedInterpreted does it for layers of all kinds.
func TestMixedInterpreted(t *testing.T) {
	var cases []Case
	for seed := range uint64(8) {
		cases = append(cases, Case{Name: fmt.Sprintf("seed%d", seed), Module: irtest.Mixed(seed), IDs: []int{1, 0, 1, 1, 0, 0, 1}, Chunk: 5})
	}
	RequireSameInterpreted(t, Interpretation{[]string{"v3", "v4"}, []string{"prefill", "batch3"}}, cases...)
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
		round := seed / len(pass.Formats)
		o := pass.Options{Storage: pass.Formats[seed%len(pass.Formats)], Cache: storage.Caches[(seed+round)%len(storage.Caches)]}
		_, coded := kernel.Storage(o.Storage).Coded() // in wide matrices alone
		mixed := (seed+round)%2 == 1
		m := randomModule(uint64(seed), coded || seed%4 == 3, mixed)
		list := ids(uint64(seed), m.Output.Type.Width)
		for mixed && seed%4 == 1 && len(list) <= kernel.PageTokens { // keys on more than one page
			list = append(list, list...)
		}
		if i := seed % (len(names) + 2); i < len(names) {
			o.Disable = names[i : i+1]
		}
		cases = append(cases, Case{
			Name: fmt.Sprintf("seed%d", seed), Module: m, IDs: list[:min(len(list), 3*kernel.PageTokens/2)],
			Passes: o, Chunk: []int{0, 16, 5}[seed%3], Math: maths[round%len(maths)],
		})
	}
	return cases
}

// randomModule has layers of all kinds, or of Mamba-1 alone.
func randomModule(seed uint64, wide, mixed bool) *ir.Module {
	switch {
	case wide && mixed:
		return irtest.MixedOf(seed, manyPanels(seed))
	case wide:
		return irtest.Disturbed(seed, manyPanels(seed))
	case mixed:
		return irtest.Mixed(seed)
	}
	return irtest.Random(seed)
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
