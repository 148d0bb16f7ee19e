package convert_test

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mambac/mambac/importer"
	"github.com/mambac/mambac/importer/checkpoint"
	"github.com/mambac/mambac/importer/convert"
	"github.com/mambac/mambac/importer/synth"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/eval"
	"github.com/mambac/mambac/ir/tensor"
)

// open imports a checkpoint that must be good.
func open(t *testing.T, folder string) *convert.Source {
	t.Helper()
	c, err := checkpoint.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	m, err := importer.Import(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &convert.Source{Checkpoint: c, Model: m, Name: "model"}
}

// converted writes a checkpoint for a target and gives its folder, or its
// file.
func converted(t *testing.T, s *convert.Source, target, dtype string) string {
	t.Helper()
	c, err := convert.New(s, target, dtype)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "out")
	if c.Target.Folder {
		if err := os.Mkdir(path, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Write(func(name string) (io.WriteCloser, error) { return os.Create(filepath.Join(path, name)) }); err != nil {
		t.Fatal(err)
	}
	return path
}

// made writes a random checkpoint of a config, with the files beside it.
func made(t *testing.T, config string, dtype tensor.DType, files map[string]string) *convert.Source {
	t.Helper()
	c, err := synth.New(synth.Options{Config: []byte(config), DType: dtype, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := c.Write(func(name string) (io.WriteCloser, error) { return os.Create(filepath.Join(folder, name)) }); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return open(t, folder)
}

// Odd configs of both layouts: no size is a multiple of another.
const (
	oddHF = `{"model_type": "mamba", "hidden_size": 37, "num_hidden_layers": 2, "vocab_size": 101, "state_size": 7, "conv_kernel": 3,
		"intermediate_size": 59, "time_step_rank": 5, "use_bias": true, "use_conv_bias": false, "tie_word_embeddings": false, "eos_token_id": [4, 2], "bos_token_id": 3}`
	oddSSM = `{"d_model": 24, "n_layer": 2, "vocab_size": 99, "pad_vocab_size_multiple": 7,
		"ssm_cfg": {"d_state": 5, "expand": 1.3, "dt_rank": "auto", "bias": true}}`
	odd2HF = `{"model_type": "mamba2", "hidden_size": 37, "num_hidden_layers": 2, "vocab_size": 101, "state_size": 7, "conv_kernel": 3,
		"expand": 1.1, "num_heads": 5, "head_dim": 8, "n_groups": 1, "use_bias": true, "use_conv_bias": false, "tie_word_embeddings": false,
		"time_step_limit": [0.25, {"__float__": "Infinity"}], "eos_token_id": [4, 2], "bos_token_id": 3}`
	odd2SSM = `{"d_model": 24, "n_layer": 2, "vocab_size": 99, "pad_vocab_size_multiple": 7,
		"ssm_cfg": {"layer": "Mamba2", "d_state": 5, "expand": 1.3, "headdim": 31, "bias": true, "dt_limit": [0.001, 0.5]}}`
	oneHF = `{"model_type": "mamba", "hidden_size": 1, "expand": 1, "state_size": 1, "conv_kernel": 1, "time_step_rank": 1, "num_hidden_layers": 1, "vocab_size": 2}`
)

// sources are the checkpoints of the original implementations and odd ones.
func sources(t *testing.T) map[string]*convert.Source {
	t.Helper()
	folders, err := filepath.Glob("../testdata/golden/mamba-*")
	if err != nil || len(folders) == 0 {
		t.Fatalf("no goldens: %v", err)
	}
	for _, name := range []string{"mamba2-safetensors", "mamba2-norm-before-gate", "mamba2-ssm-layout"} {
		folders = append(folders, "../testdata/golden/"+name)
	}
	list := map[string]*convert.Source{
		"odd hf": made(t, oddHF, tensor.BF16, nil), "odd ssm": made(t, oddSSM, tensor.F16, nil), "one": made(t, oneHF, tensor.F32, nil),
		"odd Mamba-2 hf": made(t, odd2HF, tensor.BF16, nil), "odd Mamba-2 ssm": made(t, odd2SSM, tensor.F16, nil),
	}
	for _, folder := range folders {
		list[filepath.Base(folder)] = open(t, folder)
	}
	return list
}

// TestRoundTrip takes every checkpoint into each of the layouts and back: the
// values of all parameters and the logits are the same to the bit.
func TestRoundTrip(t *testing.T) {
	for name, s := range sources(t) {
		t.Run(name, func(t *testing.T) {
			hf := open(t, converted(t, s, "hf", ""))
			ssm := open(t, converted(t, hf, "ssm", ""))
			back := open(t, converted(t, ssm, "hf", ""))
			for _, other := range []*convert.Source{hf, ssm, back} {
				same(t, s, other)
			}
			sameFile(t, hf.Checkpoint.Path, back.Checkpoint.Path, "model.safetensors")
			again := open(t, converted(t, back, "ssm", ""))
			sameFile(t, ssm.Checkpoint.Path, again.Checkpoint.Path, "pytorch_model.bin")
		})
	}
}

// same fails unless both models have the same parameters, tokens and logits.
func same(t *testing.T, a, b *convert.Source) {
	t.Helper()
	x, y := a.Model, b.Model
	if !slices.Equal(x.EOS, y.EOS) || (x.BOS == nil) != (y.BOS == nil) || x.BOS != nil && *x.BOS != *y.BOS {
		t.Errorf("%s: end tokens %v, first %v; want %v, %v", y.Family, y.EOS, y.BOS, x.EOS, x.BOS)
	}
	if len(x.Module.Params) != len(y.Module.Params) {
		t.Fatalf("%s: %d parameters, want %d", y.Family, len(y.Module.Params), len(x.Module.Params))
	}
	for i, p := range x.Module.Params {
		q := y.Module.Params[i]
		if p.DType != q.DType || !slices.Equal(bits(t, p), bits(t, q)) {
			t.Errorf("%s: %s is not what %s was", y.Family, q.Name, p.Name)
		}
	}
	if !slices.Equal(logits(t, x.Module), logits(t, y.Module)) {
		t.Errorf("%s: other logits", y.Family)
	}
}

func values(t *testing.T, p *ir.Param) []float32 {
	t.Helper()
	dst := make([]float32, p.Shape.Elements())
	if err := p.Source.ReadRows(dst, 0, p.Shape.Rows()); err != nil {
		t.Fatal(err)
	}
	return dst
}

func bits(t *testing.T, p *ir.Param) []uint32 {
	t.Helper()
	var list []uint32
	for _, v := range values(t, p) {
		list = append(list, math.Float32bits(v))
	}
	return list
}

func logits(t *testing.T, m *ir.Module) []uint32 {
	t.Helper()
	e, err := eval.New(m)
	if err != nil {
		t.Fatal(err)
	}
	var list []uint32
	for _, id := range []int{1, 0, 1} {
		row, err := e.Step(id)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range row {
			list = append(list, math.Float32bits(v))
		}
	}
	return list
}

func sameFile(t *testing.T, a, b, name string) {
	t.Helper()
	if !bytes.Equal(read(t, filepath.Join(a, name)), read(t, filepath.Join(b, name))) {
		t.Errorf("%s differs", name)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// TestDTypes: all is rounded to the type that was asked for, but what states
// decay by.
func TestDTypes(t *testing.T) {
	wide := regexp.MustCompile(`(A_log|\.D|\.dt_bias)$`)
	for _, s := range []*convert.Source{made(t, oddSSM, tensor.F32, nil), made(t, odd2HF, tensor.F32, nil)} {
		for _, target := range []string{"hf", "ssm"} {
			for name, dtype := range map[string]tensor.DType{"f32": tensor.F32, "f16": tensor.F16, "bf16": tensor.BF16} {
				m := open(t, converted(t, s, target, name)).Model
				for i, p := range m.Module.Params {
					want := dtype
					if wide.MatchString(p.Name) {
						want = tensor.F32
					}
					if p.DType != want {
						t.Errorf("%s %s: %s is %v", target, name, p.Name, p.DType)
					}
					difference(t, p.Name, values(t, p), values(t, s.Model.Module.Params[i]), 1.0/(1<<8))
				}
			}
		}
	}
}

// difference fails where values are further apart than a share of the largest.
func difference(t *testing.T, name string, got, want []float32, share float64) {
	t.Helper()
	largest := 0.0
	for _, v := range want {
		largest = max(largest, math.Abs(float64(v)))
	}
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", name, len(got), len(want))
	}
	for i := range want {
		if d := math.Abs(float64(got[i]) - float64(want[i])); !(d <= share*largest) {
			t.Fatalf("%s: value %d is %v, want %v", name, i, got[i], want[i])
		}
	}
}

// TestKept: files that say nothing of the layout stay as they are, and so does
// the config of a checkpoint that has the layout already.
func TestKept(t *testing.T) {
	files := map[string]string{"tokenizer.json": letters(t, ""), "tokenizer_config.json": "{ }", "generation_config.json": `{"eos_token_id": 1}`}
	s := made(t, oddHF, tensor.F32, files)
	hf := converted(t, s, "hf", "")
	for name, want := range map[string]string{"config.json": oddHF, "tokenizer.json": files["tokenizer.json"],
		"tokenizer_config.json": "{ }", "generation_config.json": `{"eos_token_id": 1}`} {
		if got := read(t, filepath.Join(hf, name)); string(got) != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	half := string(read(t, filepath.Join(converted(t, s, "hf", "f16"), "config.json")))
	if !strings.Contains(half, `"torch_dtype": "float16"`) || !strings.Contains(half, `"use_bias": true`) {
		t.Errorf("config.json of f16 is %s", half)
	}
	ssm := made(t, oddSSM, tensor.F32, nil)
	if got := read(t, filepath.Join(converted(t, ssm, "ssm", "bf16"), "config.json")); string(got) != oddSSM {
		t.Errorf("config.json of ssm is %s", got)
	}
}

// TestPadding: rows of the vocabulary behind config.json's are of a multiple
// that the layout can state.
func TestPadding(t *testing.T) {
	config := strings.Replace(oddHF, `"intermediate_size": 59`, `"expand": 2`, 1)
	for _, c := range []struct{ vocab, rows, multiple int }{{96, 101, 101}, {101, 101, 1}, {99, 104, 8}, {104, 104, 8}, {98, 112, 16}} {
		s := made(t, strings.Replace(config, `"vocab_size": 101`, fmt.Sprintf(`"vocab_size": %d`, c.rows), 1), tensor.F32, nil)
		s.Model.VocabSize = c.vocab
		folder := converted(t, s, "ssm", "")
		text := string(read(t, filepath.Join(folder, "config.json")))
		want := fmt.Sprintf("\"pad_vocab_size_multiple\": %d,", c.multiple)
		if m := open(t, folder).Model; m.VocabSize != c.vocab || !strings.Contains(text, want) {
			t.Errorf("%d of %d rows: vocabulary %d, config %s", c.vocab, c.rows, m.VocabSize, text)
		}
	}
}

// holding gives the first parameter zeros and, in its second row, a number.
func holding(s *convert.Source, v float32) *ir.Param {
	p := s.Model.Module.Params[0]
	values := make([]float32, p.Shape.Elements())
	values[p.Shape.Row()+1] = v
	p.Source = &tensor.Dense{Shape: p.Shape, Values: values}
	return p
}

func TestRefusals(t *testing.T) {
	large := made(t, oddSSM, tensor.F32, nil)
	p := holding(large, -65520)
	even := `{"model_type": "mamba", "hidden_size": 32, "num_hidden_layers": 1, "vocab_size": 300, "time_step_rank": 5}`
	tokens := map[string]string{"tokenizer.json": letters(t, "")}
	blocks := func(v float64) *convert.Source {
		s := made(t, even, tensor.F32, tokens)
		holding(s, float32(v))
		return s
	}
	for _, c := range []struct {
		source        *convert.Source
		target, dtype string
		want          string
	}{
		{made(t, oddHF, tensor.F32, nil), "gguf", "", "gguf wants an inner size of twice the hidden one, have 59 and 37"},
		{made(t, strings.Replace(even, "{", `{"use_bias": true, `, 1), tensor.F32, tokens), "gguf", "",
			"backbone.layers.0.mixer.in_proj.bias: gguf has no place for a bias of a projection"},
		{made(t, even, tensor.F32, nil), "gguf", "", "no tokenizer.json, and gguf wants the tokenizer in the file; put it beside config.json"},
		{made(t, strings.Replace(even, "300", "257", 1), tensor.F32, tokens), "gguf", "", "tokenizer.json: has 259 ids, but the embedding 257 rows"},
		{made(t, strings.Replace(even, "32", "40", 1), tensor.F32, tokens), "gguf", "q8_0",
			"backbone.embeddings.weight: q8_0 needs rows of a multiple of 32, have [300 40]; choose --dtype f16, bf16 or f32"},
		{made(t, even, tensor.F32, map[string]string{"tokenizer.json": letters(t, `"lstrip": true, `)}), "gguf", "",
			"tokenizer.json: added_tokens: single_word, lstrip or rstrip of \"<end>\" cannot be written to gguf"},
		{made(t, strings.Replace(oddHF, "{", `{"layer_norm_epsilon": 1e-6, `, 1), tensor.F32, nil), "ssm", "",
			"ssm has 1e-05 in its norms and no key for another value, this model has 1e-06"},
		{large, "hf", "f16", p.Name + ": holds -65520, too large for f16; choose --dtype bf16 or f32"},
		{blocks(127 * 65520), "gguf", "q8_0", "backbone.embeddings.weight: holds 8.32104e+06, too large for q8_0; choose --dtype bf16 or f32"},
		{blocks(math.Inf(-1)), "gguf", "q8_0", "backbone.embeddings.weight: holds -Inf, for which q8_0 has no number; choose --dtype f16, bf16 or f32"},
		{blocks(math.NaN()), "gguf", "q8_0", "backbone.embeddings.weight: holds NaN, for which q8_0 has no number; choose --dtype f16, bf16 or f32"},
	} {
		v, err := convert.New(c.source, c.target, c.dtype)
		if err == nil {
			err = v.Write(func(string) (io.WriteCloser, error) { return nowhere{}, nil })
		}
		if want := c.source.Checkpoint.Path + ": " + c.want; err == nil || err.Error() != want {
			t.Errorf("have %v\nwant %s", err, want)
		}
	}
	if _, err := convert.New(large, "onnx", ""); err == nil || err.Error() != `target "onnx": want one of gguf, hf, ssm` {
		t.Errorf("unknown target: %v", err)
	}
	if _, err := convert.New(large, "hf", "q8_0"); err == nil || err.Error() != "hf cannot hold q8_0: want f32, f16, bf16" {
		t.Errorf("unknown type: %v", err)
	}
}

// nowhere is a file that keeps nothing.
type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) Close() error                { return nil }
