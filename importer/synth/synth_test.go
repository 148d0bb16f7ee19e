package synth

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/mambac/mambac/importer/container"
	"github.com/mambac/mambac/ir/tensor"
	"github.com/mambac/mambac/runtime/safetensors"
)

// configs holds an odd config of every family.
var configs = map[string]string{
	"mamba": `{"model_type": "mamba", "hidden_size": 37, "num_hidden_layers": 2, "vocab_size": 101,
		"state_size": 7, "conv_kernel": 3, "intermediate_size": 59, "time_step_rank": 5,
		"use_bias": true, "use_conv_bias": false, "tie_word_embeddings": %v}`,
	"state-spaces": `{"d_model": 24, "n_layer": 2, "vocab_size": 99, "pad_vocab_size_multiple": 16,
		"ssm_cfg": {"d_state": 5, "expand": 1.3, "dt_rank": "auto", "bias": true}, "tie_embeddings": %v, "rms_norm": true}`,
}

// memory collects the files of a checkpoint.
type memory map[string]*bytes.Buffer

type memoryFile struct{ *bytes.Buffer }

func (memoryFile) Close() error { return nil }

func (m memory) create(name string) (io.WriteCloser, error) {
	if m[name] != nil {
		return nil, fmt.Errorf("%s is made twice", name)
	}
	m[name] = &bytes.Buffer{}
	return memoryFile{m[name]}, nil
}

func mustNew(t testing.TB, o Options) *Checkpoint {
	t.Helper()
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func mustWrite(t testing.TB, o Options) memory {
	t.Helper()
	files := memory{}
	if err := mustNew(t, o).Write(files.create); err != nil {
		t.Fatal(err)
	}
	return files
}

func TestEveryFamilyInEveryContainer(t *testing.T) {
	for _, family := range Families() {
		for _, name := range container.Names() {
			for _, tied := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s/%s/%v", family, name, tied), func(t *testing.T) {
					text := fmt.Sprintf(configs[family], tied)
					o := Options{Config: []byte(text), DType: tensor.BF16, Container: name, Seed: 3, ShardBytes: 9000}
					c := mustNew(t, o)
					files := mustWrite(t, o)
					if c.Family() != family || files["config.json"].String() != text {
						t.Errorf("family %s, config %s", c.Family(), files["config.json"])
					}
					size := 0
					for _, f := range files {
						size += f.Len()
					}
					if extra := int64(size) - c.Bytes(); extra < 0 || extra > 40000 {
						t.Errorf("%d bytes of files for %d of values", size, c.Bytes())
					}
					if again := mustWrite(t, o); !maps.EqualFunc(files, again, func(a, b *bytes.Buffer) bool { return bytes.Equal(a.Bytes(), b.Bytes()) }) {
						t.Error("a second run gives other bytes")
					}
				})
			}
		}
	}
}

func TestShapes(t *testing.T) {
	files := mustWrite(t, Options{Config: fmt.Appendf(nil, configs["mamba"], false), DType: tensor.F16, Container: "safetensors"})
	data := files["model.safetensors"].Bytes()
	f, err := safetensors.Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"backbone.embeddings.weight":             "F16 [101 37]",
		"backbone.layers.1.mixer.in_proj.weight": "F16 [118 37]",
		"backbone.layers.1.mixer.in_proj.bias":   "F16 [118]",
		"backbone.layers.1.mixer.conv1d.weight":  "F16 [59 1 3]",
		"backbone.layers.1.mixer.x_proj.weight":  "F16 [19 59]",
		"backbone.layers.1.mixer.A_log":          "F32 [59 7]",
		"lm_head.weight":                         "F16 [101 37]",
	} {
		tensor, ok := f.Tensor(name)
		if got := fmt.Sprint(tensor.DType, " ", tensor.Shape); !ok || got != want {
			t.Errorf("%s: have %s, want %s", name, got, want)
		}
	}
	if _, ok := f.Tensor("backbone.layers.1.mixer.conv1d.bias"); ok {
		t.Error("conv1d.bias is there although use_conv_bias is false")
	}
}

func TestPresetSizes(t *testing.T) {
	want := map[string]int64{ // published sizes, the head counted once
		"mamba-130m": 129135360, "mamba-370m": 371516416, "mamba-790m": 793204224,
		"mamba-1.4b": 1372178432, "mamba-2.8b": 2768345600,
	}
	if !slices.Equal(Presets(), []string{"mamba-130m", "mamba-370m", "mamba-790m", "mamba-1.4b", "mamba-2.8b"}) {
		t.Errorf("presets %v", Presets())
	}
	for _, name := range Presets() {
		config, err := Preset(name)
		if err != nil || !json.Valid(config) {
			t.Fatalf("%s: %v", name, err)
		}
		if n := mustNew(t, Options{Config: config, DType: tensor.BF16}).Parameters(); n != want[name] {
			t.Errorf("%s: %d parameters, want %d", name, n, want[name])
		}
	}
}

