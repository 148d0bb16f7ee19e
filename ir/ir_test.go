package ir_test

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/irtest"
	"github.com/mambac/mambac/ir/op"
	"github.com/mambac/mambac/ir/text"
)

var update = flag.Bool("update", false, "rewrite what tests expect")

// TestText: modules in text that the verifier refuses, and one it prints.
func TestText(t *testing.T) { irtest.Run(t, "testdata/*.txtar", *update) }

const seeds = 200

// TestRoundtripRandom: random modules verify, and print → parse → print is the
// identity.
func TestRoundtripRandom(t *testing.T) {
	for seed := range uint64(seeds) {
		m := irtest.Any(seed)
		printed := text.Format(m)
		again, err := text.Parse(printed)
		if err == nil {
			err = ir.Verify(again)
		}
		if err != nil {
			t.Fatalf("seed %d: %v in\n%s", seed, err, printed)
		}
		if got := text.Format(again); got != printed {
			t.Fatalf("seed %d prints\n%sthen\n%s", seed, printed, got)
		}
		if got := text.Format(irtest.Any(seed)); got != printed {
			t.Fatalf("seed %d gives two modules", seed)
		}
	}
}

// TestClone: a copy prints alike and shares nothing that a pass may change.
func TestClone(t *testing.T) {
	for seed := range uint64(seeds) {
		m := irtest.Any(seed)
		printed := text.Format(m)
		c := ir.Clone(m)
		if got := text.Format(c); got != printed {
			t.Fatalf("seed %d: the copy prints\n%swant\n%s", seed, got, printed)
		}
		for _, r := range c.Regions {
			for _, v := range r.Body {
				v.Name, v.Op = v.Name+"x", op.Softplus{}
				clear(v.Args)
				clear(v.Params)
				clear(v.States)
			}
			r.Body = slices.Delete(r.Body, 0, 1)
		}
		for _, p := range c.Params {
			p.Storage = "f8"
		}
		c.Output = c.Input
		if got := text.Format(m); got != printed {
			t.Fatalf("seed %d: changing the copy changed the module to\n%s", seed, got)
		}
	}
}

// TestUses: every argument is a use, in order.
func TestUses(t *testing.T) {
	m := irtest.Random(5)
	uses, n := ir.Uses(m), 0
	for v, users := range uses {
		for _, u := range users {
			if !slices.Contains(u.Args, v) {
				t.Errorf("%s does not use %s", u.Name, v.Name)
			}
		}
		n += len(users)
	}
	for _, r := range m.Regions {
		for _, v := range r.Body {
			n -= len(v.Args)
		}
	}
	if n != 0 {
		t.Errorf("%d uses too many", n)
	}
}

// TestInvalid: damage that has no text form.
func TestInvalid(t *testing.T) {
	for _, c := range []struct {
		want   string
		damage func(m *ir.Module)
	}{
		{"a module needs an input, a region and an output", func(m *ir.Module) { m.Output = nil }},
		{"a module needs an input, a region and an output", func(m *ir.Module) { m.Input = nil }},
		{"a module needs an input, a region and an output", func(m *ir.Module) { m.Regions = nil }},
		{"argument 1 is not defined before its use", func(m *ir.Module) { slices.Reverse(m.Regions[1].Body) }},
		{"argument 0 is not defined before its use", func(m *ir.Module) { m.Regions[0].Body[0].Args[0] = nil }},
		{"parameter 0 (embed.weight) is not declared", func(m *ir.Module) { m.Params = m.Params[1:] }},
		{"is not declared", func(m *ir.Module) { m.States = nil }},
		{"has no op", func(m *ir.Module) { m.Regions[0].Body[0].Op = nil }},
		{`name %"v0" is empty or not unique`, func(m *ir.Module) { m.Regions[1].Body[0].Name = "v0" }},
		{`name %"ids" is empty or not unique`, func(m *ir.Module) { m.Regions[0].Body[0].Name = "ids" }},
		{"input %ids is id[T], want ids without an op", func(m *ir.Module) { m.Input.Op = op.SiLU{} }},
		{"the output is not a value of the module", func(m *ir.Module) { m.Output = &ir.Value{Name: "other"} }},
	} {
		m := irtest.Mamba(irtest.Sizes{Layers: 1, Vocab: 5, Hidden: 4, Inner: 8, States: 2, Taps: 4, Rank: 1})
		c.damage(m)
		if err := ir.Verify(m); !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}
