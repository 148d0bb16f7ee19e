package lower_test

import (
	"flag"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mambac/mambac/codegen/lower"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/irtest"
	"github.com/mambac/mambac/ir/op"
	"github.com/mambac/mambac/ir/pass"
	"github.com/mambac/mambac/ir/tensor"
)

var update = flag.Bool("update", false, "rewrite what tests expect")

// Chunks of this size make the tokens of a test two chunks, the second short.
const chunk = 6

var ids = []int{1, 0, 1, 1, 0, 0, 1, 1, 0}

// lowered is a random module after some of the passes, and its plan.
type lowered struct {
	name   string
	module *ir.Module
	plan   *plan.Plan
}

// random yields plans of random modules without each of the passes, without
// any, and without sets of them that the seed gives.
func random(t *testing.T, seeds int) iter.Seq[*lowered] {
	return func(yield func(*lowered) bool) {
		for seed := range uint64(seeds) {
			m := irtest.Any(seed)
			for _, disable := range disabled(seed) {
				name := fmt.Sprintf("seed %d without %v", seed, disable)
				passed, err := pass.Run(m, pass.Options{Disable: disable, Storage: pass.Formats[seed/2%4]})
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				p, err := lower.Lower(passed, lower.Options{Chunk: chunk})
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if !yield(&lowered{name, passed, p}) {
					return
				}
			}
		}
	}
}

func disabled(seed uint64) [][]string {
	names := pass.Names()
	list := [][]string{nil, names}
	for i := range names {
		list = append(list, names[i:i+1])
	}
	for _, mask := range []uint64{seed * 2654435761, seed*40503 + 77} {
		var some []string
		for i, name := range names {
			if mask>>i&1 == 1 {
				some = append(some, name)
			}
		}
		list = append(list, some)
	}
	return list
}

// TestPlansCompute: every plan, in the hands of one to four workers, leads to
// the evaluator's logits, by steps, in batches and by chunks, and no worker
// touches what another one writes.
func TestPlansCompute(t *testing.T) {
	turn := 0
	for l := range random(t, 22) {
		want := irtest.Logits(t, l.module, ids)
		turn++
		for _, mode := range []plan.Mode{plan.Decode, plan.Batch, plan.Prefill} {
			x := newMachine(t, l.plan, 1+turn%4)
			got := x.feedAll(mode)
			if x.fault != nil {
				t.Fatalf("%s: %s: %v in\n%s", l.name, mode, x.fault, plan.Format(l.plan))
			}
			if e := irtest.RelativeError(got, want); e > 2e-6 {
				t.Fatalf("%s: %s: logits differ by %g in\n%s", l.name, mode, e, plan.Format(l.plan))
			}
		}
	}
}

// TestEveryOpComputes is the same for the textual tests of every op, as they are
// and after all passes.
func TestEveryOpComputes(t *testing.T) {
	for _, name := range lower.Ops() {
		for i, r := range irtest.Runs(t, "../../ir/op/testdata/"+name+"/*.txtar") {
			for _, disable := range [][]string{nil, pass.Names()} {
				m, err := pass.Run(r.Module, pass.Options{Disable: disable})
				if err != nil {
					t.Fatalf("%s: %v", r.Name, err)
				}
				requireLogits(t, r.Name, m, 1+i%4)
			}
		}
	}
}

// requireLogits lowers a module and compares what its plan computes with the
// evaluator.
func requireLogits(t *testing.T, name string, m *ir.Module, workers int) {
	t.Helper()
	p, want := lowerChunk(t, m, chunk), irtest.Logits(t, m, ids)
	for _, mode := range []plan.Mode{plan.Decode, plan.Batch, plan.Prefill} {
		x := newMachine(t, p, workers)
		got := x.feedAll(mode)
		if x.fault != nil {
			t.Errorf("%s: %s: %v in\n%s", name, mode, x.fault, plan.Format(p))
		} else if e := irtest.RelativeError(got, want); e > 2e-6 {
			t.Errorf("%s: %s: logits differ by %g in\n%s", name, mode, e, plan.Format(p))
		}
	}
}

// feedAll is the logits of all tokens.
func (x *machine) feedAll(mode plan.Mode) []float32 {
	var all []float32
	if mode == plan.Batch {
		return x.feedRagged()
	}
	for part := range slices.Chunk(ids, chunk) {
		if mode == plan.Prefill {
			all = append(all, x.prefill(part)...)
			continue
		}
		for _, id := range part {
			all = append(all, x.decode(id)...)
		}
	}
	return all
}

// feedRagged feeds the ids to three sequences, each of which begins a step after
// the one before, and returns the logits that all of them must have.
func (x *machine) feedRagged() []float32 {
	const sequences = 3
	rows := make([][]float32, sequences)
	for step := range len(ids) + sequences - 1 {
		now := make([]int, min(step+1, sequences))
		for i := range now {
			now[i] = ids[min(step-i, len(ids)-1)] // those that have ended go on with the last id
		}
		logits := x.batch(now)
		for i := range now {
			if step-i < len(ids) {
				rows[i] = append(rows[i], logits[i*x.plan.Vocab:(i+1)*x.plan.Vocab]...)
			}
		}
	}
	for i := range rows {
		if !slices.Equal(rows[i], rows[0]) {
			x.fail("sequence %d of a batch has other logits than the first", i)
		}
	}
	return rows[0]
}

