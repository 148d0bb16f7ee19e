package importer

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/mambac/mambac/importer/checkpoint"
	"github.com/mambac/mambac/importer/family"
	"github.com/mambac/mambac/importer/synth"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/tensor"
	"github.com/mambac/mambac/ir/text"
)

// subject is a good checkpoint that is to be damaged.
type subject struct {
	name    string
	config  map[string]json.RawMessage
	tensors tensors
	good    string // its module
}

// variants are settings for what a little model of a family does not have.
var variants = map[string][]string{
	"bamba":            {"mamba_n_groups=2 rope_scaling={\"rope_type\":\"linear\",\"factor\":2} attention_bias=true"},
	"falcon_h1":        {"mamba_n_groups=2 mamba_rms_norm=true"},
	"granitemoehybrid": {"mamba_n_groups=2 position_embedding_type=rope"},
	"mamba2":           {"n_groups=2"},
	"mixtral":          {"sliding_window=7"},
	"nemotron_h":       {"moe_latent_size=7 n_group=2"},
	"state-spaces": {"ssm_cfg.d_state=16 ssm_cfg.d_conv=3 ssm_cfg.dt_rank=4 ssm_cfg.expand=2 d_intermediate=128 attn_layer_idx=[1] attn_cfg.num_heads=4 " +
		"attn_cfg.num_heads_kv=2 attn_cfg.head_dim=6 attn_cfg.causal=true attn_cfg.rotary_emb_dim=4 attn_cfg.d_conv=3 attn_cfg.mlp_dim=256",
		"ssm_cfg.layer=Mamba2 ssm_cfg.d_state=16 ssm_cfg.ngroups=2 ssm_cfg.headdim=8 ssm_cfg.d_conv=4 ssm_cfg.d_ssm=96 ssm_cfg.expand=2",
		"ssm_cfg.layer=Mamba3 ssm_cfg.d_state=16 ssm_cfg.ngroups=2 ssm_cfg.headdim=8 ssm_cfg.expand=2 ssm_cfg.is_mimo=true ssm_cfg.mimo_rank=2 ssm_cfg.rope_fraction=0.5"},
	"zamba2": {"mamba_ngroups=2 num_mem_blocks=2 num_hidden_layers=6 use_shared_attention_adapter=true"},
}

// subjects are little checkpoints of every family.
func subjects(t testing.TB) (list []*subject) {
	t.Helper()
	for _, name := range Families() {
		for i, settings := range append([]string{""}, variants[name]...) {
			list = append(list, newSubject(t, fmt.Sprintf("%s/%d", name, i), name, strings.Fields(settings)))
		}
	}
	return list
}

func newSubject(t testing.TB, name, of string, settings []string) *subject {
	t.Helper()
	config, err := synth.Small(of, settings...)
	if err != nil {
		t.Fatal(err)
	}
	c, err := synth.New(synth.Options{Config: config, DType: tensor.BF16})
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := c.Write(func(name string) (io.WriteCloser, error) { return os.Create(filepath.Join(folder, name)) }); err != nil {
		t.Fatal(err)
	}
	stored, err := checkpoint.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stored.Close() })
	s := &subject{name: name, tensors: tensors{stored}}
	if err := json.Unmarshal(config, &s.config); err != nil {
		t.Fatal(err)
	}
	m, err := s.imported("", "", s.tensors)
	if err != nil {
		t.Fatal(err)
	}
	s.good = text.Format(m)
	return s
}

// paths lists the keys of a config; dots lead into objects.
func paths(config map[string]json.RawMessage) (list []string) {
	for _, key := range slices.Sorted(maps.Keys(config)) {
		list = append(list, key)
		var inner map[string]json.RawMessage
		if json.Unmarshal(config[key], &inner) == nil {
			for _, path := range paths(inner) {
				list = append(list, key+"."+path)
			}
		}
	}
	return list
}

// with is a config in which a key has another value; no key changes nothing.
func with(config map[string]json.RawMessage, path, value string) []byte {
	if path == "" {
		value = "null"
	}
	key, rest, nested := strings.Cut(path, ".")
	if nested {
		var inner map[string]json.RawMessage
		if json.Unmarshal(config[key], &inner) == nil {
			value = string(with(inner, rest, value))
		}
	}
	// By hand, for a value may be no JSON, as in files of Python.
	parts := []string{fmt.Sprintf("%q: %s", key, value)}
	for _, other := range slices.Sorted(maps.Keys(config)) {
		if other != key {
			parts = append(parts, fmt.Sprintf("%q: %s", other, config[other]))
		}
	}
	return []byte("{" + strings.Join(parts, ", ") + "}")
}

