package build_test

import (
	"flag"
	"fmt"
	"testing"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/build"
	"github.com/mambac/mambac/ir/tensor"
)

var _ = flag.Bool("update", false, "as all of ir takes it; nothing to rewrite here")

func param(name string, shape ...int) *ir.Param {
	return &ir.Param{Name: name, Shape: shape, DType: tensor.F32}
}

// TestTied: a parameter asked for twice, even as two values, is declared once.
func TestTied(t *testing.T) {
	b := build.New("m")
	b.Region("r")
	m, err := b.Finish(b.Linear(b.Embed(b.Input(), param("w", 3, 2)), param("w", 3, 2), nil))
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Params) != 1 || m.Regions[0].Body[1].Params[0] != m.Params[0] {
		t.Errorf("%d parameters are declared, want 1", len(m.Params))
	}
}

// TestFirstErrorSticks: what follows a mistake is neither built nor reported.
func TestFirstErrorSticks(t *testing.T) {
	b := build.New("m")
	b.Region("layers.7")
	x := b.Embed(b.Input(), param("w", 3, 2))
	y := b.Linear(x, param("v", 4, 5), nil)
	_, err := b.Finish(b.Add(b.SiLU(y), x))
	if want := "layers.7: linear: v: have [4 5], want [N 2]"; fmt.Sprint(err) != want {
		t.Errorf("%v, want %s", err, want)
	}
}
