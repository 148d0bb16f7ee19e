package interp

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"unsafe"
)

// span is the memory of a slice argument. The interpreter works on it in
// place, as the processor does; the order of its bytes is that of amd64.
type span struct {
	argument int
	start    uintptr
	data     []byte
	align    uint64
	pointer  uint64 // what the function gets
}

func (p *span) end() uintptr { return p.start + uintptr(len(p.data)) }

// passArguments lays out the frame: slices as pointer, length, capacity.
func (s *state) passArguments(fn *function, args []any) error {
	spans := make([]*span, len(args))
	var memory []*span
	for i, value := range args {
		if _, ok := value.(int); ok {
			continue
		}
		p, err := newSpan(i, value)
		if err != nil {
			return err
		}
		spans[i], memory = p, append(memory, p)
	}
	s.mapSpans(memory)
	frame := &region{name: "arguments", base: frameBase, readOnly: true}
	for i, value := range args {
		if spans[i] == nil {
			frame.data = binary.LittleEndian.AppendUint64(frame.data, uint64(value.(int)))
			continue
		}
		n := uint64(len(spans[i].data)) / spans[i].align
		for _, word := range []uint64{spans[i].pointer, n, n} {
			frame.data = binary.LittleEndian.AppendUint64(frame.data, word)
		}
	}
	if len(frame.data) != fn.frame {
		return fmt.Errorf("have %d bytes of arguments, the function takes %d", len(frame.data), fn.frame)
	}
	s.regions = append(s.regions, frame, &region{name: "locals", base: localsBase, data: make([]byte, fn.locals)})
	return nil
}

// mapSpans makes a region of every run of memory that spans share.
func (s *state) mapSpans(spans []*span) {
	slices.SortStableFunc(spans, func(a, b *span) int { return cmp.Compare(a.start, b.start) })
	for i := 0; i < len(spans); {
		first, end := spans[i], spans[i].end()
		n := 1
		for ; i+n < len(spans) && spans[i+n].start < end; n++ {
			end = max(end, spans[i+n].end())
		}
		r := &region{name: fmt.Sprintf("argument %d", first.argument), base: slicesBase + uint64(first.argument)<<regionShift + 64 + first.align}
		if len(first.data) > 0 {
			r.data = unsafe.Slice(&first.data[0], end-first.start)
		}
		s.regions = append(s.regions, r)
		for _, p := range spans[i : i+n] {
			p.pointer = r.base + uint64(p.start-first.start)
		}
		i += n
	}
}

func newSpan(i int, value any) (*span, error) {
	switch v := value.(type) {
	case []float32:
		return spanOf(i, v), nil
	case []int32:
		return spanOf(i, v), nil
	case []uint16:
		return spanOf(i, v), nil
	case []uint8:
		return spanOf(i, v), nil
	}
	return nil, fmt.Errorf("argument %d is of type %T", i, value)
}

func spanOf[T any](i int, v []T) *span {
	size := unsafe.Sizeof(*new(T))
	p := &span{argument: i, align: uint64(size)}
	if len(v) > 0 {
		p.start = uintptr(unsafe.Pointer(&v[0]))
		p.data = unsafe.Slice((*byte)(unsafe.Pointer(&v[0])), uintptr(len(v))*size)
	}
	return p
}
