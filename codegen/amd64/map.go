package amd64

import (
	"strconv"

	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() {
	registerKind("map", emitter{
		supports: func(_ *Level, s kernel.Spec) bool {
			f := s.(kernel.Map).Function
			act, gated := f.Gate()
			return functions[f] != nil || gated && functions[act] != nil
		},
		emit: func(a *asm, s kernel.Spec) { (&mapping{asm: a, Map: s.(kernel.Map)}).emit() },
	})
}

// functions replace x by the function of x, or of x and y.
var functions = map[kernel.Function]func(m *mapping, x, y reg.VecVirtual){
	kernel.MapCopy: func(*mapping, reg.VecVirtual, reg.VecVirtual) {},
	kernel.MapAdd:  func(m *mapping, x, y reg.VecVirtual) { m.asm.VADDPS(y, x, x) },
	kernel.MapMul:  func(m *mapping, x, y reg.VecVirtual) { m.asm.VMULPS(y, x, x) },
	kernel.MapScale: func(m *mapping, x, _ reg.VecVirtual) {
		m.asm.VMULPS(m.asm.float("by"+strconv.Itoa(int(m.ByBits)), m.By()), x, x)
	},
	kernel.MapSiLU:     func(m *mapping, x, _ reg.VecVirtual) { m.asm.silu([]reg.VecVirtual{x}, m.constants) },
	kernel.MapSoftplus: func(m *mapping, x, _ reg.VecVirtual) { m.asm.softplus([]reg.VecVirtual{x}, m.constants) },
	kernel.MapGELU:     func(m *mapping, x, _ reg.VecVirtual) { m.asm.gelu(x, m.constants) },
	kernel.MapGELUTanh: func(m *mapping, x, _ reg.VecVirtual) { m.asm.geluTanh(x, m.constants) },
	kernel.MapSigmoid:  func(m *mapping, x, _ reg.VecVirtual) { m.asm.sigmoid(x, m.constants) },
	kernel.MapReLU:     func(m *mapping, x, _ reg.VecVirtual) { m.asm.relu(x) },
	kernel.MapReLU2: func(m *mapping, x, _ reg.VecVirtual) {
		m.asm.relu(x)
		m.asm.VMULPS(x, x, x)
	},
}

// mapVectors is the number of vectors of one turn.
const mapVectors = 2

// mapping treats one token a turn.
type mapping struct {
	asm *asm
	kernel.Map
	constants *expConstants
}

func (m *mapping) emit() {
	a := m.asm
	y, x := a.pointer("y"), a.pointer("a")
	list := []row{{"arguments", x, m.StrideA}, {"results", y, m.StrideY}}
	var second reg.GPVirtual
	if m.Function.Binary() {
		second = a.pointer("b")
		list = append(list, row{"second arguments", second, m.StrideB})
	}
	var elements *run
	a.rows(list,
		func() {
			elements = a.run(m.Width, mapVectors)
			if m.exponential() {
				m.constants = a.expConstants()
			}
		},
		func() {
			elements.each("Two vectors a turn.", func(_ int, present tailMask, at element) {
				v := a.load(present, at(x, 0))
				m.apply(v, func() reg.VecVirtual { return a.load(present, at(second, 0)) })
				a.store(present, v, at(y, 0))
			})
		})
}

// apply replaces x by the function; second loads the other argument.
func (m *mapping) apply(x reg.VecVirtual, second func() reg.VecVirtual) {
	switch act, gated := m.Function.Gate(); {
	case gated:
		functions[act](m, x, nil)
		m.asm.VMULPS(second(), x, x)
	case m.Function.Binary():
		functions[m.Function](m, x, second())
	default:
		functions[m.Function](m, x, nil)
	}
}

// exponential reports whether the function needs what exp does.
func (m *mapping) exponential() bool {
	f := m.Function
	if act, gated := f.Gate(); gated {
		f = act
	}
	switch f {
	case kernel.MapSiLU, kernel.MapSoftplus, kernel.MapGELU, kernel.MapGELUTanh, kernel.MapSigmoid:
		return true
	}
	return false
}
