package family

import (
	"fmt"
	"testing"
)

// wrongConfig is a change of a config, and what the import says to it.
type wrongConfig struct{ name, from, to, want string }

// mixed is a config of two layers and the tensors that go with it.
type mixed struct {
	config           string
	mixer, attention shapes
	attended         []int
}

func (m mixed) fake() fake {
	return (&original{attended: m.attended}).filled(m.mixer, m.attention).f
}

func mixedMamba2() mixed {
	return mixed{
		config: ssmConfig(`"ssm_cfg": {"layer": "Mamba2", "headdim": 3, "d_state": 5, "ngroups": 2, "expand": 2.2, "d_ssm": 18, "d_conv": 4}`),
		mixer:  slow2{inner: 18, groups: 2, states: 5, beside: 4, normed: true}.shapes(false),
	}
}

func mixedMamba3() mixed {
	return mixed{
		config: ssmConfig(`"ssm_cfg": {"layer": "Mamba3", "headdim": 5, "ngroups": 2, "d_state": 10, "is_mimo": true, "mimo_rank": 3}`),
		mixer:  slow3{heads: 4, dim: 5, groups: 2, states: 10, rank: 3, angles: 2, mimo: true}.shapes(),
	}
}

func mixedMHA() mixed {
	return mixed{
		config: ssmConfig(`"attn_layer_idx": [1], "attn_cfg": {"causal": true, "num_heads": 6, "num_heads_kv": 2, "head_dim": 7, "d_conv": 3, "rotary_emb_dim": 4}, ` +
			mamba1Keys),
		mixer: mamba1Shapes(), attention: slowMHA{heads: 6, kv: 2, dim: 7}.shapes(3, true), attended: []int{1},
	}
}

func refuse(t *testing.T, m mixed, list []wrongConfig) {
	t.Helper()
	must(t, m.config, m.fake()) // what is changed is good
	for _, c := range list {
		t.Run(c.name, func(t *testing.T) {
			_, err := imported(edit(t, m.config, c.from, c.to), m.fake())
			if fmt.Sprint(err) != c.want {
				t.Errorf("have %v\nwant %s", err, c.want)
			}
		})
	}
}

const question = "; is config.json from this checkpoint?"

// TestStateSpacesMamba2Contradictions: a mixer of 6 heads of 3 in 2 groups with
// 5 states, and an MLP of 4 beside it.
func TestStateSpacesMamba2Contradictions(t *testing.T) {
	refuse(t, mixedMamba2(), []wrongConfig{
		{"state size", `"d_state": 5`, `"d_state": 6`, "backbone.layers.0.mixer.in_proj.weight: have [70 10], want [74 10] " +
			"(MLP beside the scan 4 from ssm_cfg.expand and d_model and ssm_cfg.d_ssm, d_ssm 18 from ssm_cfg.d_ssm, groups 2 from ssm_cfg.ngroups, " +
			"heads of mixers 6 from backbone.layers.0.mixer.A_log, state size 6 from ssm_cfg.d_state)" + question},
		{"groups and heads", `"ngroups": 2`, `"ngroups": 4`, "config.json: groups 4 from ssm_cfg.ngroups do not divide heads of mixers 6 from backbone.layers.0.mixer.A_log"},
		{"head dim", `"headdim": 3`, `"headdim": 4`, "config.json: heads of mixers 6 from backbone.layers.0.mixer.A_log times head dim of mixers 4 from ssm_cfg.headdim is 24, but d_ssm 18 from ssm_cfg.d_ssm"},
		{"d_ssm beyond the inner size", `"d_ssm": 18`, `"d_ssm": 24`, "config.json: d_ssm 24 from ssm_cfg.d_ssm is more than inner size 22 from ssm_cfg.expand and d_model"},
		{"conv kernel", `"d_conv": 4`, `"d_conv": 3`, "backbone.layers.0.mixer.conv1d.weight: have [38 1 4], want [38 1 3] (conv kernel 3 from ssm_cfg.d_conv)" + question},
		{"no norm", `"d_conv": 4`, `"rmsnorm": false`, "2 tensors are not used by this family: backbone.layers.0.mixer.norm.weight, backbone.layers.1.mixer.norm.weight"},
		{"bias", `"d_conv": 4`, `"bias": true`, "4 tensors are missing: backbone.layers.0.mixer.in_proj.bias, backbone.layers.0.mixer.out_proj.bias, backbone.layers.1.mixer.in_proj.bias, …"},
		{"D of elements", `"d_conv": 4`, `"D_has_hdim": true`, "backbone.layers.0.mixer.D: have [6], want [18] (d_ssm 18 from ssm_cfg.d_ssm)" + question},
		{"limits in disorder", `"d_conv": 4`, `"dt_limit": [2, 1]`, "config.json: ssm_cfg.dt_limit: have [2,1], want two numbers, the second positive and not below the first"},
		{"activation", `"d_conv": 4`, `"activation": "gelu"`, "config.json: ssm_cfg.activation: gelu is not supported; known are silu, swish"},
		{"attention in a mixer's place", `"ssm_cfg"`, `"attn_layer_idx": [1], "attn_cfg": {"num_heads": 2, "causal": true}, "ssm_cfg"`,
			"config.json: attn_layer_idx says that layer 1 is attention, but there is backbone.layers.1.mixer.D" + question},
	})
}

