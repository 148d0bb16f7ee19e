package convert_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/mambac/mambac/importer/convert"
	"github.com/mambac/mambac/importer/family"
	"github.com/mambac/mambac/importer/gguf"
	"github.com/mambac/mambac/importer/gguf/gguftest"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/tensor"
)

// letters is a tokenizer.json of the 256 letters of bytes, one merge, a token
// that ends texts and one that is only looked for. extra goes into the former.
func letters(t *testing.T, extra string) string {
	t.Helper()
	vocabulary := map[string]int{}
	next := rune(0x100)
	for c := range 256 {
		r := rune(c)
		if c < '!' || c > '~' && c < 0xa1 || c == 0xad {
			r, next = next, next+1
		}
		vocabulary[string(r)] = c
	}
	vocabulary["ab"] = 256
	model, err := json.Marshal(vocabulary)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`{"version": "1.0", "added_tokens": [
		{"id": 257, "content": "<end>", %s"special": true}, {"id": 258, "content": "  ", "special": false}],
		"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false}, "decoder": {"type": "ByteLevel"},
		"model": {"type": "BPE", "vocab": %s, "merges": ["a b"]}}`, extra, model)
}

// modelForGGUF has 300 rows and 259 tokens, rows of A that are no block, and
// no bias of the convolution.
func modelForGGUF(t *testing.T, tied bool) *convert.Source {
	t.Helper()
	config := fmt.Sprintf(`{"model_type": "mamba", "hidden_size": 32, "num_hidden_layers": 2, "vocab_size": 300, "state_size": 7, "conv_kernel": 3,
		"time_step_rank": 5, "use_conv_bias": false, "tie_word_embeddings": %v, "layer_norm_epsilon": 1e-6, "bos_token_id": 9}`, tied)
	return made(t, config, tensor.F32, map[string]string{"tokenizer.json": letters(t, "")})
}

