package kerneltest

import (
	"fmt"
	"iter"
)

// Mamba3 advances the states of heads by what is ready of each token, and reads
// them out: x = w_0·k_0 and fma(w_j, k_j, x) in ascending j, h = fma(decay, h, x),
// acc = fma(h, q, acc) from the skip.
type Mamba3 struct {
	HeadDim, States, Rank int
	StrideReady, StrideY  int
}

// Cases implements Kernel.
func (m Mamba3) Cases() iter.Seq[*Case] {
	return func(yield func(*Case) bool) {
		most := min(m.StrideReady/m.ready().floats(), m.StrideY/(m.Rank*m.HeadDim))
		for _, n := range headCounts(most) {
			for _, f := range flavours {
				if !yield(m.newCase(n, f)) {
					return
				}
			}
		}
	}
}

func (m Mamba3) axes() []axis {
	return []axis{
		{"tokens", map[string]int{"y": m.StrideY, "ready": m.StrideReady}},
		{"heads", map[string]int{"y": m.Rank * m.HeadDim, "ready": m.ready().floats(), "h": padGroup(m.HeadDim) * m.States}},
	}
}

func (m Mamba3) ready() mamba3Ready { return mamba3Ready{m.HeadDim, m.States, m.Rank} }

// mamba3Ready is the row of a token and head: the elements of 2R inputs and of R
// skips, in whole groups of channels; the decay; 2R keys; R queries.
type mamba3Ready struct{ dim, states, rank int }

func (r mamba3Ready) input(j int) int { return j * padGroup(r.dim) }
func (r mamba3Ready) skip(i int) int  { return r.input(2*r.rank + i) }
func (r mamba3Ready) decay() int      { return r.input(3 * r.rank) }
func (r mamba3Ready) key(j int) int   { return r.decay() + groupChannels + j*r.states }
func (r mamba3Ready) query(i int) int { return r.key(2*r.rank + i) }
func (r mamba3Ready) floats() int     { return r.key(0) + padGroup(3*r.rank*r.states) }

func (m Mamba3) newCase(n headCount, f flavour) *Case {
	c := &Case{Name: fmt.Sprintf("heads=%d/tokens=%d/%s", n.heads, n.tokens, f), kernel: m}
	v := newValues(c.Name, f)
	y := v.f32(rows(n.tokens, m.StrideY, n.heads*m.Rank*m.HeadDim))
	ready := v.f32(rows(n.tokens, m.StrideReady, n.heads*m.ready().floats()))
	h := v.f32(n.heads * padGroup(m.HeadDim) * m.States)
	c.inputs = []input{{"y", y}, {"ready", ready}, {"h", h}, {"heads", n.heads}, {"tokens", n.tokens}}
	return c.expect(outputs{"y": y, "h": h}, func(want outcomes) {
		out, after := want["y"], want["h"]
		for i := range n.heads {
			state := newHeadState(h, m.HeadDim, m.States, i)
			for t := range n.tokens {
				row := ready[t*m.StrideReady+i*m.ready().floats():]
				for p := range m.HeadDim {
					m.element(row, state, p)
					for r := range m.Rank {
						sum := m.readOut(row, state, p, r)
						out.near(t*m.StrideY+(i*m.Rank+r)*m.HeadDim+p, sum.value, sum.err)
					}
				}
			}
			if n.tokens > 0 {
				state.expect(after)
			}
		}
	})
}

// element advances the states of row p.
func (m Mamba3) element(row []float32, state *headState, p int) {
	at := m.ready()
	for n := range m.States {
		in := number{}
		for j := range 2 * m.Rank {
			in = in.plus(exactly(row[at.input(j)+p]).times(exactly(row[at.key(j)+n])))
		}
		state.put(p, n, exactly(row[at.decay()]).times(state.at(p, n)).plus(in))
	}
}

// readOut is output r of row p.
func (m Mamba3) readOut(row []float32, state *headState, p, r int) number {
	at := m.ready()
	sum := exactly(row[at.skip(r)+p])
	for n := range m.States {
		sum = sum.plus(state.at(p, n).times(exactly(row[at.query(r)+n])))
	}
	return sum
}
