package family

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/mambac/mambac/ir/tensor"
)

// shapes are those of a mixer's tensors.
type shapes map[string][]int

// ssmStream is the hidden size of what follows.
const ssmStream = 10

// filled gives a restated model its tensors: two layers, or as many as there
// are, of mixers and attention.
func (o *original) filled(mixer, attention shapes) *original {
	o.f = fake{}
	o.layers = max(o.layers, 2)
	o.f.random("backbone.embedding.weight", vocab, ssmStream)
	norm := func(name string) {
		o.f.random(name+".weight", ssmStream)
		if o.centred {
			o.f.random(name+".bias", ssmStream)
		}
	}
	norm("backbone.norm_f")
	for l := range o.layers {
		prefix := fmt.Sprintf("backbone.layers.%d.", l)
		norm(prefix + "norm")
		list := mixer
		if slices.Contains(o.attended, l) {
			list = attention
		}
		for name, shape := range list {
			o.f.random(prefix+"mixer."+name, shape...)
		}
		if o.mlp {
			norm(prefix + "norm2")
			o.f.random(prefix+"mlp.fc1.weight", 256, ssmStream)
			o.f.random(prefix+"mlp.fc2.weight", ssmStream, 128)
		}
	}
	return o
}

// ssmConfig is a config with these keys besides the sizes.
func ssmConfig(keys string) string {
	return `{"d_model": 10, "n_layer": 2, "vocab_size": 11, "pad_vocab_size_multiple": 1, ` + keys + `}`
}

func mamba1Shapes() shapes {
	return shapes{"in_proj.weight": {28, ssmStream}, "conv1d.weight": {14, 1, 3}, "conv1d.bias": {14}, "x_proj.weight": {3 + 2*5, 14},
		"dt_proj.weight": {14, 3}, "dt_proj.bias": {14}, "A_log": {14, 5}, "D": {14}, "out_proj.weight": {ssmStream, 14}}
}

const mamba1Keys = `"ssm_cfg": {"expand": 1.4, "dt_rank": 3}`

// TestLayerNormRestated: norms of layers, of MLPs and the last are LayerNorm,
// or none is.
func TestLayerNormRestated(t *testing.T) {
	for _, c := range []struct {
		centred bool
		keys    string
	}{
		{true, `"rms_norm": false, "d_intermediate": 70, ` + mamba1Keys},
		{false, `"d_intermediate": 128, "attn_layer_idx": [], "attn_cfg": {"num_heads": 7}, ` + mamba1Keys},
	} {
		o := &original{centred: c.centred, mlp: true, mixer: slowMamba1}
		o.filled(mamba1Shapes(), nil).agree(t, ssmConfig(c.keys), nil)
	}
}

// TestMamba2Restated: every option of families.md §5.1.
func TestMamba2Restated(t *testing.T) {
	const sizes = `"layer": "Mamba2", "headdim": 3, "d_state": 5, `
	wide := math.Inf(1)
	for _, c := range []struct {
		name, options string
		bias          bool
		slow          slow2
	}{
		{"grouped norm", `"expand": 1.8, "ngroups": 2`, false, slow2{inner: 18, groups: 2, high: wide, normed: true}},
		{"norm before gate", `"expand": 1.8, "ngroups": 3, "norm_before_gate": true`, false, slow2{inner: 18, groups: 3, high: wide, normed: true, normFirst: true}},
		{"no norm", `"expand": 1.8, "rmsnorm": false, "bias": true`, true, slow2{inner: 18, groups: 1, high: wide}},
		{"d_ssm", `"expand": 2.2, "d_ssm": 18, "ngroups": 2`, false, slow2{inner: 18, groups: 2, beside: 4, high: wide, normed: true}},
		{"d_ssm beside more", `"expand": 5, "d_ssm": 18, "norm_before_gate": true`, true, slow2{inner: 18, groups: 1, beside: 32, high: wide, normed: true, normFirst: true}},
		{"D of elements", `"expand": 1.8, "D_has_hdim": true, "ngroups": 6`, false, slow2{inner: 18, groups: 6, high: wide, normed: true, elementD: true}},
		{"limits", `"expand": 1.8, "dt_limit": [1.0, 1.5]`, false, slow2{inner: 18, groups: 1, low: 1, high: 1.5, normed: true}},
		{"no upper limit", `"expand": 1.8, "dt_limit": [1.25, Infinity]`, false, slow2{inner: 18, groups: 1, low: 1.25, high: wide, normed: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.slow.states = 5
			o := &original{mixer: c.slow.mix}
			options := sizes + c.options
			if c.bias && !strings.Contains(options, "bias") {
				options += `, "bias": true`
			}
			o.filled(c.slow.shapes(c.bias), nil).agree(t, ssmConfig(`"ssm_cfg": {`+options+`}`), nil)
		})
	}
}

