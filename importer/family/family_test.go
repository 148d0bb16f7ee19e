package family

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mambac/mambac/ir/tensor"
	"github.com/mambac/mambac/ir/text"
)

// edit replaces the first of a config's texts, which must be there.
func edit(t *testing.T, config, from, to string) string {
	t.Helper()
	if !strings.Contains(config, from) {
		t.Fatalf("no %s in %s", from, config)
	}
	return strings.Replace(config, from, to, 1)
}

// TestContradictions: each is one line that names the key or the tensor, and
// both numbers.
func TestContradictions(t *testing.T) {
	const question = "; is config.json from this checkpoint?"
	layer := func(name string) string { return "backbone.layers.1.mixer." + name }
	for _, c := range []struct {
		name, from, to string
		damage         func(f fake)
		want           string
	}{
		{"state size", `"state_size": 3`, `"state_size": 16`, nil, "backbone.layers.0.mixer.x_proj.weight: have [11 10], want [37 10] (dt rank 5 from time_step_rank, state size 16 from state_size)" + question},
		{"dt rank", `"time_step_rank": 5`, `"time_step_rank": "auto"`, nil, "backbone.layers.0.mixer.x_proj.weight: have [11 10], want [7 10] (dt rank 1 from time_step_rank, state size 3 from state_size)" + question},
		{"conv kernel", `"conv_kernel": 4`, `"conv_kernel": 3`, nil, "backbone.layers.0.mixer.conv1d.weight: have [10 1 4], want [10 1 3] (conv kernel 3 from conv_kernel)" + question},
		{"hidden size", `"hidden_size": 6`, `"hidden_size": 8`, nil, "backbone.embeddings.weight: have [11 6], want [11 8] (hidden size 8 from hidden_size)" + question},
		{"inner size", `"intermediate_size": 10`, `"intermediate_size": 12`, nil, "backbone.layers.0.mixer.in_proj.weight: have [20 6], want [24 6] (inner size 12 from intermediate_size)" + question},
		{"expand", `"intermediate_size": 10`, `"expand": 2`, nil, "backbone.layers.0.mixer.in_proj.weight: have [20 6], want [24 6] (inner size 12 from expand and hidden_size)" + question},
		{"vocabulary", `"vocab_size": 11`, `"vocab_size": 12`, nil, "config.json: vocab_size is 12, but backbone.embeddings.weight has 11 rows" + question},
		{"too many layers", `_layers": 2`, `_layers": 4`, nil, "20 tensors are missing: backbone.layers.2.norm.weight, backbone.layers.2.mixer.in_proj.weight, backbone.layers.2.mixer.conv1d.weight, …; number of layers 4 from num_hidden_layers, but the tensors have 2" + question},
		{"a billion layers", `_layers": 2`, `_layers": 1073741824`, nil, "number of layers 1073741824 from num_hidden_layers, but the tensors have 2" + question},
		{"too few layers", `_layers": 2`, `_layers": 1`, nil, "10 tensors are not used by this family: backbone.layers.1.mixer.A_log, backbone.layers.1.mixer.D, backbone.layers.1.mixer.conv1d.bias, …; number of layers 1 from num_hidden_layers, but the tensors have 2" + question},
		{"missing", "", "", func(f fake) { delete(f, layer("dt_proj.bias")); delete(f, "backbone.norm_f.weight") }, "2 tensors are missing: backbone.layers.1.mixer.dt_proj.bias, backbone.norm_f.weight"},
		{"missing one", "", "", func(f fake) { delete(f, layer("A_log")) }, "1 tensor is missing: backbone.layers.1.mixer.A_log"},
		{"missing layer", "", "", func(f fake) {
			for _, name := range f.Names() {
				if strings.HasPrefix(name, "backbone.layers.0.") {
					delete(f, name)
				}
			}
		}, "10 tensors are missing: backbone.layers.0.norm.weight, backbone.layers.0.mixer.in_proj.weight, backbone.layers.0.mixer.conv1d.weight, …; number of layers 2 from num_hidden_layers, but the tensors have 1" + question},
		{"missing embedding", "", "", func(f fake) { delete(f, "backbone.embeddings.weight") }, "1 tensor is missing: backbone.embeddings.weight"},
		{"surplus", "", "", func(f fake) { f.set("backbone.rotary.inv_freq", 3); f.set("visual.w\n", 1) }, `2 tensors are not used by this family: backbone.rotary.inv_freq, "visual.w\n"`},
		{"both embeddings", "", "", func(f fake) { f.set("backbone.embedding.weight", vocab, hidden) }, "1 tensor is not used by this family: backbone.embedding.weight"},
		{"a distant layer", "", "", func(f fake) { f.set("backbone.layers.1073741823.mixer.D", inner) }, "1 tensor is not used by this family: backbone.layers.1073741823.mixer.D; number of layers 2 from num_hidden_layers, but the tensors have 3" + question},
		{"a distant layer alone", `"num_hidden_layers": 2, `, "", func(f fake) { f.set("backbone.layers.1073741823.mixer.D", inner) }, "number of layers 1073741824 from the tensors' names, but the tensors have 3" + question},
		{"bias that nobody uses", "", "", func(f fake) { f.set(layer("in_proj.bias"), 2*inner) }, "1 tensor is not used by this family: backbone.layers.1.mixer.in_proj.bias"},
		{"bias that is not there", `{`, `{"use_bias": true, `, nil, "4 tensors are missing: backbone.layers.0.mixer.in_proj.bias, backbone.layers.0.mixer.out_proj.bias, backbone.layers.1.mixer.in_proj.bias, …"},
		{"conv bias that nobody uses", `{`, `{"use_conv_bias": false, `, nil, "2 tensors are not used by this family: backbone.layers.0.mixer.conv1d.bias, backbone.layers.1.mixer.conv1d.bias"},
		{"transposed", "", "", func(f fake) { f.set(layer("out_proj.weight"), inner, hidden) }, layer("out_proj.weight") + ": have [10 6], want [6 10] (hidden size 6 from hidden_size, inner size 10 from intermediate_size)" + question},
		{"vector for matrix", "", "", func(f fake) { f.set(layer("A_log"), inner) }, layer("A_log") + ": have [10], want [10 3] (inner size 10 from intermediate_size, state size 3 from state_size)" + question},
		{"conv without its middle", "", "", func(f fake) { f.set(layer("conv1d.weight"), inner, taps) }, layer("conv1d.weight") + ": have [10 4], want [10 1 4] (conv kernel 4 from conv_kernel, inner size 10 from intermediate_size)" + question},
		{"conv with a wide middle", "", "", func(f fake) { f.set(layer("conv1d.weight"), inner, 2, taps) }, layer("conv1d.weight") + ": have [10 2 4], want [10 1 4]" + question},
		{"scalar", "", "", func(f fake) { f.set("backbone.embeddings.weight") }, "backbone.embeddings.weight: have [], from which no vocabulary rows can be read"},
		{"empty vocabulary", "", "", func(f fake) { f.set("backbone.embeddings.weight", 0, hidden) }, "backbone.embeddings.weight: have [0 6], from which no vocabulary rows can be read"},
		{"empty states", `"state_size": 3,`, ``, func(f fake) { f.set("backbone.layers.0.mixer.A_log", inner, 0) }, "backbone.layers.0.mixer.A_log: have [10 0], from which no state size can be read"},
		{"other states in a later layer", `"state_size": 3,`, ``, func(f fake) { f.set(layer("A_log"), inner, 4) }, layer("A_log") + ": have [10 4], want [10 3] (state size 3 from backbone.layers.0.mixer.A_log)" + question},
		{"integers", "", "", func(f fake) {
			w := f[layer("D")]
			w.DType = tensor.I64
			f[layer("D")] = w
		}, layer("D") + ": holds i64, want real numbers"},
		{"untied head", `{`, `{"tie_word_embeddings": false, `, func(f fake) { f.set("lm_head.weight", vocab+1, hidden) }, "lm_head.weight: have [12 6], want [11 6] (vocabulary rows 11 from backbone.embeddings.weight)" + question},
		{"activation", `{`, `{"hidden_act": "tanh", `, nil, "config.json: hidden_act: tanh is not supported; known are gelu, gelu_new, gelu_pytorch_tanh, relu, relu2, silu, swish"},
		{"hostile activation", `{`, `{"hidden_act": "\u001b[2J` + strings.Repeat("x", 200) + `", `, nil, `config.json: hidden_act: "\x1b[2J` + strings.Repeat("x", 96) + `"… is not supported; known are gelu, gelu_new, gelu_pytorch_tanh, relu, relu2, silu, swish`},
		{"negative size", `"hidden_size": 6`, `"hidden_size": -6`, nil, "config.json: hidden_size: have -6, want 1 to 1073741824"},
		{"no layers", `_layers": 2`, `_layers": 0`, nil, "config.json: num_hidden_layers: have 0, want 1 to 1073741824"},
		{"fractional size", `"hidden_size": 6`, `"hidden_size": 6.5`, nil, "config.json: hidden_size: have 6.5, want a whole number"},
		{"huge size", `_layers": 2`, `_layers": 99999999999999999999`, nil, "config.json: num_hidden_layers: have 99999999999999999999, want a whole number"},
		{"size in words", `"state_size": 3`, `"state_size": {"a":` + "\n" + `"b"}`, nil, `config.json: state_size: have {"a":"b"}, want a whole number`},
		{"rank in words", `"time_step_rank": 5`, `"time_step_rank": "automatic"`, nil, `config.json: time_step_rank: have "automatic", want a whole number`},
		{"flag in words", `{`, `{"use_bias": "no", `, nil, `config.json: use_bias: have "no", want true or false`},
		{"infinite eps", `{`, `{"layer_norm_epsilon": Infinity, `, nil, "config.json: layer_norm_epsilon: have +Inf, want a finite number"},
		{"infinite eps, 5.x", `{`, `{"layer_norm_epsilon": {"__float__": "NaN"}, `, nil, "config.json: layer_norm_epsilon: have NaN, want a finite number"},
		{"negative eps", `{`, `{"layer_norm_epsilon": -1e-5, `, nil, "config.json: layer_norm_epsilon: have -1e-05, want 0 to 1"},
		{"huge expand", `"intermediate_size": 10`, `"expand": 1e30`, nil, "config.json: expand: have 1e+30, of which with hidden size 6 from hidden_size no inner size can be made"},
		{"a megabyte", `{`, strings.Repeat(" ", 1<<20) + `{`, nil, fmt.Sprintf("is %d bytes long, want at most 1048576", 1<<20+len(mambaJSON))},
		{"end token in words", `"eos_token_id": 2`, `"eos_token_id": "</s>"`, nil, `config.json: eos_token_id: have "</s>", want a token id or a list of them`},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := mambaFake()
			if c.damage != nil {
				c.damage(f)
			}
			_, err := imported(edit(t, mambaJSON, c.from, c.to), f)
			if fmt.Sprint(err) != c.want {
				t.Errorf("have %v\nwant %s", err, c.want)
			}
		})
	}
}