// imported is the module of a config with one value that is wrong, from tensors.
func (s *subject) imported(path, value string, stored family.Tensors) (*ir.Module, error) {
	keys, err := family.ParseKeys(with(s.config, path, value))
	if err != nil {
		return nil, err
	}
	f, err := family.Detect(keys)
	if err != nil {
		return nil, err
	}
	choices, err := family.NewChoices(nil)
	if err != nil {
		return nil, err
	}
	r, err := f.Import(keys, family.NewSet(stored), choices)
	if err != nil {
		return nil, err
	}
	return r.Module, ir.Verify(r.Module)
}

// wrongValues are what no size is, and more than memory has.
var wrongValues = []string{"-1", "0", "3", "1099511627776", "1073741823", "4611686018427387904", "1e300", "-1e300", "1.5", "NaN", "-Infinity",
	`"many"`, `"\u001b[31m"`, "[]", "[3]", `["a"]`, "{}", `{"a": 1}`, "true", "null", "99999999999999999999999"}

// bearable bounds what an import allocates, in bytes, whatever a config says.
const bearable = 32 << 20

// TestWrongValues: whatever a single key of a config says instead, the import
// ends with a module that verifies or with one short printable line that names
// the key, and takes little memory.
func TestWrongValues(t *testing.T) {
	for _, s := range subjects(t) {
		t.Run(s.name, func(t *testing.T) {
			for _, path := range paths(s.config) {
				for _, value := range wrongValues {
					var before, after runtime.MemStats
					runtime.ReadMemStats(&before)
					m, err := s.imported(path, value, s.tensors)
					runtime.ReadMemStats(&after)
					if n := after.TotalAlloc - before.TotalAlloc; n > bearable {
						t.Errorf("%s=%s: the import allocates %d bytes", path, value, n)
					}
					s.judge(t, path, value, m, err)
				}
			}
		})
	}
}

// namesTensors is how an error begins that lists tensors.
var namesTensors = regexp.MustCompile(`tensors? (is|are) (missing|not used by this family): [a-z_]+\.`)

// TestMissingKeys: without a key a model is what its family takes for granted, or
// one line names the key, or tensors.
func TestMissingKeys(t *testing.T) {
	for _, s := range subjects(t) {
		for _, path := range paths(s.config) {
			_, err := s.imported(path, "null", s.tensors)
			if err == nil || strings.Contains(err.Error(), path[strings.LastIndex(path, ".")+1:]) || namesTensors.MatchString(err.Error()) {
				continue
			}
			if !slices.ContainsFunc(s.tensors.Names(), func(name string) bool { return strings.Contains(err.Error(), name) }) {
				t.Errorf("%s: without %s the error names neither key nor tensor: %v", s.name, path, err)
			}
		}
	}
}

// free are keys whose numbers are no sizes, by how they end: any finite one is a
// model.
var free = []string{"multiplier", "multipliers", "rope_theta", "logits_scaling", "scaling_factor", "time_step_min", "time_step_limit", "A_floor",
	"softmax_scale", "sliding_window", "factor", "rotary_emb_base", "_eps", "epsilon", "_offset", "_period", "per_tok", "topk_group", "n_group",
	"position_embedding_type"}

// judge holds what came of a value against what may.
func (s *subject) judge(t *testing.T, path, value string, m *ir.Module, err error) {
	t.Helper()
	key := path[strings.LastIndex(path, ".")+1:]
	if err != nil {
		if line := err.Error(); len(line) > 600 || strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%s=%s: no short printable line: %q", path, value, line)
		} else if !strings.Contains(line, key) && !structural(value) && !(slices.Contains(asking, key) && strings.Contains(line, " missing: ")) {
			t.Errorf("%s=%s: the error does not name the key: %s", path, value, line)
		}
		return
	}
	if text.Format(m) == s.good || value == "true" || value == "null" || value == "0" || value == "3" || value == "1.5" {
		return
	}
	if !slices.ContainsFunc(free, func(end string) bool { return strings.HasSuffix(key, end) }) {
		t.Errorf("%s=%s makes a model", path, value)
	}
}

