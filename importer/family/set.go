package family

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/tensor"
)

// Set hands out the tensors of a checkpoint as parameters and remembers which
// were used; the first error sticks.
type Set struct {
	tensors Tensors
	used    map[string]*ir.Param
	missing []string
	ignored map[string]bool
	err     error
}

// NewSet starts with nothing used.
func NewSet(t Tensors) *Set {
	return &Set{tensors: t, used: map[string]*ir.Param{}, ignored: map[string]bool{}}
}

// param is the first of the named tensors that is there, whatever its shape.
func (s *Set) param(names ...string) *ir.Param {
	for _, name := range names {
		if p := s.used[name]; p != nil {
			return p
		}
		if t, ok := s.tensors.Find(name); ok {
			if !t.DType.IsFloat() {
				s.fail("%s: holds %v, want real numbers", name, t.DType)
			}
			p := &ir.Param{Name: name, Shape: t.Shape, DType: t.DType, Source: t.Source}
			s.used[name] = p
			return p
		}
	}
	s.missing = append(s.missing, names[0])
	return nil
}

// shaped is param with its axes checked; why says where a wanted size is from.
func (s *Set) shaped(why string, shape tensor.Shape, names ...string) *ir.Param {
	p := s.param(names...)
	if p != nil && !p.Shape.Equal(shape) {
		s.fail("%s: have %v, want %v (%s); is config.json from this checkpoint?", p.Name, p.Shape, shape, why)
	}
	return p
}

// axes is a parameter that must have that many axes, so that sizes can be
// read off it.
func (s *Set) axes(n int, names ...string) *ir.Param {
	p := s.param(names...)
	if p == nil {
		return nil
	}
	for _, d := range p.Shape {
		if d <= 0 {
			s.fail("%s: have %v, an axis is empty", p.Name, p.Shape)
		}
	}
	if len(p.Shape) != n {
		s.fail("%s: have %v, want %d axes", p.Name, p.Shape, n)
	}
	return p
}

// has reports whether a tensor is there.
func (s *Set) has(name string) bool {
	_, ok := s.tensors.Find(name)
	return ok
}

// ignore marks tensors that a family knows and does not need.
func (s *Set) ignore(names ...string) {
	for _, name := range names {
		s.ignored[name] = true
	}
}

func (s *Set) fail(format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf(format, args...)
	}
}

// check reports what is wrong so far: missing tensors first, as a wrong shape
// often follows from them.
func (s *Set) check() error {
	if len(s.missing) > 0 {
		return fmt.Errorf("%d tensors are missing: %s", len(s.missing), firstThree(s.missing))
	}
	return s.err
}

// finish is check, and proves that every tensor was used.
func (s *Set) finish() error {
	if err := s.check(); err != nil {
		return err
	}
	var unused []string
	for _, name := range s.tensors.Names() {
		if s.used[name] == nil && !s.ignored[name] {
			unused = append(unused, name)
		}
	}
	if len(unused) > 0 {
		return fmt.Errorf("%d tensors are not used by this family: %s", len(unused), firstThree(unused))
	}
	return nil
}

func firstThree(names []string) string {
	names = slices.Clone(names)
	if len(names) > 3 {
		return strings.Join(names[:3], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}

// agree fails where a config contradicts a size read off a tensor.
func (s *Set) agree(key string, config, have int, from string) {
	if config != have {
		s.fail("config.json: %s is %d, but %s says %d; is config.json from this checkpoint?", key, config, from, have)
	}
}
