package lower_test

import (
	"slices"
	"testing"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/irtest"
	"github.com/mambac/mambac/ir/text"
)

// parsed is a module in text, filled.
func parsed(t *testing.T, source string) *ir.Module {
	t.Helper()
	m, err := text.Parse(source)
	if err == nil {
		err = ir.Verify(m)
	}
	if err != nil {
		t.Fatal(err)
	}
	irtest.Fill(m)
	return m
}

// gatedLayer has a linear of gate and up side by side, whose product is part of a
// concat beside a gated norm.
const gatedLayer = `module m
param @emb [3 96] f32
param @norm [96] f32
param @in [192 96] f32
param @z [48 96] f32
param @gated [48] f32
param @out [96 144] f32
input %ids: id[T]
region embed {
  %x: f32[T,96] = embed(%ids) [@emb]
}
region layers.0 {
  %n: f32[T,96] = rmsnorm(%x) [@norm] {eps=1e-05}
  %in: f32[T,192] = linear(%n) [@in, none]
  %g: f32[T,96] = slice(%in) {lo=0 hi=96}
  %u: f32[T,96] = slice(%in) {lo=96 hi=192}
  %m: f32[T,96] = glu(%g, %u) {function="gelu_tanh"}
  %z: f32[T,48] = linear(%n) [@z, none]
  %w: f32[T,48] = gatednorm(%z, %z) [@gated] {eps=1e-05 group=16}
  %c: f32[T,144] = concat(%m, %w)
  %y: f32[T,96] = linear(%c, %x) [@out, none] {residual}
}
region head {
  %logits: f32[T,96] = scale(%y) {by=0.5}
}
return %logits
`

// TestGatedUnitsWaitForNobody: gate, up and their product are one phase of a
// decode, and what is made where a concat wants it is not copied.
func TestGatedUnitsWaitForNobody(t *testing.T) {
	m := parsed(t, gatedLayer)
	for workers := 1; workers <= 4; workers++ {
		requireLogits(t, "gated layer", m, workers)
	}
	p := lowerChunk(t, m, chunk)
	var phases [][]string
	for _, phase := range p.Blocks[1].Body(plan.Decode).Phases {
		var kinds []string
		for _, s := range phase.Steps {
			kinds = append(kinds, s.Spec.Kind())
		}
		phases = append(phases, kinds)
	}
	want := [][]string{{"rmsnorm", "gemv", "gemv", "map", "gemv"}, {"gatednorm"}, {"gemv"}}
	if !slices.EqualFunc(phases, want, slices.Equal) {
		t.Errorf("phases %v, want %v in\n%s", phases, want, plan.Format(p))
	}
	for _, s := range p.Specs() {
		if k, ok := s.(kernel.Map); ok && k.Function == kernel.MapCopy {
			t.Errorf("a copy, %s, in\n%s", s.Name(), plan.Format(p))
		}
	}
}

// turnedLayer turns heads of odd sizes by angles of another region; the parts of
// its concat are no panels.
const turnedLayer = `module m
param @emb [3 14] f32
param @f [3] f32
param @norm [7] f32
param @w [14 21] f32
param @last [14] f32
input %ids: id[T]
region embed {
  %x: f32[T,14] = embed(%ids) [@emb]
  %a: f32[T,6] = angles() [@f] {factor=1}
}
region layers.0 {
  %n: f32[T,14] = rmsnorm(%x) [@norm] {eps=1e-05 group=7}
  %q: f32[T,14] = rope(%n, %a) {headDim=7}
  %s: f32[T,7] = slice(%q) {lo=5 hi=12}
  %r: f32[T,7] = activation(%s) {function="relu2"}
  %c: f32[T,21] = concat(%r, %q)
  %y: f32[T,14] = linear(%c) [@w, none]
}
region layers.1 {
  %p: f32[T,14] = rope(%y, %a) {headDim=14 interleaved}
  %o: f32[T,14] = layernorm(%p) [@last, none] {eps=1e-05}
}
return %o
`

func TestAnglesOfAnotherRegion(t *testing.T) {
	m := parsed(t, turnedLayer)
	for workers := 1; workers <= 4; workers++ {
		requireLogits(t, "turned layer", m, workers)
	}
}
