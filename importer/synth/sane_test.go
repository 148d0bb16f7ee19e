package synth_test

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mambac/mambac/importer"
	"github.com/mambac/mambac/importer/checkpoint"
	"github.com/mambac/mambac/importer/container"
	"github.com/mambac/mambac/importer/synth"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/eval"
	"github.com/mambac/mambac/ir/op"
	"github.com/mambac/mambac/ir/tensor"
)

// TestLogitsAreSane evaluates checkpoints of little and of great depth:
// logits neither vanish nor grow, and depend on what was read.
func TestLogitsAreSane(t *testing.T) {
	for _, layers := range []int{1, 8, 64} {
		t.Run(fmt.Sprint(layers), func(t *testing.T) {
			config := fmt.Sprintf(`{"model_type": "mamba", "hidden_size": 64, "num_hidden_layers": %d, "vocab_size": 97}`, layers)
			e := open(t, []byte(config))
			var last []float32
			for i := range 24 {
				logits, err := e.Step(i * 31 % 97)
				if err != nil {
					t.Fatal(err)
				}
				if d := deviation(logits, nil); !(d > 0.3 && d < 6) {
					t.Fatalf("token %d: logits have the deviation %v", i, d)
				}
				if last != nil && deviation(logits, last) < 0.3 {
					t.Errorf("token %d: logits are those of the token before", i)
				}
				last = append(last[:0], logits...)
			}
		})
	}
}

// TestEveryFamilyIsSane evaluates little models of every family on a long text:
// a thousand tokens later logits are still numbers of the same size, and
// depend on what was read.
func TestEveryFamilyIsSane(t *testing.T) {
	for _, family := range importer.Families() {
		for _, settings := range append([][]string{nil}, saneVariants[family]...) {
			t.Run(strings.Join(append([]string{family}, settings...), " "), func(t *testing.T) {
				t.Parallel()
				config, err := synth.Small(family, settings...)
				if err != nil {
					t.Fatal(err)
				}
				isSane(t, open(t, config), 1000)
			})
		}
	}
}

// saneVariants is settings that change how the weights of a family are filled.
var saneVariants = map[string][][]string{
	"falcon_h1":        {{"mamba_rms_norm=true", "tie_word_embeddings=true"}},
	"granitemoehybrid": {{"num_local_experts=0", "num_experts_per_tok=0", "position_embedding_type=rope", "tie_word_embeddings=false"}},
	"state-spaces": {
		{"ssm_cfg.layer=Mamba2"},
		{"ssm_cfg.layer=Mamba3", "ssm_cfg.d_state=16"},
		{"ssm_cfg.layer=Mamba3", "ssm_cfg.d_state=16", "ssm_cfg.is_mimo=true", "d_intermediate=64", "rms_norm=false"},
	},
	"zamba2": {{"use_shared_attention_adapter=true", "num_mem_blocks=2"}},
}

func isSane(t *testing.T, e *eval.Evaluator, tokens int) {
	var last []float32
	same := 0
	for i := range tokens {
		logits, err := e.Step(i * i % 251)
		if err != nil {
			t.Fatal(err)
		}
		if d := deviation(logits, nil); !(d > 0.3 && d < 6) {
			t.Fatalf("token %d: logits have the deviation %v", i, d)
		}
		if last != nil && deviation(logits, last) < 0.3 {
			same++
		}
		last = append(last[:0], logits...)
	}
	if same > tokens/20 { // a square may be the next one, modulo
		t.Errorf("%d of %d tokens have the logits of the token before", same, tokens)
	}
}

// TestOddModelsAreImported: of every family, in every container, what is written
// is what the importer looks for, in shapes that no two sizes share.
func TestOddModelsAreImported(t *testing.T) {
	containers, turn := container.Names(), 0
	for _, family := range importer.Families() {
		for _, more := range append([][]string{nil}, oddVariants[family]...) {
			settings := append(slices.Clone(synth.Odd[family]), more...)
			name := containers[turn%len(containers)]
			turn++
			t.Run(strings.Join(append([]string{family, name}, more...), " "), func(t *testing.T) {
				config, err := synth.Small(family, settings...)
				if err != nil {
					t.Fatal(err)
				}
				c := newCheckpoint(t, synth.Options{Config: config, DType: tensor.BF16, Container: name, Seed: 5, ShardBytes: 50000})
				m := imported(t, c)
				if n := parameters(m); n != c.Parameters() {
					t.Errorf("%d parameters imported of %d", n, c.Parameters())
				}
				e, err := eval.New(m)
				if err != nil {
					t.Fatal(err)
				}
				isSane(t, e, 25)
			})
		}
	}
}

