package tuning

import (
	"bytes"
	"encoding/json"
	"testing"
)

// TestRun: every form is called with every number of tokens, on weights of one
// panel and on rows that the arguments hold.
func TestRun(t *testing.T) {
	const panel, strideX, strideY = 4 * 48 * 3, 5, 96
	called := map[string]map[int]bool{"a": {}, "b": {}}
	form := func(name string) Form {
		return Form{name, func(c *Call) {
			called[name][c.Tokens] = true
			if len(c.F32()) != panel/4 || len(c.U16()) != panel/2 || len(c.U8()) != panel {
				t.Errorf("%d float32 of weights, want %d", len(c.F32()), panel/4)
			}
			if c.F32()[0] != c.X[0] || c.X[0] < 0.01 || c.X[0] > 0.02 {
				t.Errorf("weights %v and inputs %v, want a hundredth", c.F32()[0], c.X[0])
			}
			last := (c.Tokens-1)*strideY + panelRows
			if len(c.Y) < last || len(c.Residual) < last || len(c.X) < c.Tokens*strideX || len(c.Scratch) != 7 || len(c.Bias) < panelRows {
				t.Errorf("%d tokens do not fit %d outputs and %d inputs", c.Tokens, len(c.Y), len(c.X))
			}
		}}
	}
	kernels := []Kernel{{}, {Name: "product", Tokens: []int{8, 2}, PanelBytes: panel, StrideX: strideX, StrideY: strideY, Scratch: 7, Forms: []Form{form("a"), form("b")}}}
	var out bytes.Buffer
	if err := run(&out, []string{"1"}, kernels); err != nil {
		t.Fatal(err)
	}
	var list []Candidate
	if err := json.Unmarshal(out.Bytes(), &list); err != nil || len(list) != 2 {
		t.Fatalf("%v, %d candidates in %s", err, len(list), out.Bytes())
	}
	for i, name := range []string{"a", "b"} {
		for _, n := range kernels[1].Tokens {
			if list[i].Tile != name || list[i].Nanoseconds[n] < 1 || !called[name][n] {
				t.Errorf("form %s with %d tokens: %+v", name, n, list[i])
			}
		}
	}
	for _, args := range [][]string{nil, {"2"}, {"-1"}, {"x"}} {
		if err := run(&out, args, kernels); err == nil {
			t.Errorf("no error from arguments %q", args)
		}
	}
}
