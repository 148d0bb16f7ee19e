package synth_test

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mambac/mambac/importer"
	"github.com/mambac/mambac/importer/checkpoint"
	"github.com/mambac/mambac/importer/synth"
	"github.com/mambac/mambac/ir/eval"
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
// two thousand tokens later logits are still numbers of the same size, and
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
				isSane(t, open(t, config), 2000)
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

// open writes a checkpoint and imports it.
func open(t *testing.T, config []byte) *eval.Evaluator {
	t.Helper()
	folder := t.TempDir()
	c, err := synth.New(synth.Options{Config: config, DType: tensor.F32, Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	err = c.Write(func(name string) (io.WriteCloser, error) { return os.Create(filepath.Join(folder, name)) })
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
	e, err := eval.New(m.Module)
	if err != nil {
		t.Fatal(err)
	}
	return e
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
