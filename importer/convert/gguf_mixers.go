package convert

// ggufContext is the length of a context that is written: any will do, as the
// state has one size.
const ggufContext = 1 << 20

// mixerSizes are the sizes of a model of mixers alone.
type mixerSizes interface {
	hidden() int
	taps() int
	inner() int
	states() int
}

// mixers writes the sizes that llama.cpp wants of both kinds of Mamba.
func (g *ggufModel) mixers(architecture string, m mixerSizes, layers, rank int) {
	g.size(architecture+".context_length", ggufContext)
	g.size(architecture+".embedding_length", m.hidden())
	g.size(architecture+".feed_forward_length", 0)  // wanted, not used
	g.size(architecture+".attention.head_count", 0) // the same
	g.size(architecture+".block_count", layers)
	g.size(architecture+".ssm.conv_kernel", m.taps())
	g.size(architecture+".ssm.inner_size", m.inner())
	g.size(architecture+".ssm.state_size", m.states())
	g.size(architecture+".ssm.time_step_rank", rank)
}
