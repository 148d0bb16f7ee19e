package synth

import (
	"fmt"
	"math"
)

func init() {
	registerFamily(family{
		name:       "state-spaces",
		container:  "torch-zip",
		recognise:  func(c *config) bool { return c.has("d_model") && c.has("n_layer") && !c.has("model_type") },
		parameters: statespacesParameters,
		complete:   completeStatespaces,
		base: `{"attn_cfg": {}, "attn_layer_idx": [], "d_intermediate": 0, "fused_add_norm": true, "pad_vocab_size_multiple": 8,
			"residual_in_fp32": true, "rms_norm": true, "ssm_cfg": {}, "tie_embeddings": true}`,
		small: `{"d_model": 64, "n_layer": 2, "vocab_size": 250}`,
		presets: []preset{
			// No published sizes: those of mamba2-130m, with Mamba-3 for mixers.
			{"mamba3-siso-like", `{"d_intermediate": 1536, "d_model": 768, "n_layer": 12, "pad_vocab_size_multiple": 16,
				"ssm_cfg": {"layer": "Mamba3", "d_state": 128, "headdim": 64}, "vocab_size": 50277}`},
			{"mamba3-mimo-like", `{"d_intermediate": 1536, "d_model": 768, "n_layer": 12, "pad_vocab_size_multiple": 16,
				"ssm_cfg": {"layer": "Mamba3", "d_state": 128, "headdim": 64, "is_mimo": true, "mimo_rank": 4}, "vocab_size": 50277}`},
		},
	})
}

// completeStatespaces cuts the inner size into heads.
func completeStatespaces(c *config) {
	ssm := c.object("ssm_cfg")
	if layer := ssm.text("layer"); layer == "Mamba2" || layer == "Mamba3" {
		inner := ssm.expanded("expand", c.size("d_model", 2560))
		if ssm.has("d_ssm") {
			inner = ssm.size("d_ssm", 1)
		}
		_, headDim := headsOf(inner, ssm.size("ngroups", 1))
		ssm.setAbsent("headdim", headDim)
		c.set("ssm_cfg", ssm.fields)
	}
	c.join(ssm)
}

// statespaces is a model in the layout of state-spaces/mamba.
type statespaces struct {
	hiddenSize, intermediate int // 0 without MLPs
	layerNorm                bool
	mixer                    func(s scope, gain float64)
	attention                *statespacesAttention
}

// statespacesParameters restates families.md §5. The head is always stored.
func statespacesParameters(c *config, s scope) {
	hidden, layers := c.size("d_model", 2560), c.layers("n_layer", 64)
	ssm, attn := c.object("ssm_cfg"), c.object("attn_cfg")
	m := &statespaces{hiddenSize: hidden, intermediate: roundUp(c.count("d_intermediate", 0), 128), layerNorm: !c.flag("rms_norm", true)}
	m.mixer = statespacesMixer(ssm, hidden)
	c.join(ssm)
	isAttention := c.indices("attn_layer_idx", layers)
	if len(isAttention) > 0 {
		m.attention = attn.statespacesAttention(hidden)
		c.join(attn)
	}
	e := &ends{
		vocabulary: roundUp(c.size("vocab_size", 50277), c.size("pad_vocab_size_multiple", 8)), hiddenSize: hidden,
		tied: c.flag("tie_embeddings", true), embedding: "backbone.embedding.weight", head: "lm_head.weight", multiplier: 1, factor: 1,
	}
	branches := layers
	if m.intermediate > 0 {
		branches *= 2
	}
	e.begin(s)
	for i := range layers {
		m.layer(s.in("backbone.layers."+itoa(i)), isAttention[i], e.gain(branches, 1))
	}
	m.norm(s, "backbone.norm_f")
	e.end(s)
}

// norm appends a norm, which has a bias if it is LayerNorm.
func (m *statespaces) norm(s scope, name string) {
	s.norm(name, m.hiddenSize)
	if m.layerNorm {
		s.add(name+".bias", small, m.hiddenSize)
	}
}

func (m *statespaces) layer(s scope, isAttention bool, gain float64) {
	m.norm(s, "norm")
	if isAttention {
		m.attention.add(s.in("mixer"), gain)
	} else {
		m.mixer(s.in("mixer"), gain)
	}
	if m.intermediate > 0 {
		m.norm(s, "norm2")
		s.matrix("mlp.fc1", 2*m.intermediate, m.hiddenSize, 1, false)
		s.matrix("mlp.fc2", m.hiddenSize, m.intermediate, gain, false)
	}
}

