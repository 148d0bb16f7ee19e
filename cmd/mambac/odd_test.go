package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	rungs "github.com/mambac/mambac/codegen/ladder"
	"github.com/mambac/mambac/importer"
	"github.com/mambac/mambac/importer/synth"
	"github.com/mambac/mambac/ir/pass"
	"github.com/mambac/mambac/ir/storage"
	"github.com/mambac/mambac/ir/tensor"
)

var oddPerFamily = flag.Int("odd", 1, "how many random shapes of every family to compile")

// oddChunk is short, so that texts have several chunks.
const oddChunk = 16

// TestOddShapes takes models of random shapes of every family up the ladder. The
// text is 3 chunks and 5 tokens; one of the ways to feed it prefills each of its
// beginnings, so that prompts end on, before and behind every border.
func TestOddShapes(t *testing.T) {
	var cases []rungs.Case
	for i, family := range importer.Families() {
		for n := range *oddPerFamily {
			cases = append(cases, oddCase(t, family, uint64(n*len(oddKeys)+i)))
		}
	}
	rungs.RequireSame(t, cases...)
}

// oddCase is a model of a family whose shape a seed gives.
func oddCase(t *testing.T, family string, seed uint64) rungs.Case {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 8))
	config, settings := oddConfig(t, family, r)
	folder := filepath.Join(t.TempDir(), "checkpoint")
	dtype := []tensor.DType{tensor.F32, tensor.BF16, tensor.F16}[r.IntN(3)]
	ck, err := synth.New(synth.Options{Config: config, DType: dtype, Seed: seed})
	if err == nil {
		err = writeSynth(context.Background(), ck, folder, func(int64) {})
	}
	if err != nil {
		t.Fatalf("%s: %v", settings, err)
	}
	m, err := openModel(folder, nil)
	if err != nil {
		t.Fatalf("%s: %v", settings, err)
	}
	t.Cleanup(m.close)
	ids := make([]int, 3*oddChunk+5)
	for i := range ids {
		ids[i] = r.IntN(m.Module.Output.Type.Width)
	}
	return rungs.Case{Name: fmt.Sprintf("%s/%d/%s", family, seed, settings), Module: m.Module, IDs: ids, Chunk: oddChunk,
		Passes: pass.Options{Storage: "auto", Cache: storage.Caches[r.IntN(len(storage.Caches))]}}
}

// oddConfig draws keys and values until the sizes go together.
func oddConfig(t *testing.T, family string, r *rand.Rand) (config []byte, settings string) {
	t.Helper()
	if oddKeys[family] == nil {
		t.Fatalf("no keys of family %s whose values could be drawn", family)
	}
	var err error
	for range 1000 {
		var list []string
		for _, keys := range []map[string][]string{oddKeys[family], oddAnywhere} {
			for _, key := range slices.Sorted(maps.Keys(keys)) {
				if r.IntN(3) > 0 {
					list = append(list, key+"="+keys[key][r.IntN(len(keys[key]))])
				}
			}
		}
		if config, err = synth.Small(family, list...); err == nil {
			return config, strings.Join(list, ",")
		}
	}
	t.Fatalf("%s: no values go together: %v", family, err)
	return nil, ""
}

// oddAnywhere is keys of every family but those of the state-spaces layout.
var oddAnywhere = map[string][]string{"vocab_size": {"97", "101", "259"}}

var (
	oddFlags  = []string{"true", "false"}
	oddHidden = []string{"24", "33", "40", "44", "50"}
	oddInner  = []string{"17", "50", "97"}
	oddStates = []string{"5", "7", "16", "24"}
	oddTaps   = []string{"2", "3", "4", "5"}
	oddGroups = []string{"1", "2", "4"}
	oddHeads  = []string{"1", "2", "3", "4", "6"}
	oddRopes  = []string{"null", `{"type": "linear", "factor": 2.5}`, `{"rope_type": "yarn", "factor": 4, "original_max_position_embeddings": 32}`,
		`{"rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4, "original_max_position_embeddings": 64}`}
)

