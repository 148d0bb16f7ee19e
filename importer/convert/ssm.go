package convert

import (
	"fmt"

	"github.com/mambac/mambac/importer/container"
	"github.com/mambac/mambac/importer/family"
)

func init() {
	register(Target{
		Name: "ssm", About: "a folder as state-spaces/mamba has it: config.json, pytorch_model.bin",
		Folder: true, DTypes: []string{"f32", "f16", "bf16"},
	})
}

// ssmConfig is what MambaConfig of mamba_ssm reads (families.md §5). It
// refuses keys that it does not know, so those of later releases are left out
// where they say nothing.
type ssmConfig struct {
	DModel       int   `json:"d_model"`
	NLayer       int   `json:"n_layer"`
	VocabSize    int   `json:"vocab_size"`
	SSM          any   `json:"ssm_cfg"`
	RMSNorm      bool  `json:"rms_norm"`
	ResidualF32  bool  `json:"residual_in_fp32"`
	FusedAddNorm bool  `json:"fused_add_norm"`
	PadMultiple  int   `json:"pad_vocab_size_multiple"`
	Tied         *bool `json:"tie_embeddings,omitempty"` // nil is true
}

// ssmEpsilon is fixed in this layout.
const ssmEpsilon = 1e-5

// ssmLayout is a checkpoint of the layout: its tensors, and the options of its
// mixers. A config that has the layout already is kept.
func ssmLayout(s *Source, e *family.Ends, layers int, mixer any, tensors []container.Tensor) (*Conversion, error) {
	if e.Epsilon != ssmEpsilon {
		return nil, fmt.Errorf("ssm has %g in its norms and no key for another value, this model has %g", ssmEpsilon, e.Epsilon)
	}
	if s.Model.Family == "state-spaces" {
		return checkpointOf(s, s.Checkpoint.Config(), "torch-zip", tensors)
	}
	c := &ssmConfig{DModel: e.Embedding.Shape[1], NLayer: layers, RMSNorm: true, ResidualF32: true, FusedAddNorm: true, SSM: mixer}
	c.VocabSize, c.PadMultiple = padded(s.Model.VocabSize, e.Embedding.Shape[0])
	if tied := e.Tied(); !tied {
		c.Tied = &tied
	}
	return checkpointOf(s, c, "torch-zip", tensors)
}

// padded says of which multiple the stored rows of a vocabulary are: the
// layout's usual ones if they fit.
func padded(vocab, rows int) (size, multiple int) {
	for _, multiple := range []int{8, 16, 1} {
		if (vocab+multiple-1)/multiple*multiple == rows {
			return vocab, multiple
		}
	}
	return vocab, rows
}
