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

// odd holds settings that make an odd model of every family.
var odd = map[string][]string{
	"bamba":        {"hidden_size=40", "mamba_n_heads=3", "mamba_d_state=5", "num_attention_heads=3", "attention_bias=true", "mlp_bias=true", "mamba_proj_bias=true"},
	"falcon_h1":    {"hidden_size=40", "mamba_n_heads=3", "mamba_d_state=5", "num_attention_heads=3", "mamba_rms_norm=true", "projectors_bias=true", "mlp_bias=true"},
	"falcon_mamba": {"hidden_size=37", "state_size=7", "time_step_rank=5", "use_bias=true"},
	"granitemoehybrid": {"hidden_size=40", "mamba_n_heads=6", "mamba_n_groups=3", "mamba_d_state=5", "num_local_experts=3", "attention_bias=true",
		`layer_types=["attention", "mamba", "linear_attention"]`},
	"jamba":      {"hidden_size=40", "mamba_d_state=5", "num_experts=3", "num_hidden_layers=5", "mamba_proj_bias=true", "mamba_conv_bias=false"},
	"llama":      {"hidden_size=40", "num_attention_heads=3", "attention_bias=true", "mlp_bias=true"},
	"mamba":      {"hidden_size=37", "state_size=7", "conv_kernel=3", "intermediate_size=59", "time_step_rank=5", "use_bias=true", "use_conv_bias=false"},
	"mamba2":     {"hidden_size=40", "num_heads=3", "state_size=5", "use_bias=true", "use_conv_bias=false"},
	"mistral":    {"hidden_size=40", "num_attention_heads=3", "sliding_window=5"},
	"mixtral":    {"hidden_size=40", "num_attention_heads=3", "num_local_experts=3", "sliding_window=5"},
	"nemotron_h": {"hidden_size=40", "mamba_num_heads=6", "mamba_head_dim=7", "n_groups=3", "ssm_state_size=5", "head_dim=6", "moe_latent_size=11", "n_routed_experts=6", "n_group=3", "topk_group=2", "mlp_bias=true"},
	"state-spaces": {"d_model=24", "pad_vocab_size_multiple=16", "ssm_cfg.d_state=5", "ssm_cfg.expand=1.3", "ssm_cfg.bias=true", "d_intermediate=30",
		"rms_norm=false", "attn_layer_idx=[1]", "attn_cfg.num_heads=3", "attn_cfg.causal=true", "attn_cfg.d_conv=2", "attn_cfg.mlp_dim=100", "attn_cfg.rotary_emb_dim=4"},
	"zamba2": {"hidden_size=40", "n_mamba_heads=5", "mamba_d_state=5", "num_mem_blocks=2", "num_hidden_layers=7", "use_shared_attention_adapter=true", "add_bias_linear=true"},
}

// tiedKey is how a family says that the head is the embedding.
func tiedKey(family string) string {
	if family == "state-spaces" {
		return "tie_embeddings"
	}
	return "tie_word_embeddings"
}

