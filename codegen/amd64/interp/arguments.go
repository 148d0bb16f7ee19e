package interp

import (
	"encoding/binary"
	"fmt"
	"math"
)

// argument is a slice of the caller and the memory that stands for it.
type argument struct {
	first  any // pointer to the first element
	region *region
	slice  any
}

// passArguments lays out the frame: slices as pointer, length, capacity.
func (s *state) passArguments(fn *function, args []any) ([]*argument, error) {
	frame := &region{name: "arguments", base: frameBase, readOnly: true}
	var list []*argument
	for i, value := range args {
		if n, ok := value.(int); ok {
			frame.data = binary.LittleEndian.AppendUint64(frame.data, uint64(n))
			continue
		}
		a, err := newArgument(i, value)
		if err != nil {
			return nil, err
		}
		if same := findArgument(list, a); same != nil {
			a.region = same.region
		} else {
			s.regions = append(s.regions, a.region)
		}
		list = append(list, a)
		frame.data = binary.LittleEndian.AppendUint64(frame.data, a.region.base)
		n := uint64(lengthOf(value))
		frame.data = binary.LittleEndian.AppendUint64(frame.data, n)
		frame.data = binary.LittleEndian.AppendUint64(frame.data, n)
	}
	if len(frame.data) != fn.frame {
		return nil, fmt.Errorf("have %d bytes of arguments, the function takes %d", len(frame.data), fn.frame)
	}
	s.regions = append(s.regions, frame, &region{name: "locals", base: localsBase, data: make([]byte, fn.locals)})
	return list, nil
}

func newArgument(i int, value any) (*argument, error) {
	a := &argument{slice: value}
	align := uint64(4)
	var data []byte
	switch v := value.(type) {
	case []float32:
		a.first = firstElement(v)
		for _, e := range v {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(e))
		}
	case []int32:
		a.first = firstElement(v)
		for _, e := range v {
			data = binary.LittleEndian.AppendUint32(data, uint32(e))
		}
	case []uint16:
		align = 2
		a.first = firstElement(v)
		for _, e := range v {
			data = binary.LittleEndian.AppendUint16(data, e)
		}
	default:
		return nil, fmt.Errorf("argument %d is of type %T", i, value)
	}
	base := slicesBase + uint64(i)<<regionShift + 64 + align
	a.region = &region{name: fmt.Sprintf("argument %d", i), base: base, data: data}
	return a, nil
}

func firstElement[T any](v []T) any {
	if len(v) == 0 {
		return nil
	}
	return &v[0]
}

func lengthOf(slice any) int {
	switch v := slice.(type) {
	case []float32:
		return len(v)
	case []int32:
		return len(v)
	case []uint16:
		return len(v)
	}
	return 0
}

// findArgument finds an earlier argument that is the same memory; the region
// of a longer slice serves both.
func findArgument(list []*argument, a *argument) *argument {
	for _, earlier := range list {
		if a.first != nil && earlier.first == a.first {
			if len(a.region.data) > len(earlier.region.data) {
				earlier.region.data = a.region.data
			}
			return earlier
		}
	}
	return nil
}

// copyBack gives the caller what the function wrote.
func (a *argument) copyBack() {
	switch v := a.slice.(type) {
	case []float32:
		for i := range v {
			v[i] = math.Float32frombits(binary.LittleEndian.Uint32(a.region.data[4*i:]))
		}
	case []int32:
		for i := range v {
			v[i] = int32(binary.LittleEndian.Uint32(a.region.data[4*i:]))
		}
	case []uint16:
		for i := range v {
			v[i] = binary.LittleEndian.Uint16(a.region.data[2*i:])
		}
	}
}