func readGGUF(t *testing.T, s *convert.Source, dtype string) *gguftest.File {
	t.Helper()
	f, err := gguftest.Read(read(t, converted(t, s, "gguf", dtype)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestGGUFValues(t *testing.T) {
	f := readGGUF(t, modelForGGUF(t, true), "")
	for key, want := range map[string]any{
		"general.architecture": "mamba", "general.name": "model", "general.file_type": uint32(0),
		"mamba.embedding_length": uint32(32), "mamba.block_count": uint32(2), "mamba.ssm.conv_kernel": uint32(3),
		"mamba.ssm.inner_size": uint32(64), "mamba.ssm.state_size": uint32(7), "mamba.ssm.time_step_rank": uint32(5),
		"mamba.attention.layer_norm_rms_epsilon": float32(1e-6), "mamba.ssm.dt_b_c_rms": false,
		"mamba.feed_forward_length": uint32(0), "mamba.attention.head_count": uint32(0),
		"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "gpt-2", "tokenizer.ggml.merges": []string{"a b"},
		"tokenizer.ggml.bos_token_id": uint32(9), "tokenizer.ggml.eos_token_id": uint32(257),
		"tokenizer.ggml.add_bos_token": false, "tokenizer.ggml.add_eos_token": false,
	} {
		if !reflect.DeepEqual(f.Values[key], want) {
			t.Errorf("%s is %v, want %v", key, f.Values[key], want)
		}
	}
	tokens, kinds := f.Values["tokenizer.ggml.tokens"].([]string), f.Values["tokenizer.ggml.token_type"].([]int32)
	if len(tokens) != 300 || len(kinds) != 300 {
		t.Fatalf("%d tokens, %d kinds, want 300", len(tokens), len(kinds))
	}
	for id, want := range map[int]string{' ': "1 Ġ", 'a': "1 a", 256: "1 ab", 257: "3 <end>", 258: "4   ", 259: "5 [PAD259]", 299: "5 [PAD299]"} {
		if got := fmt.Sprint(kinds[id], " ", tokens[id]); got != want {
			t.Errorf("token %d is %q, want %q", id, got, want)
		}
	}
}

// wanted is what llama.cpp's mamba reads, and the parameter behind it.
func wanted(s *convert.Source) map[string]*ir.Param {
	a := s.Model.Architecture.(*family.Mamba1)
	all := map[string]*ir.Param{"token_embd.weight": a.Embedding, "output_norm.weight": a.Norm}
	if a.Head != a.Embedding {
		all["output.weight"] = a.Head
	}
	for i, l := range a.Layers {
		for name, p := range map[string]*ir.Param{
			"attn_norm.weight": l.Norm, "ssm_in.weight": l.Mixer.InProj, "ssm_conv1d.weight": l.Mixer.Conv, "ssm_conv1d.bias": l.Mixer.ConvBias,
			"ssm_x.weight": l.Mixer.XProj, "ssm_dt.weight": l.Mixer.DtProj, "ssm_dt.bias": l.Mixer.DtProjBias, "ssm_a": l.Mixer.A,
			"ssm_d": l.Mixer.D, "ssm_out.weight": l.Mixer.OutProj,
		} {
			all[fmt.Sprintf("blk.%d.%s", i, name)] = p
		}
	}
	return all
}

// TestGGUFTensors holds shapes, types and values against the checkpoint.
func TestGGUFTensors(t *testing.T) {
	for _, tied := range []bool{true, false} {
		s := modelForGGUF(t, tied)
		for dtype, share := range map[string]float64{"": 0, "f32": 0, "f16": 1.0 / (1 << 11), "bf16": 1.0 / (1 << 8), "q8_0": 1.0 / 220} {
			f := readGGUF(t, s, dtype)
			want := wanted(s)
			if len(f.Tensors) != len(want) {
				t.Fatalf("%d tensors, want %d", len(f.Tensors), len(want))
			}
			for _, x := range f.Tensors {
				got, err := f.Floats(x.Name)
				if err != nil {
					t.Fatal(err)
				}
				if as := typeOf(x.Name, dtype); x.Type != as {
					t.Errorf("%s of %s is %v, want %v", x.Name, dtype, x.Type, as)
				}
				checkShape(t, x, want[x.Name])
				difference(t, x.Name, got, valuesOf(t, x, want[x.Name]), share)
			}
		}
	}
}

// typeOf is the type of a tensor in a file of a type.
func typeOf(name, dtype string) gguf.Type {
	base := name[strings.LastIndex(strings.TrimSuffix(name, ".weight"), ".")+1:]
	large := map[string]bool{"token_embd.weight": true, "output.weight": true, "ssm_in.weight": true, "ssm_x.weight": true, "ssm_dt.weight": true, "ssm_out.weight": true}
	switch {
	case !large[base]:
		return gguf.F32
	case base == "ssm_dt.weight" && dtype == "q8_0": // rows of 5
		return gguf.F16
	}
	return map[string]gguf.Type{"": gguf.F32, "f32": gguf.F32, "f16": gguf.F16, "bf16": gguf.BF16, "q8_0": gguf.Q8_0}[dtype]
}

// checkShape: axes of one are not stored.
func checkShape(t *testing.T, x gguf.Tensor, p *ir.Param) {
	t.Helper()
	want := []int{64} // the bias of the convolution
	if p != nil {
		want = p.Shape
	}
	if len(want) == 3 {
		want = []int{want[0], want[2]}
	}
	if !tensor.Shape(x.Shape).Equal(want) {
		t.Errorf("%s has the shape %v, want %v", x.Name, x.Shape, want)
	}
}

// valuesOf is what a tensor holds before it is rounded: zeros where the model
// has no parameter, −exp of A_log.
func valuesOf(t *testing.T, x gguf.Tensor, p *ir.Param) []float32 {
	t.Helper()
	if p == nil {
		return make([]float32, tensor.Shape(x.Shape).Elements())
	}
	list := values(t, p)
	if strings.HasSuffix(x.Name, "ssm_a") {
		for i, v := range list {
			list[i] = float32(-math.Exp(float64(v)))
		}
	}
	return list
}

// TestGGUFTwice: the same checkpoint gives the same bytes.
func TestGGUFTwice(t *testing.T) {
	a, b := modelForGGUF(t, false), modelForGGUF(t, false)
	if !bytes.Equal(read(t, converted(t, a, "gguf", "q8_0")), read(t, converted(t, b, "gguf", "q8_0"))) {
		t.Error("two runs give other bytes")
	}
}