// shapes are for heads of 3.
func (o slow2) shapes(bias bool) shapes {
	heads, channels := o.inner/3, o.inner+2*o.groups*o.states
	s := shapes{"in_proj.weight": {2*o.beside + o.inner + channels + heads, ssmStream}, "conv1d.weight": {channels, 1, 4}, "conv1d.bias": {channels},
		"A_log": {heads}, "dt_bias": {heads}, "D": {heads}, "out_proj.weight": {ssmStream, o.beside + o.inner}}
	if o.normed {
		s["norm.weight"] = []int{o.inner}
	}
	if o.elementD {
		s["D"] = []int{o.inner}
	}
	if bias {
		s["in_proj.bias"], s["out_proj.bias"] = []int{s["in_proj.weight"][0]}, []int{ssmStream}
	}
	return s
}

func (o slow3) shapes() shapes {
	e, shared := o.heads*o.dim, o.rank*o.groups*o.states
	s := shapes{"in_proj.weight": {2*e + 2*shared + 3*o.heads + o.angles, ssmStream}, "dt_bias": {o.heads}, "D": {o.heads},
		"B_norm.weight": {o.states}, "C_norm.weight": {o.states}, "B_bias": {o.heads, o.rank, o.states}, "C_bias": {o.heads, o.rank, o.states},
		"out_proj.weight": {ssmStream, e}}
	if o.mimo {
		for _, name := range []string{"mimo_x", "mimo_z", "mimo_o"} {
			s[name] = []int{o.heads, o.rank, o.dim}
		}
	}
	if o.normed {
		s["norm.weight"] = []int{e}
	}
	return s
}

// TestMamba3Restated: groups, ranks, norms, both pairings and both decays.
func TestMamba3Restated(t *testing.T) {
	interleaved, softplus := map[string]string{"mimo-rotary": "interleaved"}, map[string]string{"mamba3-a": "softplus"}
	for _, c := range []struct {
		name, options string
		asked         map[string]string
		centred, mlp  bool
		slow          slow3
	}{
		{"one group", ``, nil, false, false, slow3{groups: 1, states: 6, rank: 1, angles: 1}},
		{"groups", `, "ngroups": 2, "A_floor": 0.9`, nil, false, false, slow3{groups: 2, states: 9, rank: 1, angles: 2, floor: 0.9}},
		{"all turned", `, "ngroups": 4, "rope_fraction": 1.0, "is_outproj_norm": true`, nil, true, true, slow3{groups: 4, states: 7, rank: 1, angles: 3, normed: true}},
		{"softplus", `, "d_state": 4, "mimo_rank": 4`, softplus, false, false, slow3{groups: 1, states: 4, rank: 1, angles: 1, softplus: true}},
		{"halved", `, "is_mimo": true, "ngroups": 2`, nil, false, true, slow3{groups: 2, states: 10, rank: 3, angles: 2, mimo: true, halved: true}},
		{"halved, all turned", `, "is_mimo": true, "rope_fraction": 1`, map[string]string{"mimo-rotary": "halved", "mamba3-a": "heavy-tail"}, false, false,
			slow3{groups: 1, states: 6, rank: 2, angles: 3, mimo: true, halved: true}},
		{"interleaved", `, "is_mimo": true, "mimo_rank": 2, "ngroups": 2, "is_outproj_norm": true`, interleaved, false, false,
			slow3{groups: 2, states: 9, rank: 2, angles: 2, mimo: true, normed: true}},
		{"one rank", `, "is_mimo": true, "mimo_rank": 1, "is_outproj_norm": true`, nil, false, false, slow3{groups: 1, states: 8, rank: 1, angles: 2, mimo: true, normed: true, halved: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.slow.heads, c.slow.dim = 4, 5
			c.slow.floor = max(c.slow.floor, 1e-4)
			o := &original{mixer: c.slow.mix, centred: c.centred, mlp: c.mlp}
			keys := `"ssm_cfg": {"layer": "Mamba3", "headdim": 5` + c.options + `}`
			if c.centred {
				keys += `, "rms_norm": false`
			}
			if c.mlp {
				keys += `, "d_intermediate": 100`
			}
			o.filled(c.slow.shapes(), nil).agree(t, ssmConfig(keys), c.asked)
		})
	}
}