// asking are sizes of parts that a model may do without, so that with one it
// lacks tensors.
var asking = []string{"moe_latent_size", "d_intermediate", "num_mem_blocks"}

// structural values are those with which a config is that of another model: what
// they lead to is told by the tensors.
func structural(value string) bool {
	return slices.Contains([]string{"true", "null", "[]", "[3]", "{}", `{"a": 1}`, "0", "3", "1.5"}, value)
}

// mistakes are values that people get wrong, and what of the error must be
// there; %s is the key.
var mistakes = []struct {
	keys, value string
	want        []string
}{
	{"state_size mamba_d_state ssm_state_size ssm_cfg.d_state", "13", []string{"state size 13 from %s"}},
	{"n_groups mamba_n_groups mamba_ngroups ssm_cfg.ngroups", "5", []string{"config.json: ", "groups 5 from %s do not divide heads"}},
	{"layer_types layers_block_type", `["mamba"]`, []string{"%s", "1", "layers"}},
	{"layer_types layers_block_type", `["mamba", "mamba", "mamba", "mamba", "mamba", "mamba", "mamba", "mamba", "mamba"]`, []string{"%s", "layer"}},
	{"layer_types layers_block_type", `["mamba", "rwkv", "mamba"]`, []string{"config.json: %s: layer 1 is rwkv; known are mamba"}},
	{"attn_layer_indices attn_layer_idx", "[99]", []string{"config.json: %s: have layer 99, "}},
	{"attn_layer_offset expert_layer_offset", "9", []string{"config.json: offset 9 from %s, want less than period "}},
	{"rope_scaling rope_parameters", `{"rope_type": "su"}`, []string{"config.json: %s.rope_type: su is not supported; known are default, "}},
	{"rope_scaling rope_parameters", `{"rope_type": "linear"}`, []string{"config.json: %s.factor: is missing, want a number above 0"}},
	{"rope_scaling rope_parameters", `{"rope_type": "yarn"}`, []string{"config.json: %s.factor: is missing, want a number above 0"}},
	{"rope_scaling rope_parameters", `{"type": "llama3", "factor": 8}`, []string{"config.json: %s.low_freq_factor: is missing, want a number above 0"}},
	{"num_key_value_heads attn_cfg.num_heads_kv", "3", []string{"config.json: ", "heads of keys and values 3 from %s do not divide heads"}},
	{"num_experts_per_tok", "99", []string{"config.json: experts per token 99 from %s are more than "}},
	{"num_experts_per_tok", "0", []string{"config.json: ", "%s", "0"}},
	{"n_group", "3", []string{"config.json: groups of experts 3 from %s do not divide experts 4 from n_routed_experts"}},
	{"topk_group", "9", []string{"config.json: groups of experts per token 9 from %s are more than groups of experts "}},
	{"sliding_window", "0", []string{"config.json: %s: have 0, want 1 to "}},
	{"sliding_window", "-4", []string{"config.json: %s: have -4, want 1 to "}},
	{"hidden_size d_model", "1099511627776", []string{"config.json: %s: have 1099511627776, want 1 to 1073741824"}},
	{"hidden_size d_model", "NaN", []string{`config.json: %s: have "NaN", want a whole number`}},
	{"hidden_size d_model", `"64"`, []string{`config.json: %s: have "64", want a whole number`}},
	{"hidden_act mlp_hidden_act mamba_hidden_act", `"tanh"`, []string{"config.json: %s: tanh is not supported; known are "}},
	{"ssm_cfg.layer", `"Mamba4"`, []string{"config.json: %s: Mamba4 is not supported; known are Mamba1, Mamba2, Mamba3"}},
}

// TestMistakes: every family tells of each that it can have.
func TestMistakes(t *testing.T) {
	made := make([]int, len(mistakes))
	for _, s := range subjects(t) {
		known := paths(s.config)
		for i, m := range mistakes {
			for _, key := range strings.Fields(m.keys) {
				if !slices.Contains(known, key) || !s.reads(key) {
					continue
				}
				made[i]++
				_, err := s.imported(key, m.value, s.tensors)
				for _, want := range m.want {
					if want = strings.ReplaceAll(want, "%s", key); !strings.Contains(fmt.Sprint(err), want) {
						t.Errorf("%s: %s=%s: have %v, want %q in it", s.name, key, m.value, err, want)
					}
				}
			}
		}
	}
	for i, n := range made {
		if n == 0 {
			t.Errorf("nothing has a key of %s", mistakes[i].keys)
		}
	}
}