// TestStateSpacesContradictions: the same in the other layout, by its keys.
func TestStateSpacesContradictions(t *testing.T) {
	const question = "; is config.json from this checkpoint?"
	for _, c := range []struct{ name, from, to, want string }{
		{"state size", `"d_state": 3`, `"d_state": 16`, "backbone.layers.0.mixer.x_proj.weight: have [11 10], want [37 10] (dt rank 5 from ssm_cfg.dt_rank, state size 16 from ssm_cfg.d_state)" + question},
		{"hidden size", `"d_model": 6`, `"d_model": 8`, "backbone.embedding.weight: have [12 6], want [12 8] (hidden size 8 from d_model)" + question},
		{"expand", `"expand": 1.7`, `"expand": 2`, "backbone.layers.0.mixer.in_proj.weight: have [20 6], want [24 6] (inner size 12 from ssm_cfg.expand and d_model)" + question},
		{"layers", `"n_layer": 2`, `"n_layer": 3`, "10 tensors are missing: backbone.layers.2.norm.weight, backbone.layers.2.mixer.in_proj.weight, backbone.layers.2.mixer.conv1d.weight, …; number of layers 3 from n_layer, but the tensors have 2" + question},
		{"padding", `"pad_vocab_size_multiple": 4`, `"pad_vocab_size_multiple": 8`, "config.json: vocab_size 10 padded to a multiple of pad_vocab_size_multiple, 8, gives 16 rows, but backbone.embedding.weight has 12" + question},
		{"no padding", `"pad_vocab_size_multiple": 4`, `"pad_vocab_size_multiple": 0`, "config.json: pad_vocab_size_multiple: have 0, want 1 to 1073741824"},
		{"options in a list", `{"d_state": 3, "d_conv": 4, "dt_rank": 5, "expand": 1.7}`, `[1]`, "config.json: ssm_cfg: have [1], want an object"},
		{"option in words", `"d_state": 3`, `"d_state": "3"`, `config.json: ssm_cfg.d_state: have "3", want a whole number`},
		{"unknown mixer", `"d_state": 3`, `"layer": "Mamba4"`, "config.json: ssm_cfg.layer: Mamba4 is not supported; known are Mamba1, Mamba2, Mamba3"},
		{"another mixer", `"d_state": 3`, `"layer": "Mamba2"`, "4 tensors are missing: backbone.layers.0.mixer.dt_bias, backbone.layers.0.mixer.norm.weight, backbone.layers.1.mixer.dt_bias, …"},
		{"LayerNorm", `{`, `{"rms_norm": false, `, "3 tensors are missing: backbone.layers.0.norm.bias, backbone.layers.1.norm.bias, backbone.norm_f.bias"},
		{"MLP", `{`, `{"d_intermediate": 64, `, "6 tensors are missing: backbone.layers.0.norm2.weight, backbone.layers.0.mlp.fc1.weight, backbone.layers.0.mlp.fc2.weight, …"},
		{"negative MLP", `{`, `{"d_intermediate": -64, `, "config.json: d_intermediate: have -64, want 0 to 1073741824"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := imported(edit(t, stateSpacesJSON, c.from, c.to), stateSpacesFake())
			if fmt.Sprint(err) != c.want {
				t.Errorf("have %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestUnknownFamily(t *testing.T) {
	known := "; known families are " + strings.Join(Names(), ", ")
	for _, c := range []struct{ config, want string }{
		{`{"model_type": "gpt2"}`, `unknown model_type "gpt2"` + known},
		{`{"model_type": 7}`, `unknown model_type 7` + known},
		{`{"model_type": "a\nb"}`, `unknown model_type "a\nb"` + known},
		{`{}`, `no model_type, and no d_model and n_layer as in the state-spaces layout` + known},
		{`{"d_model": 6}`, `no model_type, and no d_model and n_layer as in the state-spaces layout` + known},
		{`[]`, "is a JSON array, want an object"},
		{`null`, "is null, want an object"},
		{`{"a": }`, "is no JSON: invalid character '}' looking for beginning of value"},
		{``, "is no JSON: unexpected end of JSON input"},
	} {
		if _, err := imported(c.config, mambaFake()); fmt.Sprint(err) != c.want {
			t.Errorf("%s: have %v\nwant %s", c.config, err, c.want)
		}
	}
}

// TestTolerance: what a config may say, or leave out, without a change.
func TestTolerance(t *testing.T) {
	want := text.Format(must(t, mambaJSON, mambaFake()).Module)
	for _, c := range []struct{ name, from, to string }{
		{"sizes are in the shapes", mambaJSON, `{"model_type": "mamba", "hidden_size": null}`},
		{"nulls", `{`, `{"use_bias": null, "tie_word_embeddings": null, "hidden_act": null, "layer_norm_epsilon": null, "expand": null, `},
		{"intermediate_size wins over expand", `{`, `{"expand": 2, `},
		{"bare infinities", `{`, `{"time_step_limit": [0.0, Infinity], "x": -Infinity, "y": NaN, `},
		{"infinity of 5.x", `{`, `{"time_step_limit": [0.0, {"__float__": "Infinity"}], `},
		{"Infinity in a string", `{`, `{"name": "to Infinity and \"NaN\" beyond", `},
		{"swish", `{`, `{"hidden_act": "swish", `},
		{"older name of the layers", `"num_hidden_layers"`, `"n_layer"`},
		{"padded vocabulary", `"vocab_size": 11`, `"vocab_size": 9`},
		{"types of either release", `{`, `{"torch_dtype": "float16", "dtype": "bfloat16", `},
	} {
		if got := text.Format(must(t, edit(t, mambaJSON, c.from, c.to), mambaFake()).Module); got != want {
			t.Errorf("%s: the module is\n%s\nwant\n%s", c.name, got, want)
		}
	}
}

// TestHead: which matrix makes the logits (families.md §1.10).
func TestHead(t *testing.T) {
	legacy := func(f fake) {
		f.set("backbone.embedding.weight", vocab, hidden)
		delete(f, "backbone.embeddings.weight")
	}
	stored := func(f fake) { f.set("lm_head.weight", vocab, hidden) }
	for _, c := range []struct {
		name, tied string
		change     func(f fake)
		want       string
	}{
		{"tied", "true", func(fake) {}, "backbone.embeddings.weight"},
		{"tied, with a copy", "true", stored, "backbone.embeddings.weight"},
		{"tied, with a copy of odd shape", "true", func(f fake) { f.set("lm_head.weight", 1) }, "backbone.embeddings.weight"},
		{"untied", "false", stored, "lm_head.weight"},
		{"untied and absent", "false", func(fake) {}, "backbone.embeddings.weight"},
		{"older name", "true", legacy, "backbone.embedding.weight"},
	} {
		f := mambaFake()
		c.change(f)
		m := must(t, edit(t, mambaJSON, "{", `{"tie_word_embeddings": `+c.tied+", "), f).Module
		if got := m.Output.Params[0].Name; got != c.want {
			t.Errorf("%s: the head is %s, want %s", c.name, got, c.want)
		}
	}
}

func TestTokens(t *testing.T) {
	for _, c := range []struct {
		to    string
		want  []int32
		noBOS bool
	}{
		{`"eos_token_id": 2, "bos_token_id": 1`, []int32{2}, false},
		{`"eos_token_id": [2, 7], "bos_token_id": null`, []int32{2, 7}, true},
		{`"eos_token_id": null`, nil, true},
	} {
		r := must(t, edit(t, mambaJSON, `"eos_token_id": 2, "bos_token_id": 1`, c.to), mambaFake())
		if !slices.Equal(r.EOS, c.want) || (r.BOS == nil) != c.noBOS {
			t.Errorf("%s: end tokens %v, begin %v", c.to, r.EOS, r.BOS)
		}
	}
	r := must(t, stateSpacesJSON, stateSpacesFake())
	if r.VocabSize != 10 || r.Module.Output.Type.Width != 12 {
		t.Errorf("vocabulary %d in %d rows, want 10 in 12", r.VocabSize, r.Module.Output.Type.Width)
	}
}

// TestLayoutsAgree: both layouts of one model make one module, names of
// embedding and head apart.
func TestLayoutsAgree(t *testing.T) {
	a := must(t, edit(t, mambaJSON, `"vocab_size": 11, `, ""), mambaFake())
	f := stateSpacesFake()
	f.set("backbone.embedding.weight", vocab, hidden)
	b := must(t, edit(t, stateSpacesJSON, `"vocab_size": 10, `, ""), f)
	want := strings.ReplaceAll(text.Format(a.Module), "backbone.embeddings.weight", "backbone.embedding.weight")
	if got := text.Format(b.Module); got != want {
		t.Errorf("state-spaces makes\n%s\nwant\n%s", got, want)
	}
}