// TestMamba3HalvedIsPermuted: a halved checkpoint is an interleaved one whose
// state axis is read in another order (families.md §4).
func TestMamba3HalvedIsPermuted(t *testing.T) {
	slow := slow3{heads: 4, dim: 5, groups: 2, states: 10, rank: 3, angles: 2, mimo: true, normed: true}
	o := (&original{}).filled(slow.shapes(), nil)
	config := ssmConfig(`"ssm_cfg": {"layer": "Mamba3", "headdim": 5, "ngroups": 2, "is_mimo": true, "is_outproj_norm": true}`)
	ids := []int{3, 1, 4, 1, 5, 9}
	logits := func(f fake, rotary string) [][]float32 {
		r, err := importedWith(config, f, map[string]string{"mimo-rotary": rotary})
		if err != nil {
			t.Fatal(err)
		}
		return evaluated(t, r, ids)
	}
	want, other := logits(o.f, "halved"), logits(o.f, "interleaved")
	have := logits(slow.permuted(o.f), "interleaved")
	apart := 0.0
	for p := range want {
		for i, v := range want[p] {
			if math.Abs(float64(have[p][i]-v)) > 1e-5 {
				t.Fatalf("token %d: logit %d is %g, want %g", p, i, have[p][i], v)
			}
			apart = max(apart, math.Abs(float64(other[p][i]-v)))
		}
	}
	if apart < 0.01 {
		t.Errorf("pairings differ by %g: the weights do not tell them apart", apart)
	}
}

// permuted puts elements i and i+N/2 of the state axis at 2i and 2i+1.
func (o slow3) permuted(f fake) fake {
	g := maps.Clone(f)
	for name, t := range f {
		_, tensorName, _ := strings.Cut(name, ".mixer.")
		from, to, width := 0, 0, 1 // elements of the permuted blocks, and how many move together
		switch e := o.heads * o.dim; tensorName {
		case "in_proj.weight":
			width = ssmStream
			from, to = 2*e*width, (2*e+2*o.rank*o.groups*o.states)*width
		case "B_norm.weight", "C_norm.weight", "B_bias", "C_bias":
			to = t.Shape.Elements()
		}
		values := slices.Clone(t.Source.(*tensor.Dense).Values)
		old := slices.Clone(values)
		for at := from; at < to; at += o.states * width {
			for n := range o.states {
				half := o.states / 2
				place := 2*(n%half) + n/half
				copy(values[at+place*width:at+(place+1)*width], old[at+n*width:at+(n+1)*width])
			}
		}
		t.Source = &tensor.Dense{Shape: t.Shape, Values: values}
		g[name] = t
	}
	return g
}

func (o slowMHA) shapes(taps int, bias bool) shapes {
	width := o.dim * (o.heads + 2*o.kv)
	s := shapes{"in_proj.weight": {width + o.mlp, ssmStream}, "out_proj.weight": {ssmStream, o.dim*o.heads + o.mlp/2}}
	if bias {
		s["in_proj.bias"], s["out_proj.bias"] = []int{width + o.mlp}, []int{ssmStream}
	}
	if taps > 0 {
		s["conv1d.weight"], s["conv1d.bias"] = []int{width, 1, taps}, []int{width}
	}
	return s
}