// reads reports whether a family reads a key that it has: a model without
// positions no rotary embeddings, one kind of layers no list.
func (s *subject) reads(key string) bool {
	switch {
	case strings.HasPrefix(key, "rope_"):
		return strings.Contains(s.good, "angles(")
	case key == "layer_types" || key == "layers_block_type":
		return string(s.config[key]) != "null"
	case key == "num_experts_per_tok":
		return strings.Contains(s.good, "experts(")
	}
	return true
}

// FuzzWrongValues is the same for values that nobody has thought of.
func FuzzWrongValues(f *testing.F) {
	all := subjects(f)
	for i, s := range all {
		for j, value := range wrongValues {
			f.Add(i, j, value)
		}
		f.Add(i, 5, string(s.config[paths(s.config)[0]]))
	}
	f.Fuzz(func(t *testing.T, of, key int, value string) {
		s := all[uint(of)%uint(len(all))]
		keys := paths(s.config)
		m, err := s.imported(keys[uint(key)%uint(len(keys))], value, s.tensors)
		if err == nil && m == nil {
			t.Fatal("neither a module nor an error")
		}
		if err == nil {
			return
		}
		if line := err.Error(); len(line) > 600 || strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Fatalf("no short printable line: %q", line)
		}
	})
}

// bent is tensors of which one is missing, or of another shape or type.
type bent struct {
	family.Tensors
	name  string
	as    family.Tensor
	there bool
}

// Names implements family.Tensors.
func (b bent) Names() []string {
	return slices.DeleteFunc(slices.Clone(b.Tensors.Names()), func(name string) bool { return name == b.name && !b.there })
}

// Find implements family.Tensors.
func (b bent) Find(name string) (family.Tensor, bool) {
	if name == b.name {
		return b.as, b.there
	}
	return b.Tensors.Find(name)
}

// TestWrongTensors: each tensor that is missing, or has another shape or numbers
// that are whole, is named.
func TestWrongTensors(t *testing.T) {
	for _, s := range subjects(t) {
		t.Run(s.name, func(t *testing.T) {
			for _, name := range s.tensors.Names() {
				x, _ := s.tensors.Find(name)
				s.without(t, bent{s.tensors, name, family.Tensor{}, false})
				for _, shape := range wrongShapes(x.Shape) {
					y := x
					y.Shape = shape
					s.without(t, bent{s.tensors, name, y, true})
				}
				whole := x
				whole.DType = tensor.I64
				s.without(t, bent{s.tensors, name, whole, true})
			}
		})
	}
}

// wrongShapes are others that a file may say.
func wrongShapes(s tensor.Shape) (list []tensor.Shape) {
	longer := slices.Clone(s)
	longer[0]++
	shorter := slices.Clone(s)
	shorter[len(s)-1]--
	reversed := slices.Clone(s)
	slices.Reverse(reversed)
	huge := slices.Clone(s)
	for i := range huge {
		huge[i] = 1 << 40
	}
	list = []tensor.Shape{longer, shorter, append(slices.Clone(s), 1), {}, {0}, huge}
	if !reversed.Equal(s) {
		list = append(list, reversed)
	}
	return list
}

// without imports damaged tensors, which must fail and name the one at fault. A
// head that is missing is the embedding, and rows beyond the vocabulary are
// padding.
func (s *subject) without(t *testing.T, b bent) {
	t.Helper()
	_, err := s.imported("", "", b)
	switch {
	case err == nil && (b.name == "lm_head.weight" || strings.Contains(b.name, "embed")):
	case err == nil:
		t.Errorf("%s as %v %v (there: %v) makes a model", b.name, b.as.DType, b.as.Shape, b.there)
	case !strings.Contains(err.Error(), b.name) || len(err.Error()) > 600:
		t.Errorf("%s as %v %v (there: %v): %v", b.name, b.as.DType, b.as.Shape, b.there, err)
	}
}