// statespacesMixer reads an ssm_cfg.
func statespacesMixer(ssm *config, hidden int) func(scope, float64) {
	switch layer := ssm.text("layer"); layer {
	case "", "Mamba1":
		return (&mixer1{
			hiddenSize: hidden,
			innerSize:  ssm.expanded("expand", hidden),
			stateSize:  ssm.size("d_state", 16),
			convKernel: ssm.size("d_conv", 4),
			dtRank:     ssm.sizeOrAuto("dt_rank", roundUp(hidden, 16)/16),
			bias:       ssm.flag("bias", false),
			convBias:   ssm.flag("conv_bias", true),
		}).add
	case "Mamba2":
		return ssm.statespacesMixer2(hidden).add
	case "Mamba3":
		return ssm.mixer3(hidden).add
	default:
		ssm.fail("layer", fmt.Errorf("have %q, want Mamba1, Mamba2 or Mamba3", layer))
		return func(scope, float64) {}
	}
}

// statespacesMixer2 is families.md §5.1.
func (c *config) statespacesMixer2(hidden int) *mixer2 {
	inner := c.expanded("expand", hidden)
	scanned := inner
	if c.has("d_ssm") {
		scanned = c.size("d_ssm", inner)
	}
	if scanned > inner {
		c.fail("d_ssm", fmt.Errorf("have %d of an inner size of %d", scanned, inner))
		scanned = inner
	}
	m := &mixer2{
		hiddenSize: hidden, headDim: c.size("headdim", 64), groups: c.size("ngroups", 1), stateSize: c.size("d_state", 128),
		convKernel: c.size("d_conv", 4), bias: c.flag("bias", false), convBias: c.flag("conv_bias", true),
		hasNorm: c.flag("rmsnorm", true), mlpSize: inner - scanned, perElement: c.flag("D_has_hdim", false),
	}
	m.outBias = m.bias
	m.heads = c.whole("headdim", "the scanned size", scanned, "the head dim", m.headDim)
	m.check(c, "ngroups")
	c.flag("norm_before_gate", false) // known, of no effect on shapes
	return m
}

// statespacesAttention is the sizes of families.md §5.2.
type statespacesAttention struct {
	hiddenSize, heads, kvHeads, headDim, mlpSize, convKernel int
	bias, outBias                                            bool
	scale                                                    float64
}

func (c *config) statespacesAttention(hidden int) *statespacesAttention {
	a := &statespacesAttention{hiddenSize: hidden, heads: c.size("num_heads", 0), mlpSize: roundUp(c.count("mlp_dim", 0), 256),
		convKernel: c.count("d_conv", 0), bias: c.flag("qkv_proj_bias", true), outBias: c.flag("out_proj_bias", true)}
	a.kvHeads = c.size("num_heads_kv", a.heads)
	c.whole("num_heads", "the number of heads", a.heads, "KV heads", a.kvHeads)
	if c.has("head_dim") {
		a.headDim = c.size("head_dim", 1)
	} else {
		a.headDim = c.whole("num_heads", "the hidden size", hidden, "heads", a.heads)
	}
	a.scale = c.positive("softmax_scale", 1/math.Sqrt(float64(a.headDim)))
	return a
}

// add appends the tensors, in the order of use.
func (a *statespacesAttention) add(s scope, gain float64) {
	d, q, kv := a.hiddenSize, a.headDim*a.heads, a.headDim*a.kvHeads
	sharp := 1 / math.Sqrt(a.scale*math.Sqrt(float64(a.headDim)))
	rows := q + 2*kv + a.mlpSize
	s.add("in_proj.weight", parts(d, part{q + kv, linear(d, sharp)}, part{kv + a.mlpSize, linear(d, 1)}), rows, d)
	if a.bias {
		s.add("in_proj.bias", small, rows)
	}
	if a.convKernel > 0 {
		s.add("conv1d.weight", linear(a.convKernel, 1), q+2*kv, 1, a.convKernel)
		s.add("conv1d.bias", small, q+2*kv)
	}
	s.matrix("out_proj", d, q+a.mlpSize/2, gain, a.outBias)
}