// oddVariants are options whose tensors the odd models do not have.
var oddVariants = map[string][][]string{
	"granitemoehybrid": {{"num_local_experts=0", "num_experts_per_tok=0", "layers_block_type=[\"attention\", \"mamba\", \"mamba\"]", "layer_types=null"}},
	"nemotron_h":       {{"hybrid_override_pattern=EM*-", "moe_latent_size=null", "mlp_bias=false"}},
	"state-spaces": {
		{"ssm_cfg.layer=Mamba2", "ssm_cfg.ngroups=3", "ssm_cfg.headdim=5", "ssm_cfg.expand=1.9", "ssm_cfg.d_ssm=30", "ssm_cfg.D_has_hdim=true", "tie_embeddings=false"},
		{"ssm_cfg={\"layer\": \"Mamba3\", \"d_state\": 6, \"headdim\": 4, \"ngroups\": 3, \"rope_fraction\": 1.0}", "attn_layer_idx=[]"},
		{"ssm_cfg={\"layer\": \"Mamba3\", \"d_state\": 6, \"headdim\": 4, \"is_mimo\": true, \"mimo_rank\": 3, \"is_outproj_norm\": true}", "attn_layer_idx=[]"},
	},
	"zamba2": {{"use_shared_attention_adapter=false", "tie_word_embeddings=false", "num_mem_blocks=1"}},
}

// TestEveryPresetIsImported by its headers alone.
func TestEveryPresetIsImported(t *testing.T) {
	for _, name := range synth.Presets() {
		t.Run(name, func(t *testing.T) {
			config, err := synth.Preset(name)
			if err != nil {
				t.Fatal(err)
			}
			c := newCheckpoint(t, synth.Options{Config: config, DType: tensor.BF16, HeadersOnly: true})
			if n := parameters(imported(t, c)); n != c.Parameters() {
				t.Errorf("%d parameters imported of %d", n, c.Parameters())
			}
		})
	}
}

// parameters is the number of values of a module that are of its checkpoint:
// all but the frequencies of rotary embeddings.
func parameters(m *ir.Module) int64 {
	made := map[*ir.Param]bool{}
	for _, r := range m.Regions {
		for _, v := range r.Body {
			if _, ok := v.Op.(op.Angles); ok {
				made[v.Params[0]] = true
			}
		}
	}
	n := int64(0)
	for _, p := range m.Params {
		if !made[p] {
			n += int64(p.Shape.Elements())
		}
	}
	return n
}

// open writes a checkpoint and imports it.
func open(t *testing.T, config []byte) *eval.Evaluator {
	t.Helper()
	e, err := eval.New(imported(t, newCheckpoint(t, synth.Options{Config: config, DType: tensor.F32, Seed: 5})))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func newCheckpoint(t *testing.T, o synth.Options) *synth.Checkpoint {
	t.Helper()
	c, err := synth.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// holed is a file that may have a hole at its end.
type holed struct{ *os.File }

func (f holed) Skip(n int64) error {
	st, err := f.Stat()
	if err != nil {
		return err
	}
	return f.Truncate(st.Size() + n)
}

// imported writes a checkpoint and reads its module.
func imported(t *testing.T, c *synth.Checkpoint) *ir.Module {
	t.Helper()
	folder := t.TempDir()
	err := c.Write(func(name string) (io.WriteCloser, error) {
		f, err := os.Create(filepath.Join(folder, name))
		return holed{f}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	files, err := checkpoint.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { files.Close() })
	m, err := importer.Import(files, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m.Module
}

// deviation is the root of the mean square of a−b; nil stands for zeros.
func deviation(a, b []float32) float64 {
	sum := 0.0
	for i, v := range a {
		d := float64(v)
		if b != nil {
			d -= float64(b[i])
		}
		sum += d * d
	}
	return math.Sqrt(sum / float64(len(a)))
}
