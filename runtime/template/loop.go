package template

import "iter"

// Loop is one turn of a loop.
type Loop struct {
	Item  Value
	run   *Run
	items []Value
	index int // from 0

	last *Value // of Changed; shared by the turns
}

// Each goes through the items of a value.
func (r *Run) Each(v Value) iter.Seq[Value] {
	return func(yield func(Value) bool) {
		for _, item := range r.all(v) {
			if !r.turn() || !yield(item) {
				return
			}
		}
	}
}

// Loop goes through the items of a value, each with its place among them.
func (r *Run) Loop(v Value) iter.Seq[*Loop] {
	return func(yield func(*Loop) bool) {
		items, last := r.all(v), new(Value)
		for i, item := range items {
			if !r.turn() || !yield(&Loop{Item: item, run: r, items: items, index: i, last: last}) {
				return
			}
		}
	}
}

// turn counts a turn of a loop, and reports whether it may be taken.
func (r *Run) turn() bool {
	if r.turns++; r.turns > limitTurns {
		r.fail("its loops take more than %d turns", limitTurns)
	}
	return !r.ended()
}

// Index counts turns from 1.
func (l *Loop) Index() Value { return Int(int64(l.index + 1)) }

// Index0 counts turns from 0.
func (l *Loop) Index0() Value { return Int(int64(l.index)) }

// RevIndex counts turns down to 1.
func (l *Loop) RevIndex() Value { return Int(int64(len(l.items) - l.index)) }

// RevIndex0 counts turns down to 0.
func (l *Loop) RevIndex0() Value { return Int(int64(len(l.items) - l.index - 1)) }

// First reports whether this is the first turn.
func (l *Loop) First() bool { return l.index == 0 }

// Last reports whether this is the last turn.
func (l *Loop) Last() bool { return l.index == len(l.items)-1 }

// Length is the number of turns.
func (l *Loop) Length() Value { return Int(int64(len(l.items))) }

// PrevItem is the item before.
func (l *Loop) PrevItem() Value {
	if l.First() {
		return Value{undefined{"there is no previous item"}}
	}
	return l.items[l.index-1]
}

// NextItem is the item behind.
func (l *Loop) NextItem() Value {
	if l.Last() {
		return Value{undefined{"there is no next item"}}
	}
	return l.items[l.index+1]
}

// Cycle is one of the values after the other, turn by turn.
func (l *Loop) Cycle(values ...Value) Value {
	if len(values) == 0 {
		return l.run.fail("no items for cycling given")
	}
	return values[l.index%len(values)]
}

// Changed reports whether the values are not those of its last call.
func (l *Loop) Changed(values ...Value) bool {
	v := Tuple(values...)
	same := l.run.Equal(v, *l.last)
	*l.last = v
	return !same
}

// Range is the list of whole numbers of Python's range.
func (r *Run) Range(bounds ...Value) Value {
	var n [3]int64
	for i, b := range bounds {
		x, ok := b.whole()
		if !ok {
			return r.fail("%s bounds no range", b.kind())
		}
		n[i] = x
	}
	start, end, step := n[0], n[1], n[2]
	switch len(bounds) {
	case 1:
		start, end, step = 0, n[0], 1
	case 2:
		step = 1
	}
	if step == 0 {
		return r.fail("a range's step is zero")
	}
	items := []Value{}
	for i := start; step > 0 && i < end || step < 0 && i > end; i += step {
		if len(items) == limitRange {
			return r.fail("a range of more than %d numbers", limitRange)
		}
		items = append(items, Int(i))
	}
	return List(items...)
}
