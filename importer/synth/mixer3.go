package synth

import "errors"

// mixer3 is the sizes of a Mamba-3 mixer, by the names of families.md §4.
type mixer3 struct {
	hiddenSize, heads, headDim      int
	groups, stateSize, rank, angles int
	isMIMO, hasNorm                 bool
}

// add appends the tensors of a mixer, in the order of use.
func (m *mixer3) add(s scope, gain float64) {
	d, e, h, n, r := m.hiddenSize, m.heads*m.headDim, m.heads, m.stateSize, m.rank
	rows := 2*e + 2*r*m.groups*n + 3*h + m.angles
	s.add("in_proj.weight", parts(d, part{rows - 3*h - m.angles, linear(d, 1)}, part{h, linear(d, 0.5)}, part{2*h + m.angles, linear(d, 1)}), rows, d)
	s.keep("dt_bias", timeSteps, h)
	s.keep("B_bias", near1, h, r, n)
	s.keep("C_bias", near1, h, r, n)
	s.norm("B_norm", n)
	s.norm("C_norm", n)
	s.keep("D", near1, h)
	if m.isMIMO {
		share := normal(1/float64(r), 0.1/float64(r))
		s.keep("mimo_x", share, h, r, m.headDim)
		s.keep("mimo_z", near1, h, r, m.headDim)
		s.keep("mimo_o", share, h, r, m.headDim)
	}
	if m.hasNorm {
		s.norm("norm", e)
	}
	s.matrix("out_proj", d, e, gain, false)
}

// mixer3 reads an ssm_cfg of Mamba-3.
func (c *config) mixer3(hidden int) *mixer3 {
	m := &mixer3{hiddenSize: hidden, groups: c.size("ngroups", 1), stateSize: c.size("d_state", 128), rank: 1,
		isMIMO: c.flag("is_mimo", false), hasNorm: c.flag("is_outproj_norm", false)}
	rank := c.size("mimo_rank", 4)
	if m.isMIMO {
		m.rank = rank
	}
	m.headDim = c.size("headdim", 64)
	m.heads = c.whole("headdim", "the inner size", c.expanded("expand", hidden), "the head dim", m.headDim)
	c.whole("ngroups", "the number of heads", m.heads, "groups", m.groups)
	fraction := c.number("rope_fraction", 0.5)
	if fraction != 0.5 && fraction != 1 {
		c.fail("rope_fraction", errors.New("want 0.5 or 1"))
	}
	c.number("A_floor", 1e-4) // known, of no effect on shapes
	c.flag("fuse_pregate_headwise_norm", true)
	if m.angles = int(float64(m.stateSize)*fraction) / 2; m.angles < 1 {
		c.fail("d_state", errors.New("leaves no angle to turn by"))
	}
	return m
}