func TestValuesDoNotDependOnBlocks(t *testing.T) {
	for name, fill := range map[string]filler{"normal": normal(1, 0.5), "decay": decayRates(7), "steps": timeSteps} {
		s := newStream(9, name)
		whole := make([]float32, 1000)
		fill(s, whole, 0)
		for at := 990; at >= 0; at -= 10 {
			part := make([]float32, 10)
			if fill(s, part, int64(at)); !slices.Equal(part, whole[at:at+10]) {
				t.Errorf("%s: the block at %d differs", name, at)
			}
		}
		other := make([]float32, 1000)
		if fill(newStream(9, name+"!"), other, 0); slices.Equal(whole, other) {
			t.Errorf("%s: another name gives the same values", name)
		}
	}
}

func TestDistributions(t *testing.T) {
	const n = 1 << 16
	values := make([]float32, n)
	normal(2, 3)(newStream(1, "x"), values, 0)
	mean, variance := moments(values)
	if math.Abs(mean-2) > 0.05 || math.Abs(math.Sqrt(variance)-3) > 0.05 {
		t.Errorf("mean %v, deviation %v, want 2 and 3", mean, math.Sqrt(variance))
	}
	timeSteps(newStream(1, "x"), values, 0)
	for i := range values {
		values[i] = float32(math.Log1p(math.Exp(float64(values[i]))))
	}
	if lo, hi := slices.Min(values), slices.Max(values); lo < 0.99e-3 || lo > 1.1e-3 || hi < 0.09 || hi > 0.101 {
		t.Errorf("time steps from %v to %v, want 1e-3 to 1e-1", lo, hi)
	}
	decayRates(16)(newStream(1, "x"), values, 0)
	for i, v := range values {
		if want := math.Log(float64(i%16 + 1)); math.Abs(float64(v)-want) > 0.3 {
			t.Fatalf("A_log of state %d is %v, want about %v", i%16, v, want)
		}
	}
}

func moments(values []float32) (mean, variance float64) {
	for _, v := range values {
		mean += float64(v) / float64(len(values))
	}
	for _, v := range values {
		variance += (float64(v) - mean) * (float64(v) - mean) / float64(len(values))
	}
	return mean, variance
}

func TestRefuses(t *testing.T) {
	good := fmt.Sprintf(configs["mamba"], true)
	for _, c := range []struct {
		config, container, want string
		dtype                   tensor.DType
	}{
		{"{", "", "not a config", tensor.F32},
		{`{"model_type": "gpt2"}`, "", "mamba, state-spaces", tensor.F32},
		{good, "tape", "tape", tensor.F32},
		{good, "", "i8", tensor.I8},
		{strings.Replace(good, "101", "0", 1), "", "vocab_size", tensor.F32},
		{strings.Replace(good, "101", `"many"`, 1), "", "vocab_size", tensor.F32},
		{`{"model_type": "mamba", "hidden_size": 16777216, "intermediate_size": 16777216}`, "", "more than", tensor.F32},
		{`{"d_model": 8, "n_layer": 1, "ssm_cfg": {"layer": "Mamba3"}}`, "", "Mamba3", tensor.F32},
		{`{"d_model": 8, "n_layer": 1, "ssm_cfg": {"d_state": -1}}`, "", "d_state", tensor.F32},
		{`{"d_model": 8, "n_layer": 1, "ssm_cfg": {"expand": 1e300}}`, "", "expand", tensor.F32},
		{`{"d_model": 8, "n_layer": 1, "ssm_cfg": {"expand": 0.1}}`, "", "expand", tensor.F32},
		{`{"d_model": 8, "n_layer": 1, "d_intermediate": 64}`, "", "d_intermediate", tensor.F32},
		{`{"d_model": 8, "n_layer": 1, "attn_layer_idx": [1]}`, "", "attn_layer_idx", tensor.F32},
		{`{"d_model": 8, "n_layer": 1, "rms_norm": false}`, "", "rms_norm", tensor.F32},
	} {
		_, err := New(Options{Config: []byte(c.config), DType: c.dtype, Container: c.container})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.config, err, c.want)
		}
	}
	if _, err := Preset("mamba-9b"); err == nil || !strings.Contains(err.Error(), "mamba-130m") {
		t.Errorf("error %v", err)
	}
}

func BenchmarkWrite(b *testing.B) {
	config, err := Preset("mamba-130m")
	if err != nil {
		b.Fatal(err)
	}
	c := mustNew(b, Options{Config: config, DType: tensor.BF16})
	b.SetBytes(c.Bytes())
	for b.Loop() {
		if err := c.Write(func(string) (io.WriteCloser, error) { return discard{}, nil }); err != nil {
			b.Fatal(err)
		}
	}
}

type discard struct{ io.Writer }

func (discard) Write(p []byte) (int, error) { return len(p), nil }

func (discard) Close() error { return nil }
