package family

import (
	"strings"
	"testing"
	"unicode"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/tensor"
)

// FuzzConfig: whatever a config.json says, and whatever else is stored, the
// import ends soon with a module that verifies or with one printable line.
func FuzzConfig(f *testing.F) {
	f.Add(mambaJSON, "lm_head.weight", 11, 6)
	f.Add(stateSpacesJSON, "backbone.layers.7.norm.weight", 6, 0)
	f.Add(`{"model_type": "mamba"}`, "backbone.layers.0.mixer.A_log", 10, -3)
	f.Add(`{"d_model": 6, "n_layer": 1073741824, "ssm_cfg": {"expand": Infinity}}`, "backbone.layers.1073741823.x\x1b", 1, 1)
	f.Add(`{"model_type": "mamba", "hidden_size": 6, "use_bias": true, "time_step_rank": "auto", "tie_word_embeddings": false}`, "", 1<<40, 1<<40)
	f.Add(llamaJSON, "model.layers.0.self_attn.rotary_emb.inv_freq", 2, 1)
	f.Add(`{"model_type": "mistral", "head_dim": 1073741824, "num_attention_heads": 1073741824, "rope_scaling": {"type": "yarn", "factor": 1e300}}`, "", 1, 1)
	f.Add(mixtralJSON, "model.layers.0.block_sparse_moe.gate.weight", 1<<30, stream)
	f.Add(jambaJSON, "model.layers.4.feed_forward.router.weight", 5, -1)
	f.Add(mamba2JSON, "backbone.layers.0.mixer.conv1d.weight", 47, 3)
	f.Add(bambaJSON, "model.layers.1.mamba.in_proj.weight", 1, 1)
	f.Add(`{"model_type": "bamba", "attn_layer_indices": [1073741824, 1], "mamba_n_groups": 1073741824, "mamba_n_heads": 1073741824}`, "", 1, 1)
	f.Add(graniteJSON, "model.layers.0.block_sparse_moe.router.layer.weight", 1<<30, 12)
	f.Add(falconH1JSON, "model.layers.0.mamba.out_proj.weight", 12, 1<<40)
	f.Add(nemotronHJSON, "mtp.x", 1, 1)
	f.Add(`{"model_type": "nemotron_h", "n_routed_experts": 1073741824, "mamba_num_heads": 1073741824, "mamba_head_dim": 1073741824}`, "", 1, 1)
	f.Add(zamba2JSON, "model.layers.4.shared_transformer.input_layernorm.weight", 24, 1)
	f.Add(`{"model_type": "zamba2", "num_mem_blocks": 1073741824, "layers_block_type": ["hybrid"]}`, "", 0, 0)
	f.Fuzz(func(t *testing.T, config, name string, rows, columns int) {
		fakes := mambaFake()
		for word, other := range map[string]func() fake{"d_model": stateSpacesFake, "llama": llamaFake, "mistral": llamaFake, "mixtral": mixtralFake, "jamba": jambaFake} {
			if strings.Contains(config, word) {
				fakes = other()
			}
		}
		for _, good := range []string{mamba2JSON, bambaJSON, graniteJSON, falconH1JSON, nemotronHJSON, zamba2JSON} {
			if strings.Contains(config, parseSettings(t, good).text("model_type", "")) {
				fakes = hybridFake(t, good)
			}
		}
		fakes[name] = Tensor{Name: name, DType: tensor.F32, Shape: []int{rows, columns}}
		survives(t, config, fakes)
	})
}

// FuzzStateSpaces: the same with every kind of layer of that layout.
func FuzzStateSpaces(f *testing.F) {
	slow2, slow3, mha := mixedMamba2(), mixedMamba3(), mixedMHA()
	for _, o := range []mixed{slow2, slow3, mha} {
		f.Add(o.config, "backbone.layers.0.mixer.D", 6, 1)
		f.Add(strings.ReplaceAll(o.config, "2", "1073741824"), "", 1, 1)
		f.Add(strings.ReplaceAll(o.config, "3", "0"), "backbone.layers.1.mixer.in_proj.weight", 1<<40, -1)
		f.Add(strings.ReplaceAll(o.config, `"ssm_cfg"`, `"d_intermediate": 1073741824, "rms_norm": false, "ssm_cfg"`), "backbone.layers.0.mlp.fc1.weight", 256, 10)
	}
	f.Fuzz(func(t *testing.T, config, name string, rows, columns int) {
		fakes := mha.fake()
		if strings.Contains(config, "Mamba2") {
			fakes = slow2.fake()
		}
		if strings.Contains(config, "Mamba3") {
			fakes = slow3.fake()
		}
		fakes[name] = Tensor{Name: name, DType: tensor.F32, Shape: []int{rows, columns}}
		survives(t, config, fakes)
	})
}

func survives(t *testing.T, config string, fakes fake) {
	t.Helper()
	r, err := imported(config, fakes)
	if err == nil {
		if err := ir.Verify(r.Module); err != nil {
			t.Fatal(err)
		}
		return
	}
	if s := err.Error(); len(s) > 1000 || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Fatalf("error is no short printable line: %q", s)
	}
}
