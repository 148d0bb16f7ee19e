package convert

import (
	"fmt"

	"github.com/mambac/mambac/importer/family"
)

func init() {
	register(Target{
		Name: "ssm", About: "a folder as state-spaces/mamba has it: config.json, pytorch_model.bin",
		Folder: true, DTypes: []string{"f32", "f16", "bf16"},
	})
	registerWay("ssm", "mamba1", ssmMamba1)
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

// ssmMixer1 is the options of a Mamba-1 mixer.
type ssmMixer1 struct {
	DState   int     `json:"d_state"`
	DConv    int     `json:"d_conv"`
	Expand   float64 `json:"expand"`
	DtRank   int     `json:"dt_rank"`
	ConvBias bool    `json:"conv_bias"`
	Bias     bool    `json:"bias"`
}

// ssmEpsilon is fixed in this layout.
const ssmEpsilon = 1e-5

func ssmMamba1(s *Source, dtype string) (*Conversion, error) {
	m := &mamba1{Mamba1: s.Model.Architecture.(*family.Mamba1), source: s, dtype: dtype, embedding: "backbone.embedding.weight"}
	if m.Epsilon != ssmEpsilon {
		return nil, fmt.Errorf("ssm has %g in its norms and no key for another value, this model has %g", ssmEpsilon, m.Epsilon)
	}
	return checkpointOf(s, m.ssmConfig(), "torch-zip", m.tensors())
}

// ssmConfig is the config of a checkpoint that has the layout already, or a
// new one.
func (m *mamba1) ssmConfig() any {
	if m.source.Model.Family == "state-spaces" {
		return m.source.Checkpoint.Config()
	}
	mixer := m.first()
	c := &ssmConfig{
		DModel: m.hidden(), NLayer: len(m.Layers), RMSNorm: true, ResidualF32: true, FusedAddNorm: true,
		SSM: &ssmMixer1{
			DState: m.states(), DConv: m.taps(), Expand: m.expand(), DtRank: m.rank(),
			ConvBias: mixer.ConvBias != nil, Bias: mixer.InProjBias != nil,
		},
	}
	c.VocabSize, c.PadMultiple = padded(m.source.Model.VocabSize, m.rows())
	if tied := m.tied(); !tied {
		c.Tied = &tied
	}
	return c
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
