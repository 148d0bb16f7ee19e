package lookup

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/enginetest"
)

const vocab = 101

var background = context.Background()

func newEngine(t testing.TB, c *engine.Compiled, context int) *engine.Engine {
	t.Helper()
	e, err := engine.New(c, []byte("weights"), engine.Options{Threads: 2, Context: context})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// pair reads one text twice: ahead, and id by id.
type pair struct {
	*Reader
	t          testing.TB
	guide      *Guide
	ahead      *engine.State
	plain      *engine.State
	have, want []float32
	read       int
}

func newPair(t testing.TB, e *engine.Engine, all bool) *pair {
	p := &pair{t: t, guide: NewGuide(e, all), ahead: e.NewState(), plain: e.NewState(), have: e.NewLogits(), want: e.NewLogits()}
	p.Reader = NewReader(e, p.ahead)
	p.Follow(p.guide)
	return p
}

// next reads an id both ways.
func (p *pair) next(id int32) {
	p.t.Helper()
	if err := p.Read(background, id, math.MaxInt, p.have); err != nil {
		p.t.Fatal(err)
	}
	if err := p.engine.Decode(background, []*engine.State{p.plain}, []int32{id}, [][]float32{p.want}); err != nil {
		p.t.Fatal(err)
	}
	if p.read++; !slices.Equal(p.have, p.want) {
		p.t.Fatalf("other logits behind id %d", p.read)
	}
	if p.Position() != p.plain.Pos() {
		p.t.Fatalf("position %d, want %d", p.Position(), p.plain.Pos())
	}
}

// settle compares the states.
func (p *pair) settle() {
	p.t.Helper()
	if err := p.Settle(background); err != nil {
		p.t.Fatal(err)
	}
	if p.ahead.Pos() != p.plain.Pos() || !slices.Equal(p.ahead.Block(), p.plain.Block()) {
		p.t.Fatalf("behind %d ids: other states", p.read)
	}
}

// programs are of every kind of state.
func programs() map[string]*engine.Compiled {
	return map[string]*engine.Compiled{
		"block": enginetest.Compiled(vocab), "pages": enginetest.Remembering(vocab, false), "ring": enginetest.Remembering(vocab, true),
	}
}

// TestReadIsDecode: candidates are right as often as chance has it, from never to
// always, while the reader is made to settle, refused and interrupted.
func TestReadIsDecode(t *testing.T) {
	ended, cancel := context.WithCancel(background)
	cancel()
	for name, c := range programs() {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t, c, 0)
			for luck := range 11 {
				r := rand.New(rand.NewPCG(uint64(luck), 1))
				p := newPair(t, e, true)
				for range 600 {
					id := r.Int32N(vocab)
					if p.guide.text.matched > 0 && r.IntN(10) < luck {
						id = p.guide.text.next()
					}
					switch r.IntN(40) {
					case 0:
						p.settle()
					case 1:
						if err := p.Read(ended, id, 3, p.have); !errors.Is(err, context.Canceled) {
							t.Fatal(err)
						}
					case 2:
						if err := p.Read(background, vocab, 3, p.have); err == nil {
							t.Fatal("a wrong id is no error")
						}
					case 3:
						p.guide.Note(r.Int32N(vocab), r.Int32N(vocab)) // which misleads it
					}
					p.next(id)
				}
				p.settle()
				if c := p.Counts(); c.Passes+c.Accepted != 600 || c.Accepted > c.Candidates || luck == 10 && c.Passes > 400 {
					t.Errorf("luck %d: %+v", luck, c)
				}
			}
		})
	}
}

// TestCandidatesAreRight: a text that only repeats itself has as few passes as a
// pass has room for.
func TestCandidatesAreRight(t *testing.T) {
	e := newEngine(t, enginetest.Compiled(vocab), 0)
	p := newPair(t, e, true)
	for i := range int32(300) {
		p.next(i % 3)
	}
	if c := p.Counts(); c.Passes > 3+300/e.MaxSteps()+2 || c.Accepted != 300-c.Passes {
		t.Errorf("%+v", c)
	}
}

// TestCandidatesAreWrong: none is right, and every row is of one pass.
func TestCandidatesAreWrong(t *testing.T) {
	e := newEngine(t, enginetest.Compiled(vocab), 0)
	p := newPair(t, e, true)
	for i := range int32(vocab) {
		p.guide.Note(i)
	}
	for i := range int32(45) {
		p.next(2 * i) // where 2i+1 has followed
	}
	p.settle()
	if c := p.Counts(); c.Accepted != 0 || c.Passes != 45 || c.Candidates < 45 {
		t.Errorf("%+v", c)
	}
}

// TestMost bounds what is read ahead.
func TestMost(t *testing.T) {
	e := newEngine(t, enginetest.Compiled(vocab), 0)
	p := newPair(t, e, true)
	p.guide.Note(1, 2, 3, 1, 2, 3)
	for most, id := range []int32{1, 2, 3, 1} {
		if err := p.Read(background, id, 3-most, p.have); err != nil {
			t.Fatal(err)
		}
	}
	if c := p.Counts(); c != (Counts{Passes: 1, Candidates: 3, Accepted: 3}) {
		t.Errorf("%+v", c)
	}
}

