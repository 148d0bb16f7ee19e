package synth

import "fmt"

// mixer2 is the sizes of a Mamba-2 mixer, by the names of families.md §1.1.
type mixer2 struct {
	hiddenSize, heads, headDim       int
	groups, stateSize, convKernel    int
	bias, outBias, convBias, hasNorm bool
	// multipliers are of the rows of z, x, B, C and dt that in_proj gives; the
	// weights make up for them. nil for none.
	multipliers []float64
	// mlpSize is the width of the gated part beside the scan, and perElement
	// says that D is not of heads: options of the state-spaces layout (§5.1).
	mlpSize    int
	perElement bool
}

func (m *mixer2) innerSize() int { return m.heads * m.headDim }

// channels is what the convolution passes over.
func (m *mixer2) channels() int { return m.innerSize() + 2*m.groups*m.stateSize }

// check says what no mixer can have; the key is that of the groups.
func (m *mixer2) check(c *config, key string) {
	c.whole(key, "the number of heads", m.heads, "groups", m.groups)
}

// add appends the tensors of a mixer, in the order of use (families.md §3).
func (m *mixer2) add(s scope, gain float64) {
	d, e, channels := m.hiddenSize, m.innerSize(), m.channels()
	in := m.inputs()
	rows := rowsOf(in)
	s.add("in_proj.weight", parts(d, in...), rows, d)
	if m.bias {
		s.add("in_proj.bias", small, rows)
	}
	s.add("conv1d.weight", linear(m.convKernel, 1), channels, 1, m.convKernel)
	if m.convBias {
		s.add("conv1d.bias", small, channels)
	}
	s.keep("dt_bias", timeSteps, m.heads)
	s.keep("A_log", headDecayRates, m.heads)
	if m.perElement {
		s.keep("D", near1, e)
	} else {
		s.keep("D", near1, m.heads)
	}
	if m.hasNorm {
		s.norm("norm", e)
	}
	s.matrix("out_proj", d, e+m.mlpSize, gain, m.outBias)
}

// inputs is the rows of in_proj.
func (m *mixer2) inputs() []part {
	d, e, bc := m.hiddenSize, m.innerSize(), m.groups*m.stateSize
	by := m.multipliers
	if by == nil {
		by = []float64{1, 1, 1, 1, 1}
	}
	return []part{
		{2 * m.mlpSize, linear(d, 1)}, {e, linear(d, 1/by[0])}, {e, linear(d, 1/by[1])},
		{bc, linear(d, 1/by[2])}, {bc, linear(d, 1/by[3])}, {m.heads, linear(d, 0.5/by[4])},
	}
}

// mixerKeys are what a family calls the sizes that make up the inner size, each
// of which follows from the others.
type mixerKeys struct {
	expand, heads, headDim, groups string
	defaultGroups                  int
}

// completeMixer derives the sizes that are not named from those that are: the
// inner size is expand times the hidden size, and heads times the head dim.
func (c *config) completeMixer(hidden int, k mixerKeys) {
	groups := c.size(k.groups, k.defaultGroups)
	inner, heads, headDim := c.expanded(k.expand, hidden), 0, 0
	if c.has(k.heads) {
		heads = c.size(k.heads, 1)
	}
	if c.has(k.headDim) {
		headDim = c.sizeOrAuto(k.headDim, 0)
	}
	switch {
	case heads > 0 && headDim == 0:
		headDim = (inner + heads - 1) / heads
	case headDim > 0 && heads == 0:
		heads = roundUp((inner+headDim-1)/headDim, groups)
	case heads == 0:
		heads, headDim = headsOf(inner, groups)
	}
	c.setAbsent(k.heads, heads)
	if !c.has(k.headDim) || string(c.fields[k.headDim]) != `"auto"` {
		c.setAbsent(k.headDim, headDim)
	}
	c.setAbsent(k.expand, factor(heads*headDim, hidden))
	c.checkMixer(hidden, heads*headDim, k)
}

// checkMixer fails where the sizes contradict each other.
func (c *config) checkMixer(hidden, inner int, k mixerKeys) {
	if want := c.expanded(k.expand, hidden); want != inner {
		c.fail(k.heads, errContradiction(inner, want, k.expand))
	}
}

// headsOf cuts an inner size into heads of at most 64 in whole groups.
func headsOf(inner, groups int) (heads, headDim int) {
	for headDim = min(64, inner); headDim > 1; headDim-- {
		if inner%headDim == 0 && inner/headDim%groups == 0 {
			break
		}
	}
	return roundUp((inner+headDim-1)/headDim, groups), headDim
}

func errContradiction(inner, want int, expand string) error {
	return fmt.Errorf("times the head dim is %d, but %s makes an inner size of %d", inner, expand, want)
}
