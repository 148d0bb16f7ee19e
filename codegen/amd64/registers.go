package amd64

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/reg"
)

// compilation is avo's pass.Compile with a choice of registers of our own: the
// same choice, in a time that grows with the function and not with its square,
// which for large tiles is most of what a build takes.
var compilation = pass.Concat(
	pass.Verify,
	pass.FunctionPass(pass.PruneJumpToFollowingLabel),
	pass.FunctionPass(pass.PruneDanglingLabels),
	pass.FunctionPass(pass.LabelTarget),
	pass.FunctionPass(pass.CFG),
	pass.InstructionPass(pass.ZeroExtend32BitOutputs),
	pass.FunctionPass(chooseRegisters),
	pass.FunctionPass(pass.BindRegisters),
	pass.FunctionPass(pass.VerifyAllocation),
	pass.FunctionPass(pass.EnsureBasePointerCalleeSaved),
	pass.Func(pass.IncludeTextFlagHeader),
	pass.FunctionPass(pass.PruneSelfMoves),
	pass.FunctionPass(pass.RequiredISAExtensions),
)

// choice gives virtual registers physical ones: always to that one for which
// the fewest are left, and of those with as few, to the first that was made, the
// first one left for it.
type choice struct {
	ids    []reg.ID
	left   []uint32 // for a virtual register, by place in the order of its kind
	beside [][]int  // virtual registers that need another register than this one
}

func chooseRegisters(fn *ir.Function) error {
	f := flowOf(fn)
	c := &choice{f.ids, make([]uint32, len(f.ids)), make([][]int, len(f.ids))}
	for n, id := range c.ids {
		if id.IsVirtual() {
			c.left[n] = 1<<len(order[id.Kind()]) - 1
		}
	}
	f.each(c.interfere)
	var err error
	if fn.Allocation, err = c.allocate(); err != nil {
		return fmt.Errorf("%s: %w", fn.Name, err)
	}
	return nil
}

// interfere notes that a register which is written needs another place than
// those of its kind that are read later.
func (c *choice) interfere(t traffic, after *liveness) {
	for _, w := range t.writes {
		for _, r := range after.list {
			if r == w.register || after.bits[r]&w.bits == 0 || c.ids[r].Kind() != c.ids[w.register].Kind() {
				continue
			}
			c.separate(w.register, r)
		}
	}
}

func (c *choice) separate(a, b int) {
	switch first, second := c.ids[a], c.ids[b]; {
	case first.IsVirtual() && second.IsVirtual():
		c.beside[a], c.beside[b] = append(c.beside[a], b), append(c.beside[b], a)
	case first.IsVirtual():
		c.exclude(a, second)
	case second.IsVirtual():
		c.exclude(b, first)
	}
}

// exclude takes a physical register from those that are left for a virtual one.
func (c *choice) exclude(virtual int, physical reg.ID) {
	if at := slices.Index(order[physical.Kind()], physical); at >= 0 {
		c.left[virtual] &^= 1 << at
	}
}

func (c *choice) allocate() (reg.Allocation, error) {
	var open []int // virtual registers, in the order in which they were made
	for n, id := range c.ids {
		if id.IsVirtual() {
			open = append(open, n)
		}
	}
	slices.SortFunc(open, func(a, b int) int { return int(c.ids[a]) - int(c.ids[b]) })
	allocation := reg.NewEmptyAllocation()
	for len(open) > 0 {
		at := c.mostRestricted(open)
		v := open[at]
		if c.left[v] == 0 {
			return nil, errors.New("more registers at once than there are")
		}
		p := bits.TrailingZeros32(c.left[v])
		allocation[c.ids[v]] = order[c.ids[v].Kind()][p]
		for _, other := range c.beside[v] {
			c.left[other] &^= 1 << p
		}
		open = slices.Delete(open, at, at+1)
	}
	return allocation, nil
}

// mostRestricted is the place in a list of that register which has the fewest left.
func (c *choice) mostRestricted(list []int) int {
	best, fewest := 0, 33
	for i, v := range list {
		if n := bits.OnesCount32(c.left[v]); n < fewest {
			best, fewest = i, n
		}
	}
	return best
}

// order is the physical registers of each kind, in which the first is taken first.
var order = map[reg.Kind][]reg.ID{
	reg.KindGP:     orderOf(reg.GeneralPurpose),
	reg.KindVector: orderOf(reg.Vector),
	reg.KindOpmask: orderOf(reg.Opmask),
}

// orderOf puts the base pointer last: who writes it has to restore it.
func orderOf(family *reg.Family) []reg.ID {
	var list, last []reg.ID
	for _, r := range family.Registers() {
		switch {
		case r.Info()&reg.Restricted != 0 || slices.Contains(list, r.ID()) || slices.Contains(last, r.ID()):
		case r.Info()&reg.BasePointer != 0:
			last = append(last, r.ID())
		default:
			list = append(list, r.ID())
		}
	}
	slices.Sort(list)
	return append(list, last...)
}