// oddKeys are keys of each family's config and values that make an odd shape.
// Sizes that follow from others are left out.
var oddKeys = map[string]map[string][]string{
	"bamba": {"hidden_size": oddHidden, "intermediate_size": oddInner, "mamba_n_groups": oddGroups, "mamba_d_state": oddStates, "mamba_d_conv": oddTaps,
		"mamba_n_heads": {"4", "8", "12"}, "mamba_conv_bias": oddFlags, "mamba_proj_bias": oddFlags, "attention_bias": oddFlags, "mlp_bias": oddFlags,
		"num_attention_heads": oddHeads, "head_dim": {"4", "8", "12", "20", "36"}, "attn_layer_indices": {"[0]", "[1, 2]", "[]", "[0, 1, 2]"},
		"tie_word_embeddings": oddFlags, "rope_scaling": oddRopes},
	"falcon_h1": {"hidden_size": oddHidden, "intermediate_size": oddInner, "mamba_n_groups": oddGroups, "mamba_d_state": oddStates, "mamba_d_conv": oddTaps,
		"mamba_n_heads": {"4", "8", "12"}, "mamba_d_ssm": {"24", "48", "120"}, "mamba_conv_bias": oddFlags, "mamba_proj_bias": oddFlags,
		"projectors_bias": oddFlags, "attention_bias": oddFlags, "mlp_bias": oddFlags, "mamba_rms_norm": oddFlags, "mamba_norm_before_gate": oddFlags,
		"num_attention_heads": oddHeads, "head_dim": {"2", "6", "10", "34"}, "tie_word_embeddings": oddFlags},
	"falcon_mamba": {"hidden_size": oddHidden, "state_size": oddStates, "conv_kernel": oddTaps, "intermediate_size": oddInner, "time_step_rank": {"1", "3", "17"},
		"use_bias": oddFlags, "use_conv_bias": oddFlags, "tie_word_embeddings": oddFlags},
	"granitemoehybrid": {"hidden_size": {"24", "40", "48"}, "intermediate_size": oddInner, "shared_intermediate_size": oddInner, "mamba_n_groups": oddGroups,
		"mamba_d_state": oddStates, "mamba_d_conv": oddTaps, "mamba_n_heads": {"4", "8", "12"}, "num_local_experts": {"3", "5", "7"},
		"num_experts_per_tok": {"1", "2", "3"}, "num_attention_heads": oddHeads, "attention_bias": oddFlags, "mamba_conv_bias": oddFlags,
		"mamba_proj_bias": oddFlags, "position_embedding_type": {"rope", "nope"}, "tie_word_embeddings": oddFlags,
		"layer_types": {`["attention", "mamba", "attention"]`, `["mamba", "mamba", "mamba"]`, `["attention", "attention", "attention"]`}},
	"jamba": {"hidden_size": oddHidden, "intermediate_size": oddInner, "mamba_d_state": oddStates, "mamba_d_conv": oddTaps, "mamba_expand": {"1.5", "2", "3"},
		"mamba_dt_rank": {"1", "3", "17"}, "num_experts": {"1", "3", "5"}, "num_experts_per_tok": {"1", "2", "3"}, "num_attention_heads": oddHeads,
		"head_dim": {"3", "5", "16", "33"}, "mamba_conv_bias": oddFlags, "mamba_proj_bias": oddFlags, "tie_word_embeddings": oddFlags,
		"attn_layer_period": {"1", "2", "3"}, "attn_layer_offset": {"0", "1"}, "expert_layer_period": {"1", "2"}, "expert_layer_offset": {"0", "1"}},
	"llama": {"hidden_size": oddHidden, "intermediate_size": oddInner, "num_attention_heads": oddHeads, "head_dim": {"2", "6", "10", "34", "130"},
		"attention_bias": oddFlags, "mlp_bias": oddFlags, "tie_word_embeddings": oddFlags, "rope_scaling": oddRopes},
	"mamba": {"hidden_size": oddHidden, "state_size": oddStates, "conv_kernel": {"1", "2", "3", "4", "5"}, "intermediate_size": oddInner,
		"time_step_rank": {"1", "3", "17"}, "use_bias": oddFlags, "use_conv_bias": oddFlags, "tie_word_embeddings": oddFlags},
	"mamba2": {"hidden_size": oddHidden, "num_heads": {"4", "8", "12"}, "n_groups": oddGroups, "state_size": oddStates, "conv_kernel": {"1", "2", "3", "4", "5"},
		"use_bias": oddFlags, "use_conv_bias": oddFlags, "tie_word_embeddings": oddFlags, "time_step_limit": {"[0.02, 0.05]", "[0.01, 100]"}},
	"mistral": {"hidden_size": oddHidden, "intermediate_size": oddInner, "num_attention_heads": oddHeads, "head_dim": {"2", "6", "10", "34"},
		"sliding_window": {"1", "5", "15", "16", "17", "100"}, "tie_word_embeddings": oddFlags},
	"mixtral": {"hidden_size": oddHidden, "intermediate_size": oddInner, "num_attention_heads": oddHeads, "head_dim": {"2", "6", "10", "34"},
		"sliding_window": {"1", "5", "20"}, "num_local_experts": {"1", "3", "5"}, "num_experts_per_tok": {"1", "2", "3"}, "tie_word_embeddings": oddFlags},
	"nemotron_h": {"hidden_size": oddHidden, "intermediate_size": oddInner, "mamba_num_heads": {"4", "8", "12"}, "mamba_head_dim": {"3", "12", "20"},
		"n_groups": oddGroups, "ssm_state_size": oddStates, "conv_kernel": oddTaps, "head_dim": {"3", "5", "16", "33"}, "num_attention_heads": oddHeads,
		"n_routed_experts": {"2", "4", "6"}, "n_group": {"1", "2"}, "topk_group": {"1", "2"}, "num_experts_per_tok": {"1", "2"},
		"moe_latent_size": {"5", "19"}, "moe_intermediate_size": oddInner, "moe_shared_expert_intermediate_size": oddInner, "mlp_bias": oddFlags,
		"use_bias": oddFlags, "use_conv_bias": oddFlags, "norm_topk_prob": oddFlags, "routed_scaling_factor": {"1.0", "2.5"},
		"hybrid_override_pattern": {"E*-M", "MME", "***", "EE"}, "mlp_hidden_act": {"relu2", "silu", "gelu"}},
	"state-spaces": {"d_model": {"24", "33", "40"}, "n_layer": {"1", "2", "3"}, "d_intermediate": {"0", "100", "130"}, "rms_norm": oddFlags,
		"pad_vocab_size_multiple": {"1", "8", "16"}, "tie_embeddings": oddFlags, "vocab_size": {"97", "101", "250"},
		"ssm_cfg": {
			`{"d_state": 7, "d_conv": 3, "expand": 1.5, "dt_rank": 5}`, `{"d_state": 24, "d_conv": 2, "bias": true, "conv_bias": false}`,
			`{"layer": "Mamba2", "d_state": 24, "d_conv": 2, "ngroups": 2}`, `{"layer": "Mamba2", "d_state": 5, "headdim": 6, "rmsnorm": false, "bias": true}`,
			`{"layer": "Mamba2", "d_state": 16, "headdim": 3, "d_ssm": 24, "ngroups": 4, "D_has_hdim": true, "norm_before_gate": true}`,
			`{"layer": "Mamba3", "d_state": 24, "headdim": 6}`, `{"layer": "Mamba3", "d_state": 7, "ngroups": 2, "rope_fraction": 1.0, "is_outproj_norm": true}`,
			`{"layer": "Mamba3", "d_state": 16, "headdim": 3, "is_mimo": true, "mimo_rank": 3, "ngroups": 2}`,
			`{"layer": "Mamba3", "d_state": 18, "headdim": 20, "expand": 2.5, "is_mimo": true, "mimo_rank": 2, "is_outproj_norm": true, "rope_fraction": 1.0}`},
		"attn_layer_idx": {"[0]", "[]"}, "attn_cfg": {`{"num_heads": 3, "causal": true, "head_dim": 10, "rotary_emb_dim": 6, "d_conv": 3}`,
			`{"num_heads": 4, "num_heads_kv": 2, "causal": true, "head_dim": 5, "mlp_dim": 30, "qkv_proj_bias": false}`,
			`{"num_heads": 2, "causal": true, "head_dim": 18, "rotary_emb_dim": 18, "rotary_emb_interleaved": true, "out_proj_bias": false}`}},
	"zamba2": {"hidden_size": {"24", "40", "44"}, "intermediate_size": oddInner, "mamba_ngroups": oddGroups, "mamba_d_state": oddStates, "mamba_d_conv": oddTaps,
		"n_mamba_heads": {"4", "8", "12"}, "num_attention_heads": {"1", "2", "4"}, "num_mem_blocks": {"1", "2", "3"}, "num_hidden_layers": {"4", "5", "7"},
		"adapter_rank": {"1", "3", "8"}, "use_shared_attention_adapter": oddFlags, "use_mem_rope": oddFlags, "add_bias_linear": oddFlags,
		"tie_word_embeddings": oddFlags, "hidden_act": {"gelu", "silu", "gelu_pytorch_tanh"}},
}
