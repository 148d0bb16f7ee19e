package family

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/tensor"
)

// Set hands out the tensors of a checkpoint as parameters and remembers which
// were used; the first error sticks.
type Set struct {
	tensors Tensors
	used    map[string]*ir.Param
	ignored map[string]bool
	missing names
	err     error
}

// NewSet starts with nothing used.
func NewSet(t Tensors) *Set {
	return &Set{tensors: t, used: map[string]*ir.Param{}, ignored: map[string]bool{}}
}

// names counts names and keeps the first three.
type names struct {
	count int
	first []string
}

func (n *names) add(name string) {
	if n.count++; len(n.first) < 3 {
		n.first = append(n.first, printable(name))
	}
}

// are says what is wrong with the names, their number and the first three.
func (n *names) are(what string) error {
	list := strings.Join(n.first, ", ")
	if n.count > len(n.first) {
		list += ", …"
	}
	if n.count == 1 {
		return fmt.Errorf("1 tensor is %s: %s", what, list)
	}
	return fmt.Errorf("%d tensors are %s: %s", n.count, what, list)
}

// has reports whether a tensor is there.
func (s *Set) has(name string) bool {
	_, ok := s.tensors.Find(name)
	return ok
}

// stored is the first of the names that is there, or the first.
func (s *Set) stored(names ...string) string {
	if i := slices.IndexFunc(names, s.has); i >= 0 {
		return names[i]
	}
	return names[0]
}

// require notes which tensors are missing.
func (s *Set) require(names ...string) {
	for _, name := range names {
		if !s.has(name) {
			s.missing.add(name)
		}
	}
}

// layers lists the indices i, in order, of which there is a tensor prefix+i+"."…
func (s *Set) layers(prefix string) []int {
	var list []int
	for _, name := range s.tensors.Names() {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			index, _, _ := strings.Cut(rest, ".")
			if i, err := strconv.ParseUint(index, 10, 30); err == nil && strconv.Itoa(int(i)) == index {
				list = append(list, int(i))
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// requireLayers is require for n layers, of which names lists what each stores.
func (s *Set) requireLayers(prefix string, n int, names func(i int) []string) {
	for i := range n {
		s.require(layerNames(prefix, i, names(i))...)
	}
}

// prefixed are names that begin alike.
func prefixed(prefix string, names ...string) []string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = prefix + name
	}
	return list
}

func layerNames(prefix string, i int, names []string) []string {
	return prefixed(prefix+strconv.Itoa(i)+".", names...)
}

// ignore marks tensors that a family knows and does not need.
func (s *Set) ignore(names ...string) {
	for _, name := range names {
		s.ignored[name] = true
	}
}

// ignoreAll marks tensors by how their names begin.
func (s *Set) ignoreAll(prefix string) {
	for _, name := range s.tensors.Names() {
		if strings.HasPrefix(name, prefix) {
			s.ignore(name)
		}
	}
}

// size is a size that shapes must agree with, and where it is from: a key of
// config.json or, where the config does not say, the name of a tensor.
type size struct {
	what string // "inner size"
	n    int    // 0 until known
	from string
}

// String prints the size for errors.
func (s size) String() string { return fmt.Sprintf("%s %d from %s", s.what, s.n, s.from) }

// learn reads a size that the config does not give off an axis of a tensor.
func (s *Set) learn(z *size, name string, axis int) {
	t, ok := s.tensors.Find(name)
	if z.n != 0 || !ok {
		return
	}
	if axis < len(t.Shape) {
		z.n, z.from = t.Shape[axis], name
	}
	if z.n < 1 || z.n > maxSize {
		s.fail("%s: have %v, from which no %s can be read", name, t.Shape, z.what)
	}
}

// axis is a wanted extent and the sizes that it is made of.
type axis struct {
	n  int
	of []size
}

// times is an axis of one size, taken that many times.
func (s size) times(n int) axis { return axis{n * s.n, []size{s}} }

// shaped is the parameter of that name, whose shape must be of these axes.
func (s *Set) shaped(name string, axes ...axis) *ir.Param {
	p := s.used[name]
	if p == nil {
		t, ok := s.tensors.Find(name)
		if !ok {
			s.missing.add(name)
			return nil
		}
		p = &ir.Param{Name: name, Shape: t.Shape, DType: t.DType, Source: t.Source}
		s.used[name] = p
	}
	s.compare(p, axes)
	return p
}

func (s *Set) compare(p *ir.Param, axes []axis) {
	if !p.DType.IsFloat() {
		s.fail("%s: holds %v, want real numbers", p.Name, p.DType)
	}
	want := make(tensor.Shape, len(axes))
	var reasons []string
	for i, a := range axes {
		want[i] = a.n
		if len(axes) == len(p.Shape) && p.Shape[i] == a.n {
			continue
		}
		for _, z := range a.of {
			reasons = append(reasons, z.String())
		}
	}
	if !p.Shape.Equal(want) {
		s.fail("%s: have %v, want %v%s; is config.json from this checkpoint?", p.Name, p.Shape, want, inBrackets(reasons))
	}
}

func inBrackets(reasons []string) string {
	if len(reasons) == 0 {
		return ""
	}
	slices.Sort(reasons)
	return " (" + strings.Join(slices.Compact(reasons), ", ") + ")"
}

func (s *Set) fail(format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf(format, args...)
	}
}

// check reports what is wrong so far: missing tensors first, as a wrong shape
// often follows from them.
func (s *Set) check() error {
	if s.missing.count > 0 {
		return s.missing.are("missing")
	}
	return s.err
}

// finish is check, and proves that every tensor was used.
func (s *Set) finish() error {
	if err := s.check(); err != nil {
		return err
	}
	var unused names
	for _, name := range s.tensors.Names() {
		if s.used[name] == nil && !s.ignored[name] {
			unused.add(name)
		}
	}
	if unused.count > 0 {
		return unused.are("not used by this family")
	}
	return nil
}