// TestPlansRoundtrip: print → parse → print is the identity.
func TestPlansRoundtrip(t *testing.T) {
	for l := range random(t, 100) {
		printed := plan.Format(l.plan)
		again, err := plan.Parse(printed)
		if err != nil {
			t.Fatalf("%s: %v in\n%s", l.name, err, printed)
		}
		if got := plan.Format(again); got != printed {
			t.Fatalf("%s: printed\n%sthen\n%s", l.name, printed, got)
		}
	}
}

// tiny is a model of equal layers.
func tiny(layers int) *ir.Module {
	return irtest.Mamba(irtest.Sizes{Layers: layers, Vocab: 50, Hidden: 32, Inner: 64, States: 8, Taps: 4, Rank: 2, DType: tensor.BF16})
}

func TestEqualLayersShareOneBlock(t *testing.T) {
	m, err := pass.Run(tiny(5), pass.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := lower.Lower(m, lower.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var blocks, calls []string
	for _, b := range p.Blocks {
		blocks = append(blocks, b.Name)
	}
	for _, c := range p.Calls {
		calls = append(calls, c.Region+" "+c.Block.Name)
	}
	if want := []string{"embed", "layer", "head"}; !slices.Equal(blocks, want) {
		t.Errorf("blocks %v, want %v", blocks, want)
	}
	want := []string{"embed embed", "layers.0 layer", "layers.1 layer", "layers.2 layer", "layers.3 layer", "layers.4 layer", "head head"}
	if !slices.Equal(calls, want) {
		t.Errorf("calls %v, want %v", calls, want)
	}
	if head, embed := p.Calls[len(p.Calls)-1].Weights, p.Calls[0].Weights; !slices.Contains(head, embed[0]) {
		t.Error("the tied matrix is packed twice")
	}
}

// TestGolden is one plan to read.
func TestGolden(t *testing.T) {
	m, err := pass.Run(tiny(2), pass.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := lower.Lower(m, lower.Options{})
	if err != nil {
		t.Fatal(err)
	}
	path, got := filepath.Join("testdata", "mamba_tiny.txt"), plan.Format(p)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("have\n%swant\n%s", got, want)
	}
}

// TestEveryOpLowers: no op is without a rule, no rule without an op.
func TestEveryOpLowers(t *testing.T) {
	if got, want := lower.Ops(), op.Names(); !slices.Equal(got, want) {
		t.Errorf("rules for %v, ops are %v", got, want)
	}
}

// foreign is an op that no rule knows.
type foreign struct{ op.SiLU }

func (foreign) OpName() string { return "foreign" }

func TestUnknownOp(t *testing.T) {
	m := tiny(1)
	last := m.Regions[1].Body
	last[len(last)-1].Op = foreign{}
	_, err := lower.Lower(m, lower.Options{})
	want := "region layers.0: no kernel expresses op foreign (known: " + strings.Join(lower.Ops(), ", ") + "); add codegen/lower/foreign.go"
	if fmt.Sprint(err) != want {
		t.Errorf("have %v, want %s", err, want)
	}
}

// TestChosenChunk: a chunk is as long as its activations fit into 8 MiB, 16 to
// 512 tokens.
func TestChosenChunk(t *testing.T) {
	const budget = 8 << 20 / 4
	seen := map[int]bool{}
	for _, inner := range []int{48, 960, 3840, 96000} {
		m := irtest.Mamba(irtest.Sizes{Layers: 1, Vocab: 2, Hidden: 1, Inner: inner, States: 1, Taps: 1, Rank: 1, DType: tensor.F32})
		p := lowerChunk(t, m, 0)
		twice := lowerChunk(t, m, 2*p.Chunk)
		if p.Arena > budget && p.Chunk != 16 || twice.Arena <= budget && p.Chunk != 512 {
			t.Errorf("inner size %d: a chunk is %d tokens, %d float32", inner, p.Chunk, p.Arena)
		}
		seen[p.Chunk] = true
	}
	if !seen[512] || !seen[16] || len(seen) < 3 {
		t.Errorf("the chunks seen are %v", seen)
	}
}

// TestChosenChunkWithoutHead: the head sees no chunk, so that logits which are
// scaled, and for that take memory before they are handed out, make none short.
func TestChosenChunkWithoutHead(t *testing.T) {
	m := irtest.Mamba(irtest.Sizes{Layers: 1, Vocab: 8192, Hidden: 1, Inner: 48, States: 1, Taps: 1, Rank: 1, DType: tensor.F32})
	head := m.Regions[len(m.Regions)-1]
	scaled := &ir.Value{Name: "scaled", Op: op.Scale{By: 2}, Args: []*ir.Value{m.Output}, Type: m.Output.Type}
	head.Body, m.Output = append(head.Body, scaled), scaled
	if p := lowerChunk(t, m, 0); p.Chunk != 512 {
		t.Errorf("a chunk is %d tokens, want 512", p.Chunk)
	}
}

func lowerChunk(t *testing.T, m *ir.Module, chunk int) *plan.Plan {
	t.Helper()
	p, err := lower.Lower(m, lower.Options{Chunk: chunk})
	if err != nil {
		t.Fatal(err)
	}
	return p
}
