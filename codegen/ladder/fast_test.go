package ladder

import (
	"fmt"
	"testing"

	"github.com/mambac/mambac/ir/irtest"
	"github.com/mambac/mambac/ir/pass"
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