// oddConfig is the config of an odd model.
func oddConfig(t testing.TB, family string, settings ...string) []byte {
	t.Helper()
	if odd[family] == nil {
		t.Fatalf("no odd sizes of family %s", family)
	}
	text, err := Small(family, append(slices.Clone(odd[family]), settings...)...)
	if err != nil {
		t.Fatal(err)
	}
	return text
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
					text := oddConfig(t, family, fmt.Sprintf("%s=%v", tiedKey(family), tied))
					o := Options{Config: text, DType: tensor.BF16, Container: name, Seed: 3, ShardBytes: 90000}
					c := mustNew(t, o)
					files := mustWrite(t, o)
					if c.Family() != family || !bytes.Equal(files["config.json"].Bytes(), text) {
						t.Errorf("family %s, config %s", c.Family(), files["config.json"])
					}
					size := 0
					for _, f := range files {
						size += f.Len()
					}
					if extra := int64(size) - c.Bytes(); extra < 0 || extra > 90000 {
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
	files := mustWrite(t, Options{Config: oddConfig(t, "mamba", "vocab_size=101", "tie_word_embeddings=false"), DType: tensor.F16, Container: "safetensors"})
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

// TestPresetSizes: published numbers of parameters, the head counted once if it
// is tied. Rounded ones are of models of which no more is published.
func TestPresetSizes(t *testing.T) {
	want := map[string]int64{
		"mamba-130m": 129135360, "mamba-370m": 371516416, "mamba-790m": 793204224,
		"mamba-1.4b": 1372178432, "mamba-2.8b": 2768345600,
		"mamba2-130m": 128989632, "mamba2-370m": 368346624, "mamba2-780m": 780161280,
		"mamba2-1.3b": 1343757312, "mamba2-2.7b": 2702599680, "codestral-mamba-7b": 7285403648,
		"falcon-mamba-7b": 7272665088, "jamba-tiny-like": 319e6, "jamba-v0.1": 51.6e9, "bamba-9b": 9.78e9,
		"granite-4-h-350m": 340e6, "granite-4-h-tiny": 6.94e9, "falcon-h1-0.5b": 521e6, "nemotron-h-4b": 4.49e9,
		"zamba2-1.2b": 1.22e9, "llama-160m-like": 162417408,
		"mistral-small-like": 141183744, "mixtral-small-like": 214213120,
		"mamba3-siso-like": 126970176, "mamba3-mimo-like": 134490432,
	}
	if len(Presets()) != len(want) {
		t.Errorf("presets %v", Presets())
	}
	for _, name := range Presets() {
		config, err := Preset(name)
		if err != nil || !json.Valid(config) {
			t.Fatalf("%s: %v", name, err)
		}
		n := mustNew(t, Options{Config: config, DType: tensor.BF16}).Parameters()
		if off := math.Abs(float64(n - want[name])); off > 0.005*float64(want[name]) || off > 0 && want[name]%10000 != 0 {
			t.Errorf("%s: %d parameters, want %d", name, n, want[name])
		}
	}
}

// TestSettings: what is set is in the config, what follows from it too, and what
// a family does not know is refused.
func TestSettings(t *testing.T) {
	for _, c := range []struct {
		family   string
		settings []string
		want     map[string]string
	}{
		{"mamba", []string{"hidden_size=40"}, map[string]string{"intermediate_size": "80", "time_step_rank": "3"}},
		{"mamba2", []string{"hidden_size=40", "num_heads=3"}, map[string]string{"num_heads": "3", "head_dim": "27", "expand": "2.025"}},
		{"mamba2", []string{"hidden_size=40", "head_dim=32"}, map[string]string{"num_heads": "3", "expand": "2.4"}},
		{"mamba2", []string{"hidden_size=40", "n_groups=4"}, map[string]string{"num_heads": "4", "head_dim": "20"}},
		{"llama", []string{"hidden_size=40", "num_attention_heads=3"}, map[string]string{"num_key_value_heads": "1", "head_dim": "14"}},
		{"falcon_h1", []string{"mamba_n_heads=3", "mamba_d_head=5"}, map[string]string{"mamba_d_ssm": "15"}},
		{"state-spaces", []string{"ssm_cfg.layer=Mamba3", "d_model=40", "ssm_cfg.is_mimo=true"}, map[string]string{"ssm_cfg": `{"headdim":40,"is_mimo":true,"layer":"Mamba3"}`}},
		{"nemotron_h", []string{"hybrid_override_pattern=M*"}, map[string]string{"hybrid_override_pattern": `"M*"`, "layers_block_type": ""}},
		{"granitemoehybrid", []string{"mamba_d_head=auto", "bos_token_id=null"}, map[string]string{"mamba_d_head": `"auto"`, "bos_token_id": ""}},
	} {
		text, err := Small(c.family, c.settings...)
		if err != nil {
			t.Errorf("%s %v: %v", c.family, c.settings, err)
			continue
		}
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(text, &fields); err != nil {
			t.Fatal(err)
		}
		for key, want := range c.want {
			var got bytes.Buffer
			if raw := fields[key]; raw != nil {
				if err := json.Compact(&got, raw); err != nil {
					t.Fatal(err)
				}
			}
			if got.String() != want {
				t.Errorf("%s %v: %s is %s, want %s", c.family, c.settings, key, &got, want)
			}
		}
		if again, err := Change(text); err != nil || !bytes.Equal(again, text) {
			t.Errorf("%s %v: changing nothing gives %s, %v", c.family, c.settings, again, err)
		}
	}
}

func TestSettingsRefused(t *testing.T) {
	for _, c := range []struct{ family, setting, want string }{
		{"mamba", "hidden", "want KEY=VALUE"},
		{"mamba", "hiden_size=40", "no key hiden_size; it has architectures, "},
		{"mamba", "hidden_size.x=40", "hidden_size is no object"},
		{"mamba", "hidden_size=0", "hidden_size: have 0"},
		{"mamba2", "n_groups=0", "n_groups: have 0"},
		{"bamba", "attn_layer_indices=[3]", "have 3 among 3 layers"},
		{"granitemoehybrid", `layer_types=["mamba"]`, "have 1 entries for 3 layers"},
		{"granitemoehybrid", `layer_types=["mlp", "mamba", "mamba"]`, `layer 0 is "mlp", want one of attention, `},
		{"granitemoehybrid", "num_attention_heads=5", "no multiple of heads 5"},
		{"granitemoehybrid", "num_experts_per_tok=5", "5 of 4 experts"},
		{"granitemoehybrid", "logits_scaling=0", "logits_scaling"},
		{"falcon_h1", "mlp_multipliers=[1]", "mlp_multipliers"},
		{"jamba", "attn_layer_offset=2", "want less than attn_layer_period, 2"},
		{"jamba", "num_hidden_layers=1000000", "num_hidden_layers"},
		{"jamba", "num_experts=1000000", "num_experts"},
		{"llama", "num_key_value_heads=3", "no multiple of KV heads 3"},
		{"nemotron_h", "hybrid_override_pattern=MX", `mark 1 is 'X'`},
		{"nemotron_h", "layers_block_type=[]", "is empty"},
		{"state-spaces", "ssm_cfg.layer=Mamba4", "Mamba4"},
		{"state-spaces", "ssm_cfg.d_state=-1", "ssm_cfg.d_state"},
		{"zamba2", "mamba_expand=3", "an inner size"},
	} {
		settings := []string{c.setting}
		if c.family == "zamba2" {
			settings = append(settings, "n_mamba_heads=2", "mamba_headdim=64")
		}
		if _, err := Small(c.family, settings...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: error %v, want one with %q", c.family, c.setting, err, c.want)
		}
	}
	if _, err := Small("gpt2"); err == nil || !strings.Contains(err.Error(), "mamba") {
		t.Errorf("error %v", err)
	}
}

// TestHeadersOnly: files that cannot have holes are refused, and those that can
// have the headers that they would have.
func TestHeadersOnly(t *testing.T) {
	config := oddConfig(t, "jamba")
	whole := mustWrite(t, Options{Config: config, DType: tensor.BF16, Container: "safetensors-sharded", ShardBytes: 90000})
	files := sparse{}
	o := Options{Config: config, DType: tensor.BF16, ShardBytes: 90000, HeadersOnly: true}
	if err := mustNew(t, o).Write(files.create); err != nil {
		t.Fatal(err)
	}
	if len(files) != len(whole) || len(files) < 3 {
		t.Fatalf("%d files, want %d", len(files), len(whole))
	}
	for name, f := range files {
		if head := f.Bytes(); f.skipped+int64(len(head)) != int64(whole[name].Len()) || !bytes.HasPrefix(whole[name].Bytes(), head) {
			t.Errorf("%s: a header of %d bytes and a hole of %d, want a file of %d", name, len(head), f.skipped, whole[name].Len())
		}
	}
	if err := mustNew(t, o).Write(memory{}.create); err == nil || !strings.Contains(err.Error(), "cannot have holes") {
		t.Errorf("error %v", err)
	}
	o.Container = "torch-zip"
	if _, err := New(o); err == nil || !strings.Contains(err.Error(), "want one of safetensors, ") {
		t.Errorf("error %v", err)
	}
}

// sparse collects files with one hole at their end.
type sparse map[string]*sparseFile

type sparseFile struct {
	memoryFile
	skipped int64
}

func (s *sparseFile) Skip(n int64) error {
	s.skipped += n
	return nil
}

func (s sparse) create(name string) (io.WriteCloser, error) {
	s[name] = &sparseFile{memoryFile: memoryFile{&bytes.Buffer{}}}
	return s[name], nil
}

func TestValuesDoNotDependOnBlocks(t *testing.T) {
	for name, fill := range map[string]filler{"normal": normal(1, 0.5), "decay": decayRates(7), "steps": timeSteps, "heads": headDecayRates,
		"parts": parts(5, part{3, normal(0, 1)}, part{50, near1}, part{147, small})} {
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
	good := string(oddConfig(t, "mamba", "vocab_size=101"))
	for _, c := range []struct {
		config, container, want string
		dtype                   tensor.DType
	}{
		{"{", "", "not a config", tensor.F32},
		{`{"model_type": "gpt2"}`, "", "mamba, mamba2, mistral", tensor.F32},
		{`{"model_type": "gpt2"}`, "", `model_type: have "gpt2", of no family that can be made`, tensor.F32},
		{`{"hidden_size": 8}`, "", "model_type is missing, and so are d_model and n_layer of the state-spaces layout", tensor.F32},
		{good, "tape", "tape", tensor.F32},
		{good, "", "i8", tensor.I8},
		{strings.Replace(good, "101", "0", 1), "", "vocab_size", tensor.F32},
		{strings.Replace(good, "101", `"many"`, 1), "", "vocab_size", tensor.F32},
		{`{"model_type": "mamba", "hidden_size": 16777216, "intermediate_size": 16777216}`, "", "more than", tensor.F32},
		{`{"d_model": 8, "n_layer": 1, "ssm_cfg": {"d_state": -1}}`, "", "d_state", tensor.F32},
		{`{"d_model": 8, "n_layer": 1, "ssm_cfg": {"expand": 1e300}}`, "", "expand", tensor.F32},
		{`{"d_model": 8, "n_layer": 1, "ssm_cfg": {"expand": 0.1}}`, "", "expand", tensor.F32},
		{`{"d_model": 8, "n_layer": 1, "ssm_cfg": {"layer": "Mamba2", "headdim": 5}}`, "", "headdim", tensor.F32},
		{`{"d_model": 8, "n_layer": 1, "attn_layer_idx": [1]}`, "", "attn_layer_idx", tensor.F32},
		{`{"d_model": 8, "n_layer": 1, "attn_layer_idx": [0]}`, "", "attn_cfg.num_heads", tensor.F32},
		{`{"model_type": "zamba2"}`, "", "layers_block_type", tensor.F32},
		{`{"model_type": "zamba2", "hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2, "use_shared_attention_adapter": true}`, "",
			"config num_key_value_heads: heads of keys and values 2 are fewer than heads 4, but adapters", tensor.F32},
		{`null`, "", "null", tensor.F32},
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