// TestMamba3Contradictions: a mixer of 4 heads of 5 in 2 groups with 10
// states and 3 ranks.
func TestMamba3Contradictions(t *testing.T) {
	refuse(t, mixedMamba3(), []wrongConfig{
		{"state size", `"d_state": 10`, `"d_state": 12`, "backbone.layers.0.mixer.in_proj.weight: have [174 10], want [199 10] (groups 2 from ssm_cfg.ngroups, " +
			"heads of mixers 4 from backbone.layers.0.mixer.dt_bias, inner size 20 from backbone.layers.0.mixer.out_proj.weight, rank 3 from ssm_cfg.mimo_rank, state size 12 from ssm_cfg.d_state)" + question},
		{"groups", `"ngroups": 2`, `"ngroups": 3`, "config.json: groups 3 from ssm_cfg.ngroups do not divide heads of mixers 4 from backbone.layers.0.mixer.dt_bias"},
		{"head dim", `"headdim": 5`, `"headdim": 4`, "config.json: heads of mixers 4 from backbone.layers.0.mixer.dt_bias times head dim of mixers 4 from ssm_cfg.headdim is 16, but inner size 20 from backbone.layers.0.mixer.out_proj.weight"},
		{"rank", `"mimo_rank": 3`, `"mimo_rank": 4`, "backbone.layers.0.mixer.in_proj.weight: have [174 10], want [214 10] (groups 2 from ssm_cfg.ngroups, " +
			"heads of mixers 4 from backbone.layers.0.mixer.dt_bias, inner size 20 from backbone.layers.0.mixer.out_proj.weight, rank 4 from ssm_cfg.mimo_rank, state size 10 from ssm_cfg.d_state)" + question},
		{"one rank", `"is_mimo": true`, `"is_mimo": false`, "backbone.layers.0.mixer.in_proj.weight: have [174 10], want [94 10] (groups 2 from ssm_cfg.ngroups, " +
			"heads of mixers 4 from backbone.layers.0.mixer.dt_bias, inner size 20 from backbone.layers.0.mixer.out_proj.weight, rank 1 from ssm_cfg.is_mimo, state size 10 from ssm_cfg.d_state)" + question},
		{"angles", `"d_state": 10`, `"rope_fraction": 1.0`, "backbone.layers.0.mixer.in_proj.weight: have [174 10], want [177 10] (groups 2 from ssm_cfg.ngroups, " +
			"heads of mixers 4 from backbone.layers.0.mixer.dt_bias, inner size 20 from backbone.layers.0.mixer.out_proj.weight, rank 3 from ssm_cfg.mimo_rank, state size 10 from backbone.layers.0.mixer.B_bias)" + question},
		{"fraction", `"d_state": 10`, `"rope_fraction": 0.75`, "config.json: ssm_cfg.rope_fraction: have 0.75, want 0.5 or 1"},
		{"no angles", `"d_state": 10`, `"d_state": 3`, "config.json: of state size 3 from ssm_cfg.d_state, rope_fraction 0.5 turns nothing"},
		{"odd states", `"d_state": 10`, `"d_state": 11`, "config.json: state size 11 from ssm_cfg.d_state is odd and cannot be halved; --mimo-rotary interleaved can turn it"},
		{"floor", `"d_state": 10`, `"A_floor": -0.1`, "config.json: ssm_cfg.A_floor: have -0.1, want 0 or more"},
		{"norm", `"d_state": 10`, `"is_outproj_norm": true`, "2 tensors are missing: backbone.layers.0.mixer.norm.weight, backbone.layers.1.mixer.norm.weight"},
	})
}

