package convert_test

import (
	"fmt"
	"testing"

	"github.com/mambac/mambac/importer/convert"
	"github.com/mambac/mambac/importer/family"
	"github.com/mambac/mambac/ir/tensor"
)

const (
	ggufMamba2HF = `{"model_type": "mamba2", "hidden_size": 32, "num_hidden_layers": 2, "vocab_size": 300, "expand": 3, "num_heads": 6, "head_dim": 16,
		"n_groups": 1, "state_size": 7, "conv_kernel": 3, "use_conv_bias": false, "tie_word_embeddings": false, "layer_norm_epsilon": 1e-6}`
	ggufMamba2SSM = `{"d_model": 32, "n_layer": 2, "vocab_size": 289, "pad_vocab_size_multiple": 7,
		"ssm_cfg": {"layer": "Mamba2", "d_state": 5, "headdim": 16, "expand": 2, "ngroups": 2}}`
)

func modelOf(t *testing.T, config string) *convert.Source {
	t.Helper()
	return made(t, config, tensor.F32, map[string]string{"tokenizer.json": letters(t, "")})
}

func TestGGUFMamba2Keys(t *testing.T) {
	holdKeys(t, readGGUF(t, modelOf(t, ggufMamba2HF), "f16"), map[string]any{
		"general.architecture": "mamba2", "general.file_type": uint32(1), "mamba2.context_length": uint32(1 << 20),
		"mamba2.embedding_length": uint32(32), "mamba2.block_count": uint32(2), "mamba2.ssm.conv_kernel": uint32(3),
		"mamba2.ssm.inner_size": uint32(96), "mamba2.ssm.state_size": uint32(7), "mamba2.ssm.time_step_rank": uint32(6),
		"mamba2.ssm.group_count": uint32(1), "mamba2.attention.layer_norm_rms_epsilon": float32(1e-6),
		"mamba2.feed_forward_length": uint32(0), "mamba2.attention.head_count": uint32(0), "tokenizer.ggml.model": "gpt2",
	})
	holdKeys(t, readGGUF(t, modelOf(t, ggufMamba2SSM), ""), map[string]any{
		"mamba2.ssm.group_count": uint32(2), "mamba2.ssm.time_step_rank": uint32(4), "mamba2.ssm.state_size": uint32(5),
		"mamba2.attention.layer_norm_rms_epsilon": float32(1e-5),
	})
}

// TestGGUFMamba2Tensors: one group without the bias of the convolution and with
// a head of its own, and two groups, tied.
func TestGGUFMamba2Tensors(t *testing.T) {
	for _, config := range []string{ggufMamba2HF, ggufMamba2SSM} {
		s := modelOf(t, config)
		a := s.Model.Architecture.(*family.Mamba2)
		want := map[string]expected{"token_embd.weight": large(t, a.Embedding), "output_norm.weight": small(t, a.Norm)}
		if !a.Tied() {
			want["output.weight"] = large(t, a.Head)
		}
		for i, l := range a.Layers {
			x := l.Mixer
			channels, inner, heads := x.Conv.Shape[0], x.OutProj.Shape[1], x.A.Shape[0]
			bias := expected{shape: []int{channels}, values: make([]float32, channels)}
			if x.ConvBias != nil {
				bias = small(t, x.ConvBias)
			}
			for name, e := range map[string]expected{
				"attn_norm.weight": small(t, l.Norm), "ssm_in.weight": large(t, x.InProj), "ssm_out.weight": large(t, x.OutProj),
				"ssm_conv1d.weight": small(t, x.Conv, channels, x.Conv.Shape[2]), "ssm_conv1d.bias": bias, "ssm_dt.bias": small(t, x.DtBias),
				"ssm_a": {[]int{heads, 1}, negExp(values(t, x.A)), false, 0}, "ssm_d": small(t, x.D, heads, 1),
				"ssm_norm.weight": small(t, x.Norm, x.Groups, inner/x.Groups),
			} {
				want[fmt.Sprintf("blk.%d.%s", i, name)] = e
			}
		}
		holdTensors(t, s, want)
	}
}
