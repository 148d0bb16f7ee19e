package kerneltest

import (
	"fmt"
	"math"
)

// Case is one call of a kernel and what must come of it.
type Case struct {
	Name   string
	kernel Kernel
	inputs []input
	apart  bool // levels may differ, as twins do

	outputs outputs
	fill    func(outcomes)
	known   outcomes // what fill says, once somebody has asked
}

// outputs are the slices that a kernel writes, with what they hold before, and
// outcomes what they must hold afterwards, by the names of parameters.
type (
	outputs  map[string][]float32
	outcomes map[string]*outcome
)

// expect completes a case: fill sets what is written to its outputs. That is most
// of what a case costs, and left until somebody compares.
func (c *Case) expect(o outputs, fill func(want outcomes)) *Case {
	c.outputs, c.fill = o, fill
	return c
}

// want is what must come of the case.
func (c *Case) want() outcomes {
	if c.known == nil {
		c.known = outcomes{}
		for name, content := range c.outputs {
			c.known[name] = unwritten(content)
		}
		c.fill(c.known)
	}
	return c.known
}

// input is an argument before a call; value may be an alias.
type input struct {
	name  string
	value any
}

// alias is the name of an earlier parameter whose slice this one is.
type alias string

// axis is a count that a kernel loops over without dependence between the
// units but through its state: from one unit to the next the slices, and numbers
// that say where they begin, advance by strides.
type axis struct {
	count   string
	strides map[string]int
}

// Judgement says which code a result comes from.
type Judgement int

// Assembly is judged strictly: where the kind fixes the order of operations,
// by bits. Twins round every product, so linear chains differ within a bound.
const (
	Strict Judgement = iota
	Loose
)

// Check runs the case and judges the result.
func (c *Case) Check(j Judgement, run func(*Call) error) error {
	call, err := c.run(run)
	if err != nil {
		return err
	}
	for name, w := range c.want() {
		if err := w.judge(j, call.F32(name)); err != nil {
			return fmt.Errorf("%s%w", name, err)
		}
	}
	return nil
}

// CheckSplit demands that unit after unit gives the same bits as all at once.
func (c *Case) CheckSplit(run func(*Call) error) error {
	for _, x := range c.kernel.axes() {
		err := c.CheckSame(run, func(call *Call) error {
			for i := range call.Int(x.count) {
				if err := run(call.part(x, i, 1)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("%s one by one: %w", x.count, err)
		}
	}
	return nil
}

// CheckSame demands the same bits from two ways of computing; NaN equals NaN.
func (c *Case) CheckSame(a, b func(*Call) error) error {
	return c.compare(a, b, func(w *outcome, i int, got, want float32) bool { return within(got, want, min(w.loose[i], 0)) })
}

// CheckClose demands results within the bound of twins from two ways of
// computing.
func (c *Case) CheckClose(a, b func(*Call) error) error {
	return c.compare(a, b, func(w *outcome, i int, got, want float32) bool {
		return within(got, want, max(w.loose[i], 2*w.loose[i]))
	})
}

// CheckLevels is CheckSame for the code of two levels, or CheckClose where the
// kind leaves the last bits to them.
func (c *Case) CheckLevels(a, b func(*Call) error) error {
	if c.apart {
		return c.CheckClose(a, b)
	}
	return c.CheckSame(a, b)
}

func (c *Case) compare(a, b func(*Call) error, equal func(w *outcome, i int, got, want float32) bool) error {
	first, err := c.run(a)
	if err != nil {
		return err
	}
	second, err := c.run(b)
	if err != nil {
		return err
	}
	for name, w := range c.want() {
		want := second.F32(name)
		for i, got := range first.F32(name) {
			if !equal(w, i, got, want[i]) {
				return fmt.Errorf("%s[%d] = %v (%#x) one way and %v (%#x) the other",
					name, i, got, math.Float32bits(got), want[i], math.Float32bits(want[i]))
			}
		}
	}
	return nil
}

// run makes a fresh call, runs it and looks for stray writes.
func (c *Case) run(run func(*Call) error) (*Call, error) {
	call := &Call{}
	for _, in := range c.inputs {
		call.add(in.name, in.value)
	}
	if err := run(call); err != nil {
		return nil, err
	}
	if err := call.checkGuards(); err != nil {
		return nil, err
	}
	return call, c.checkInputs(call)
}

// checkInputs finds a write to what is no output.
func (c *Case) checkInputs(call *Call) error {
	for _, in := range c.inputs {
		if _, written := c.outputs[in.name]; written || in.name == scratch {
			continue
		}
		var at int
		switch v := in.value.(type) {
		case []float32:
			at = firstDifference(v, call.F32(in.name), func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) })
		case []uint16:
			at = firstDifference(v, call.U16(in.name), func(a, b uint16) bool { return a == b })
		case []uint8:
			at = firstDifference(v, call.U8(in.name), func(a, b uint8) bool { return a == b })
		case []int32:
			at = firstDifference(v, call.I32(in.name), func(a, b int32) bool { return a == b })
		default:
			continue
		}
		if at >= 0 {
			return fmt.Errorf("%s[%d] is written, an input", in.name, at)
		}
	}
	return nil
}

// scratch is the name of the parameter whose content nobody promises.
const scratch = "scratch"

func firstDifference[T any](a, b []T, equal func(a, b T) bool) int {
	for i := range a {
		if !equal(a[i], b[i]) {
			return i
		}
	}
	return -1
}