// TestMHAContradictions: 6 heads of queries, 2 of keys, conv and rotation.
func TestMHAContradictions(t *testing.T) {
	const causal = "config.json: attn_cfg.causal: is false or absent, by which tokens would see those after them, and a decoder has none yet; set it to true if the model was trained so"
	refuse(t, mixedMHA(), []wrongConfig{
		{"not causal", `"causal": true`, `"causal": false`, causal},
		{"not said to be causal", `"causal": true, `, ``, causal},
		{"no heads", `"num_heads": 6, `, ``, "config.json: attn_cfg.num_heads: is missing"},
		{"heads and keys", `"num_heads_kv": 2`, `"num_heads_kv": 4`, "config.json: heads of keys and values 4 from attn_cfg.num_heads_kv do not divide heads of attention 6 from attn_cfg.num_heads"},
		{"no head dim", `"head_dim": 7, `, ``, "config.json: heads of attention 6 from attn_cfg.num_heads do not divide hidden size 10 from d_model, and there is no head_dim"},
		{"head dim", `"head_dim": 7`, `"head_dim": 8`, "backbone.layers.1.mixer.in_proj.weight: have [70 10], want [80 10] (MLP beside attention 0 from the default of attn_cfg.mlp_dim, " +
			"head dim 8 from attn_cfg.head_dim, heads of attention 6 from attn_cfg.num_heads, heads of keys and values 2 from attn_cfg.num_heads_kv)" + question},
		{"too much rotation", `"rotary_emb_dim": 4`, `"rotary_emb_dim": 8`, "config.json: attn_cfg.rotary_emb_dim: have 8 with base 10000, want an even number up to head dim 7 from attn_cfg.head_dim, and a base above 0"},
		{"odd rotation", `"rotary_emb_dim": 4`, `"rotary_emb_dim": 3`, "config.json: attn_cfg.rotary_emb_dim: have 3 with base 10000, want an even number up to head dim 7 from attn_cfg.head_dim, and a base above 0"},
		{"base", `"rotary_emb_dim": 4`, `"rotary_emb_dim": 4, "rotary_emb_base": 0`, "config.json: attn_cfg.rotary_emb_dim: have 4 with base 0, want an even number up to head dim 7 from attn_cfg.head_dim, and a base above 0"},
		{"unknown option", `"d_conv": 3`, `"window_size": [4, 0]`, "config.json: attn_cfg.window_size: have [4,0], which is not supported; known are num_heads, num_heads_kv, head_dim, mlp_dim, " +
			"qkv_proj_bias, out_proj_bias, softmax_scale, causal, d_conv, rotary_emb_dim, rotary_emb_base, rotary_emb_interleaved"},
		{"layer that is none", `"attn_layer_idx": [1]`, `"attn_layer_idx": [1, 2]`, "config.json: attn_layer_idx: have layer 2, want 0 to 1"},
		{"layers in words", `"attn_layer_idx": [1]`, `"attn_layer_idx": "all"`, `config.json: attn_layer_idx: have "all", want a list of whole numbers`},
		{"list too short", `"attn_layer_idx": [1]`, `"attn_layer_idx": []`, "config.json: attn_layer_idx does not list layer 1, but there is no backbone.layers.1.mixer.D" + question},
		{"another layer", `"attn_layer_idx": [1]`, `"attn_layer_idx": [0]`, "config.json: attn_layer_idx says that layer 0 is attention, but there is backbone.layers.0.mixer.D" + question},
		{"no conv", `"d_conv": 3`, `"d_conv": 0`, "2 tensors are not used by this family: backbone.layers.1.mixer.conv1d.bias, backbone.layers.1.mixer.conv1d.weight"},
	})
}

// TestChoices: what nobody knows, what is wrong, and what does not concern the
// model.
func TestChoices(t *testing.T) {
	for _, c := range []struct {
		asked map[string]string
		want  string
	}{
		{map[string]string{"mamba4-b": "x"}, "--mamba4-b: there is no such option"},
		{map[string]string{"mamba3-a": "x\n"}, `--mamba3-a "x\n": want heavy-tail or softplus`},
	} {
		if _, err := NewChoices(c.asked); fmt.Sprint(err) != c.want {
			t.Errorf("have %v\nwant %s", err, c.want)
		}
	}
	slow := slow3{heads: 4, dim: 5, groups: 1, states: 4, rank: 1, angles: 1}
	keys, err := ParseKeys([]byte(ssmConfig(`"ssm_cfg": {"layer": "Mamba3"}`)))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		asked map[string]string
		want  string
	}{
		{nil, "[{mamba3-a heavy-tail}] <nil>"},
		{map[string]string{"mamba3-a": "softplus"}, "[{mamba3-a softplus}] <nil>"},
		{map[string]string{"mimo-rotary": "halved"}, "[{mamba3-a heavy-tail}] --mimo-rotary halved does not concern this model; leave it out"},
	} {
		choices, err := NewChoices(c.asked)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := importStateSpaces(keys, NewSet((&original{}).filled(slow.shapes(), nil).f), choices); err != nil {
			t.Fatal(err)
		}
		if have := fmt.Sprint(choices.Taken(), choices.Unused()); have != c.want {
			t.Errorf("have %s\nwant %s", have, c.want)
		}
	}
}