// TestMHARestated: attention in place of the second of two layers, or of all.
func TestMHARestated(t *testing.T) {
	for _, c := range []struct {
		name, options string
		taps          int
		bias          bool
		attended      []int
		slow          slowMHA
	}{
		{"plain", `"num_heads": 5`, 0, true, []int{1}, slowMHA{heads: 5, kv: 5, dim: 2, scale: math.Sqrt(0.5)}},
		{"conv and rotation", `"num_heads": 6, "num_heads_kv": 2, "head_dim": 7, "d_conv": 3, "rotary_emb_dim": 4, "rotary_emb_base": 50`, 3, true, []int{1},
			slowMHA{heads: 6, kv: 2, dim: 7, scale: 1 / math.Sqrt(7), turned: 4, base: 50}},
		{"MLP, interleaved", `"num_heads": 4, "num_heads_kv": 1, "head_dim": 6, "mlp_dim": 300, "rotary_emb_dim": 6, "rotary_emb_interleaved": true,
			"softmax_scale": 0.7, "qkv_proj_bias": false, "out_proj_bias": false`, 0, false, []int{0},
			slowMHA{heads: 4, kv: 1, dim: 6, mlp: 512, scale: 0.7, turned: 6, base: 1e4, interleaved: true}},
		{"nothing else", `"num_heads": 3, "head_dim": 4, "d_conv": 1, "mlp_dim": 256, "rotary_emb_dim": 2, "causal": true, "softmax_scale": null`, 1, true, []int{0, 1},
			slowMHA{heads: 3, kv: 3, dim: 4, mlp: 256, scale: 0.5, turned: 2, base: 1e4}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := &original{mixer: slowMamba1, attention: c.slow.mix, attended: c.attended, mlp: len(c.attended) == 1}
			keys := fmt.Sprintf(`"attn_layer_idx": %s, "attn_cfg": {"causal": true, %s}, %s`, strings.ReplaceAll(fmt.Sprint(c.attended), " ", ", "), c.options, mamba1Keys)
			if o.mlp {
				keys += `, "d_intermediate": 1`
			}
			o.filled(mamba1Shapes(), c.slow.shapes(c.taps, c.bias)).agree(t, ssmConfig(keys), nil)
		})
	}
}

// TestStateSpacesHead: which matrix makes the logits.
func TestStateSpacesHead(t *testing.T) {
	for _, c := range []struct{ keys, stored, want string }{
		{``, "", "backbone.embedding.weight"},
		{``, headMatrix, "backbone.embedding.weight"},
		{`"tie_embeddings": false, `, headMatrix, headMatrix},
		{`"tie_embeddings": false, `, "", "backbone.embedding.weight"},
	} {
		f := (&original{}).filled(mamba1Shapes(), nil).f
		if c.stored != "" {
			f.random(c.stored, vocab, ssmStream)
		}
		if have := must(t, ssmConfig(c.keys+mamba1Keys), f).Module.Output.Params[0].Name; have != c.want {
			t.Errorf("%s with %q: the head is %s, want %s", c.keys, c.stored, have, c.want)
		}
	}
}

// TestStateSpacesArchitecture: only what is mixers and nothing else can be
// written down as such.
func TestStateSpacesArchitecture(t *testing.T) {
	plain := (&original{}).filled(mamba1Shapes(), nil)
	a, ok := must(t, ssmConfig(mamba1Keys), plain.f).Architecture.(*Mamba1)
	if !ok || len(a.Layers) != 2 || a.Layers[1].Mixer.D.Name != "backbone.layers.1.mixer.D" || a.Head != a.Embedding {
		t.Errorf("architecture is %+v", a)
	}
	two := slow2{inner: 18, groups: 1, high: math.Inf(1), normed: true, states: 5}
	keys := `"ssm_cfg": {"layer": "Mamba2", "headdim": 3, "d_state": 5, "expand": 1.8}`
	b, ok := must(t, ssmConfig(keys), (&original{}).filled(two.shapes(false), nil).f).Architecture.(*Mamba2)
	if !ok || len(b.Layers) != 2 || b.Layers[1].Mixer.D.Name != "backbone.layers.1.mixer.D" || b.Layers[1].Norm.Name != "backbone.layers.1.norm.weight" || !b.Tied() {
		t.Errorf("architecture is %+v", b)
	}
	mlp := (&original{mlp: true}).filled(two.shapes(false), nil)
	if a := must(t, ssmConfig(`"d_intermediate": 128, `+keys), mlp.f).Architecture; a.Kind() != "mamba2 with MLPs (d_intermediate)" {
		t.Errorf("MLPs: architecture is %#v", a)
	}
	centred := (&original{centred: true}).filled(mamba1Shapes(), nil)
	if a := must(t, ssmConfig(`"rms_norm": false, `+mamba1Keys), centred.f).Architecture; a.Kind() != "mamba with LayerNorm (rms_norm)" {
		t.Errorf("LayerNorm: architecture is %s", a.Kind())
	}
}
