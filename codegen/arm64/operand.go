package arm64

import (
	"fmt"
	"strings"
)

// general is an integer register.
type general int

func (r general) String() string { return fmt.Sprintf("R%d", int(r)) }

// vector is a vector register.
type vector int

func (v vector) String() string { return fmt.Sprintf("V%d", int(v)) }

// scalar is the first lane of a vector register; Go names all 128 bits so in
// FMOVQ.
type scalar vector

func (s scalar) String() string { return fmt.Sprintf("F%d", int(s)) }

// arrangement says how an instruction divides a vector register.
type arrangement string

const (
	words  arrangement = "S4"
	halves arrangement = "H8"
	octets arrangement = "B16"
)

// arranged is a vector register with its arrangement.
type arranged struct {
	vector
	as arrangement
}

func (a arranged) String() string { return fmt.Sprintf("%v.%s", a.vector, a.as) }

// element is one float32 of a vector register.
type element struct {
	vector
	lane int
}

func (e element) String() string { return fmt.Sprintf("%v.S[%d]", e.vector, e.lane) }

// registers are neighbours that one instruction loads or stores.
type registers struct {
	list []vector
	as   arrangement
}

func (r registers) String() string {
	var names []string
	for _, v := range r.list {
		names = append(names, arranged{v, r.as}.String())
	}
	return "[" + strings.Join(names, ", ") + "]"
}

// memory is what a register points at.
type memory struct {
	base   general
	offset int
}

func (m memory) String() string {
	if m.offset == 0 {
		return fmt.Sprintf("(%v)", m.base)
	}
	return fmt.Sprintf("%d(%v)", m.offset, m.base)
}

// advancing is memory at a register that moves behind the access, by what is
// accessed.
type advancing struct {
	base general
	by   int
}

func (m advancing) String() string { return fmt.Sprintf("%d(%v)", m.by, m.base) }

// striding is memory at a register that moves behind the access, by another.
type striding struct{ base, by general }

func (m striding) String() string { return fmt.Sprintf("(%v)(%v)", m.base, m.by) }

// immediate is a constant in an instruction.
type immediate int64

func (i immediate) String() string { return fmt.Sprintf("$%d", int64(i)) }

// pattern is a constant that is read as bits.
type pattern uint32

func (p pattern) String() string { return fmt.Sprintf("$0x%08x", uint32(p)) }

// parameter is an argument of the function.
type parameter struct {
	name   string
	offset int
}

func (p parameter) String() string { return fmt.Sprintf("%s+%d(FP)", p.name, p.offset) }

// label is a place in a function.
type label string

func (l label) String() string { return string(l) }