// TestContextBound: the last token that there is room for is read, and no other.
func TestContextBound(t *testing.T) {
	const bound = 50
	p := newPair(t, newEngine(t, enginetest.Remembering(vocab, false), bound), true)
	for i := range int32(bound) {
		p.next(i % 2)
	}
	var full *engine.ContextError
	if err := p.Read(background, 0, 9, p.have); !errors.As(err, &full) || full.Position != bound+1 {
		t.Errorf("error %v", err)
	}
	p.settle()
	if c := p.Counts(); c.Accepted < bound/2 {
		t.Errorf("%+v", c)
	}
}

// TestWithoutGuide: what was read ahead is used, and no more is.
func TestWithoutGuide(t *testing.T) {
	p := newPair(t, newEngine(t, enginetest.Compiled(vocab), 0), true)
	for _, id := range []int32{1, 2, 1} {
		p.next(id)
	}
	p.Follow(nil)
	p.next(2)
	for _, id := range []int32{9, 1, 2, 1, 2} {
		p.next(id)
	}
	p.settle()
	if c := p.Counts(); c.Accepted != 1 || c.Passes != 8 {
		t.Errorf("%+v", c)
	}
}

// machine is how long its passes take, in seconds, by their rows.
type machine func(rows int) float64

// run has a text read on a machine, and tells how much longer that takes than
// without a guide.
func (m machine) run(t *testing.T, p *pair, ids []int32) float64 {
	t.Helper()
	now, begun := time.Unix(0, 0), false
	p.clock = func() time.Time {
		if begun = !begun; !begun {
			now = now.Add(time.Duration(m(len(p.ids)) * 1e9))
		}
		return now
	}
	for _, id := range ids {
		p.next(id)
	}
	return now.Sub(time.Unix(0, 0)).Seconds() / (m(1) * float64(len(ids)))
}

var (
	memoryBound  machine = func(rows int) float64 { return 0.01 + 0.0003*float64(rows-1) }
	computeBound machine = func(rows int) float64 { return 0.01 * float64(rows) }
)

func randomText(n int, seed uint64) []int32 {
	r := rand.New(rand.NewPCG(seed, 1))
	ids := make([]int32, n)
	for i := range ids {
		ids[i] = r.Int32N(vocab)
	}
	return ids
}

// halfText follows what came before with a probability of a half.
func halfText(n int) []int32 {
	r, text, ids := rand.New(rand.NewPCG(5, 1)), newText(), make([]int32, n)
	for i := range ids {
		if ids[i] = r.Int32N(vocab); text.matched > 0 && r.IntN(2) == 0 {
			ids[i] = text.next()
		}
		text.add(ids[i])
	}
	return ids
}

// TestPays: it is faster where it can be, and never notably slower.
func TestPays(t *testing.T) {
	repeated := slices.Repeat(randomText(40, 2), 20)
	for _, c := range []struct {
		name    string
		machine machine
		ids     []int32
		most    float64
	}{
		{"nothing repeats, memory", memoryBound, randomText(2000, 1), 1.02},
		{"nothing repeats, compute", computeBound, randomText(2000, 1), 1.01},
		{"all repeats, memory", memoryBound, repeated, 0.35},
		{"all repeats, compute", computeBound, repeated, 1.05},
		{"half repeats, memory", memoryBound, halfText(2000), 0.85},
		{"half repeats, compute", computeBound, halfText(2000), 1.03},
	} {
		p := newPair(t, newEngine(t, enginetest.Compiled(vocab), 0), false)
		took := c.machine.run(t, p, c.ids)
		t.Logf("%s: %.3f of the time, %+v", c.name, took, p.Counts())
		if took > c.most {
			t.Errorf("%s: %.3f of the time without, want at most %.2f; %+v", c.name, took, c.most, p.Counts())
		}
	}
}

// TestTriesAgain: a machine that was busy with something else is found to be free.
func TestTriesAgain(t *testing.T) {
	p := newPair(t, newEngine(t, enginetest.Compiled(vocab), 0), false)
	ids := slices.Repeat(randomText(40, 2), 50)
	computeBound.run(t, p, ids)
	if took := memoryBound.run(t, p, ids); took > 0.7 {
		t.Errorf("%.3f of the time; %+v", took, p.Counts())
	}
}

func TestReadAllocatesNothing(t *testing.T) {
	p := newPair(t, newEngine(t, enginetest.Compiled(vocab), 0), true)
	n := int32(0)
	one := func() {
		if err := p.Read(background, n*n%7, math.MaxInt, p.have); err != nil {
			t.Fatal(err)
		}
		n++
	}
	for range 50 {
		one()
	}
	if n := testing.AllocsPerRun(200, one); n != 0 {
		t.Errorf("%v allocations per id", n)
	}
}
