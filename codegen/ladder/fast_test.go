package ladder

import (
	"fmt"
	"testing"

	"github.com/mambac/mambac/ir/irtest"
	"github.com/mambac/mambac/ir/pass"
	"github.com/mambac/mambac/ir/text"
)

// TestFast takes wide random modules up the ladder whose weights are codes.
func TestFast(t *testing.T) {
	var cases []Case
	sure := 0
	for seed := range uint64(5) {
		m := irtest.Disturbed(seed, manyPanels(seed))
		c := Case{
			Name: fmt.Sprintf("seed%d", seed), Module: m, IDs: ids(seed, m.Output.Type.Width),
			Passes: pass.Options{Storage: []string{"int8", "int4"}[seed%2]}, Chunk: []int{0, 16, 5}[seed%3],
		}
		cases = append(cases, c)
		module, err := pass.Run(m, c.Passes)
		if err != nil {
			t.Fatal(err)
		}
		e, err := evaluate(module, "fast", c.IDs)
		if err != nil {
			t.Fatal(err)
		}
		if !(e.loose > 0) {
			t.Errorf("%s: quantising costs nothing", c.Name)
		}
		sure += e.sure
	}
	if sure == 0 {
		t.Error("no logits hold to the tolerance: nothing is proved of what the kernels mean")
	}
	RequireSame(t, cases...)
}

// acrossRegions has a linear read a value of another region while a value of
// its own is still wanted: what is made of the one must not lie on the other.
const acrossRegions = `module m
param @emb [5 128] f32
param @norm [128] f32
param @first [128 128] f32
param @second [128 128] f32
input %ids: id[T]
region embed {
  %x: f32[T,128] = embed(%ids) [@emb]
}
region layer {
  %n: f32[T,128] = rmsnorm(%x) [@norm] {eps=1e-05}
  %a: f32[T,128] = linear(%x) [@first, none]
  %b: f32[T,128] = linear(%n) [@second, none]
  %y: f32[T,128] = add(%a, %b)
}
return %y
`

func TestFastAcrossRegions(t *testing.T) {
	m, err := text.Parse(acrossRegions)
	if err != nil {
		t.Fatal(err)
	}
	irtest.Fill(m)
	RequireSame(t, Case{Name: "across", Module: m, IDs: []int{4, 3, 0, 1, 2, 2}, Passes: pass.Options{Storage: "int8"}})
}
