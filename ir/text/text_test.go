package text_test

import (
	"flag"
	"strings"
	"testing"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/build"
	"github.com/mambac/mambac/ir/op"
	"github.com/mambac/mambac/ir/tensor"
	"github.com/mambac/mambac/ir/text"
)

var _ = flag.Bool("update", false, "as all of ir takes it; nothing to rewrite here")

// module uses every op with names that need quoting among them.
func module(t *testing.T) *ir.Module {
	t.Helper()
	w := func(name string, shape ...int) *ir.Param {
		return &ir.Param{Name: name, Shape: shape, DType: tensor.BF16}
	}
	b := build.New("tiny model")
	b.Region("embed")
	embedding := w("emb\n%hostile", 7, 4)
	embedding.Storage = "f16"
	x := b.Embed(b.Input(), embedding)
	b.Region("layers.0 }")
	n := b.RMSNorm(x, w("norm", 4), 1e-5)
	u := b.SiLU(b.Conv(n, w("conv", 4, 1, 3), nil, 3, b.State(`win"dow`, ir.Window, 4, 2)))
	a := w("A_log", 4, 2)
	a.Transform = ir.NegExp
	parts := b.Split(b.Linear(u, w("proj", 8, 4), w("bias", 8)), 4, 2, 2)
	y := b.Scan1(u, b.Softplus(parts[0]), parts[1], parts[2], a, w("D", 4), b.State("h", ir.Recurrence, 4, 2))
	x = b.Op(op.Linear{Residual: true}, []*ir.Value{b.Mul(y, y), b.Add(x, x)}, []*ir.Param{w("out", 4, 4), nil}, nil)
	b.Region("head")
	m, err := b.Finish(b.Linear(x, embedding, nil))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

const want = `module "tiny model"
param @"emb\n%hostile" [7 4] bf16 storage=f16
param @norm [4] bf16
param @conv [4 1 3] bf16
param @proj [8 4] bf16
param @bias [8] bf16
param @A_log [4 2] bf16 neg_exp
param @D [4] bf16
param @out [4 4] bf16
state $"win\"dow" window [4 2]
state $h recurrence [4 2]
input %ids: id[T]
region embed {
  %v0: f32[T,4] = embed(%ids) [@"emb\n%hostile"]
}
region "layers.0 }" {
  %v1: f32[T,4] = rmsnorm(%v0) [@norm] {eps=1e-05}
  %v2: f32[T,4] = conv(%v1) [@conv, none] <$"win\"dow"> {taps=3}
  %v3: f32[T,4] = silu(%v2)
  %v4: f32[T,8] = linear(%v3) [@proj, @bias]
  %v5: f32[T,4] = slice(%v4) {lo=0 hi=4}
  %v6: f32[T,2] = slice(%v4) {lo=4 hi=6}
  %v7: f32[T,2] = slice(%v4) {lo=6 hi=8}
  %v8: f32[T,4] = softplus(%v5)
  %v9: f32[T,4] = scan1(%v3, %v8, %v6, %v7) [@A_log, @D, none] <$h> {states=2}
  %v10: f32[T,4] = mul(%v9, %v9)
  %v11: f32[T,4] = add(%v0, %v0)
  %v12: f32[T,4] = linear(%v10, %v11) [@out, none] {residual}
}
region head {
  %v13: f32[T,7] = linear(%v12) [@"emb\n%hostile", none]
}
return %v13
`

func TestRoundtrip(t *testing.T) {
	got := text.Format(module(t))
	if got != want {
		t.Fatalf("printed\n%s\nwant\n%s", got, want)
	}
	m, err := text.Parse(got)
	if err != nil {
		t.Fatal(err)
	}
	if err := ir.Verify(m); err != nil {
		t.Fatal(err)
	}
	if again := text.Format(m); again != got {
		t.Errorf("printed again\n%s\nwant\n%s", again, got)
	}
}

// TestEveryOpPrints parses each registered op with an attribute of its own
// printed form, so that no op has a field without a text form.
func TestEveryOpPrints(t *testing.T) {
	for _, name := range op.Names() {
		o, _ := op.Prototype(name)
		x := &ir.Value{Name: "x", Type: ir.Type{Elem: ir.ID}}
		y := &ir.Value{Name: "y", Type: ir.Vec(1), Op: o, Args: []*ir.Value{x}}
		m := &ir.Module{Name: "m", Input: x, Output: y, Regions: []*ir.Region{{Name: "r", Body: []*ir.Value{y}}}}
		back, err := text.Parse(text.Format(m))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if back.Output.Op != o {
			t.Errorf("%s: read back as %#v", name, back.Output.Op)
		}
	}
}

func TestInvalid(t *testing.T) {
	const head = "module m\nparam @w [3 2] f32\nstate $s window [2 1]\ninput %ids: id[T]\nregion r {\n"
	long := strings.Repeat("x", 1000)
	for _, c := range []struct{ text, want string }{
		{"", "line 1: the text ends without a return"},
		{"param @w [2] f32", `line 1: the first statement is not "module"`},
		{"module m\nmodule n", "line 2: a second module"},
		{"module m\nreturn %x", "line 2: a return without an input"},
		{"module m\nfoo", `line 2: unknown statement "foo"`},
		{"module m\n" + long, `line 2: unknown statement "` + long[:59] + `…`},
		{"module \"m", "line 1: a string does not end, or holds a bad escape"},
		{"module m n", `line 1: "n" stands after the end of the statement`},
		{"module m\nparam @w [2 f32", `line 2: have "f32", want a size below 2³¹`},
		{"module m\nparam @w [1048576 1048576 16] f32", "line 2: shape [1048576 1048576 16] holds 17592186044416 elements, more than 1099511627776"},
		{"module m\nparam @w [2] f99", `line 2: have "f99", want an element type`},
		{"module m\nparam w [2] f32", `line 2: have "w", want "@"`},
		{"module m\nparam @w [2] f32 storage=", "line 2: have the end of the line, want a name"},
		{"module m\nparam @w [2] f32\nparam @w [2] f32", "line 3: @w is declared twice"},
		{"module m\n%x: f32[T,2] = silu(%y)", `line 2: "%" stands outside a region`},
		{"module m\ninput %ids: id[T]\ninput %ids: id[T]", "line 3: a second input"},
		{"module m\ninput %ids: f16[T,2]", `line 2: have "f16", want "f32"`},
		{head + "param @v [2] f32", `line 6: "param" stands inside region r`},
		{head + "%x: f32[T,2] = embed(%ids) [@v]", "line 6: @v is not declared above"},
		{head + "%x: f32[T,2] = embed(%id s) [@w]", "line 6: %id is not declared above"},
		{head + "%x: f32[T,2] = silu(%x)", "line 6: %x is not declared above"},
		{head + "%x: f32[T,2] = nope(%ids)", `line 6: unknown op "nope"; known are `},
		{head + "%ids: f32[T,2] = embed(%ids) [@w]", "line 6: %ids is declared twice"},
		{head + "%x: f32[T,2] = embed(%ids) [@w] {eps=1}", "line 6: unknown attribute eps of embed"},
		{head + "%x: f32[T,2] = linear(%ids) [@w] {residual residual}", "line 6: attribute residual is given twice"},
		{head + "%x: f32[T,2] = linear(%ids) [@w] {residual=1}", "line 6: attribute residual: is a flag and takes no value"},
		{head + "%x: f32[T,2] = conv(%ids) [@w] {taps}", "line 6: attribute taps has no value"},
		{head + "%x: f32[T,2] = conv(%ids) [@w] {taps=4294967296}", `line 6: attribute taps: have "4294967296", want a whole number below 2³¹`},
		{head + "%x: f32[T,2] = conv(%ids) [@w] {activation=silu}", `line 6: attribute activation: have "silu", want a quoted string`},
		{head + "%x: f32[T,2] = embed(%ids) [@w]\n}\nreturn %x\nreturn %x", "line 9: a statement stands after the return"},
		{head + "%x: f32[T,2] = embed(%ids) [@w]\n}", "line 7: the text ends without a return"},
		{head + "é", `line 6: unexpected character 'é'`},
	} {
		_, err := text.Parse(c.text)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%q: %v, want %s", c.text, err, c.want)
		} else if strings.ContainsAny(err.Error(), "\n\r") || len(err.Error()) > 250 {
			t.Errorf("%q: error is no short line: %q", c.text, err)
		}
	}
}

// FuzzParse: what parses prints to a fixed point, and the verifier survives
// it.
func FuzzParse(f *testing.F) {
	f.Add(want)
	f.Add("module m\ninput %i: id[T]\nreturn %i")
	f.Add("module m # comment\nparam @w [3 2] f32 neg_exp storage=\"b f\"\ninput %i: id[T]\nregion r {\n%x: f32[T,2] = embed(%i) [@w]\n%y: f32[T,2] = rmsnorm(%x) [none] {eps=-Inf}\n}\nreturn %y")
	f.Fuzz(func(t *testing.T, s string) {
		m, err := text.Parse(s)
		if err != nil {
			return
		}
		_ = ir.Verify(m)
		printed := text.Format(m)
		again, err := text.Parse(printed)
		if err != nil {
			t.Fatalf("%v\n%s", err, printed)
		}
		if got := text.Format(again); got != printed {
			t.Fatalf("printed\n%s\nthen\n%s", printed, got)
		}
	})
}
