package convert_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/mambac/mambac/importer/family"
	"github.com/mambac/mambac/ir"
)

const (
	ggufLlama = `{"model_type": "llama", "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "vocab_size": 300, "num_attention_heads": 4,
		"num_key_value_heads": 2, "head_dim": 16, "rms_norm_eps": 1e-6, "max_position_embeddings": 512, "rope_theta": 500.0,
		"attention_bias": true, "mlp_bias": true, "tie_word_embeddings": false}`
	ggufMixtral = `{"model_type": "mixtral", "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "vocab_size": 300, "num_attention_heads": 4,
		"num_key_value_heads": 2, "head_dim": 16, "num_local_experts": 3, "num_experts_per_tok": 2, "tie_word_embeddings": true,
		"rope_scaling": {"rope_type": "yarn", "factor": 2.0, "original_max_position_embeddings": 64, "attention_factor": 1.25}}`
)

func TestGGUFLlamaKeys(t *testing.T) {
	holdKeys(t, readGGUF(t, modelOf(t, ggufLlama), "q8_0"), map[string]any{
		"general.architecture": "llama", "general.file_type": uint32(7), "llama.context_length": uint32(512), "llama.vocab_size": uint32(300),
		"llama.embedding_length": uint32(32), "llama.block_count": uint32(2), "llama.feed_forward_length": uint32(64),
		"llama.attention.head_count": uint32(4), "llama.attention.head_count_kv": uint32(2), "llama.attention.key_length": uint32(16),
		"llama.attention.value_length": uint32(16), "llama.attention.layer_norm_rms_epsilon": float32(1e-6),
		"llama.rope.dimension_count": uint32(16), "llama.rope.freq_base": float32(500), "llama.rope.scaling.attn_factor": nil,
		"llama.expert_count": nil,
	})
	holdKeys(t, readGGUF(t, modelOf(t, ggufMixtral), ""), map[string]any{
		"general.architecture": "llama", "llama.context_length": uint32(2048), "llama.feed_forward_length": uint32(64),
		"llama.rope.freq_base": float32(1e6), "llama.rope.scaling.attn_factor": float32(1.25),
		"llama.expert_count": uint32(3), "llama.expert_used_count": uint32(2),
	})
}

// interleaved puts elements of heads that checkpoints have half a head apart
// beside each other.
func interleaved(t *testing.T, p *ir.Param, dim int) []float32 {
	t.Helper()
	from, row := values(t, p), p.Shape.Row()
	var list []float32
	for head := 0; head < p.Shape[0]; head += dim {
		for i := head; i < head+dim/2; i++ {
			list = append(list, from[i*row:(i+1)*row]...)
			list = append(list, from[(i+dim/2)*row:(i+dim/2+1)*row]...)
		}
	}
	return list
}

func TestGGUFLlamaTensors(t *testing.T) {
	for _, config := range []string{ggufLlama, ggufMixtral} {
		s := modelOf(t, config)
		a := s.Model.Architecture.(*family.Llama)
		want := map[string]expected{"token_embd.weight": large(t, a.Embedding), "output_norm.weight": small(t, a.Norm)}
		if !a.Tied() {
			want["output.weight"] = large(t, a.Head)
		}
		if a.Rotary.Stretch != nil {
			want["rope_freqs.weight"] = expected{shape: []int{8}, values: stretched(t, a.Rotary.Frequencies), share: 1e-6}
		}
		for i, l := range a.Layers {
			for name, e := range llamaLayer(t, &l) {
				want[fmt.Sprintf("blk.%d.%s", i, name)] = e
			}
		}
		holdTensors(t, s, want)
	}
}

// stretched is what plain frequencies of θ = 10⁶ are divided by.
func stretched(t *testing.T, frequencies *ir.Param) []float32 {
	t.Helper()
	list := values(t, frequencies)
	for i, v := range list {
		list[i] = float32(math.Pow(1e6, -float64(i)/float64(len(list))) / float64(v))
	}
	return list
}

func llamaLayer(t *testing.T, l *family.LlamaLayer) map[string]expected {
	x := l.Attention
	list := map[string]expected{
		"attn_norm.weight": small(t, l.Norm), "ffn_norm.weight": small(t, l.ForwardNorm),
		"attn_q.weight": {x.Q.Shape, interleaved(t, x.Q, 16), true, 0}, "attn_k.weight": {x.K.Shape, interleaved(t, x.K, 16), true, 0},
		"attn_v.weight": large(t, x.V), "attn_output.weight": large(t, x.O),
	}
	if m := l.MLP; m != nil {
		for name, p := range map[string]*ir.Param{"attn_v.bias": x.VBias, "attn_output.bias": x.OBias,
			"ffn_gate.bias": m.GateBias, "ffn_up.bias": m.UpBias, "ffn_down.bias": m.DownBias} {
			list[name] = small(t, p)
		}
		for name, p := range map[string]*ir.Param{"ffn_gate.weight": m.Gate, "ffn_up.weight": m.Up, "ffn_down.weight": m.Down} {
			list[name] = large(t, p)
		}
		list["attn_q.bias"] = expected{x.QBias.Shape, interleaved(t, x.QBias, 16), false, 0}
		list["attn_k.bias"] = expected{x.KBias.Shape, interleaved(t, x.KBias, 16), false, 0}
		return list
	}
	var gate, up []float32 // 3 experts of 64 rows of 32, gates above
	for in := values(t, l.Experts.In); len(in) > 0; in = in[2*64*32:] {
		gate, up = append(gate, in[:64*32]...), append(up, in[64*32:2*64*32]...)
	}
	list["ffn_gate_inp.weight"] = small(t, l.Experts.Router)
	list["ffn_gate_exps.weight"] = expected{[]int{3, 64, 32}, gate, true, 0}
	list["ffn_up_exps.weight"] = expected{[]int{3, 64, 32}, up, true, 0}
	list["ffn_down_exps.weight"] = expected{[]int{3, 32, 64}, values(t, l.Experts.Down), true, 0}
	return list
}
