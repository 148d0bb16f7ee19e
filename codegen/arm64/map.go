package arm64

import "github.com/mambac/mambac/codegen/kernel"

func init() {
	registerKind(
		func(s kernel.Map) bool { return functions[s.Function] != nil || functions[act(s.Function)] != nil },
		func(a *asm, s kernel.Map) { (&mapping{asm: a, Map: s}).emit() },
	)
}

// functions replace x by the function of x, or of x and y.
var functions = map[kernel.Function]func(m *mapping, x, y []vector){
	kernel.MapCopy: func(*mapping, []vector, []vector) {},
	kernel.MapAdd: func(m *mapping, x, y []vector) {
		for i, x := range x {
			m.fadd(x, y[i], x)
		}
	},
	kernel.MapMul: func(m *mapping, x, y []vector) {
		for i, x := range x {
			m.fmul(x, y[i], x)
		}
	},
	kernel.MapScale:   func(m *mapping, x, _ []vector) { m.scale(x) },
	kernel.MapSiLU:    func(m *mapping, x, _ []vector) { m.silu(x, m.constants) },
	kernel.MapSigmoid: func(m *mapping, x, _ []vector) { m.sigmoid(x, m.constants) },
	kernel.MapSoftplus: func(m *mapping, x, _ []vector) {
		for _, x := range x {
			m.softplus(x, m.softplusOf, m.constants)
		}
	},
}

// act is the activation of a gated unit; "" for other functions.
func act(f kernel.Function) kernel.Function {
	act, gated := f.Gate()
	if !gated {
		return ""
	}
	return act
}

// mapVectors is the number of vectors of one turn: two, for silu takes two side
// by side.
const mapVectors = 2

// mapping treats one token a turn.
type mapping struct {
	*asm
	kernel.Map
	y, a, b    general // of the token at hand
	by         vector  // the factor of scale
	constants  *expConstants
	softplusOf *softplusConstants
}

func (m *mapping) emit() {
	m.y, m.a = m.argument("y"), m.argument("a")
	if m.Function.Binary() {
		m.b = m.argument("b")
	}
	tokens := m.argument("tokens")
	done, loop := m.label("done"), m.label("token")
	m.ifZero(tokens, done)
	switch f := m.Function; {
	case f == kernel.MapScale:
		m.by = m.float(m.By())
	case f == kernel.MapSiLU || f == kernel.MapSigmoid || act(f) != "":
		m.constants = m.expConstants()
	case f == kernel.MapSoftplus:
		m.constants, m.softplusOf = m.expConstants(), m.softplusConstants()
	}
	m.legend("One token a turn.", holds("arguments", m.a), holds("results", m.y), holds("tokens left", tokens))
	m.place(loop)
	m.token()
	m.addConstant(4*m.StrideY, m.y)
	m.addConstant(4*m.StrideA, m.a)
	if m.Function.Binary() {
		m.addConstant(4*m.StrideB, m.b)
	}
	m.countdown(tokens, loop)
	m.place(done)
}

// token walks one row: whole turns, whole vectors, then single elements.
func (m *mapping) token() {
	y, a, b := m.gp(), m.gp(), m.gp()
	m.mov(m.y, y)
	m.mov(m.a, a)
	if m.Function.Binary() {
		m.mov(m.b, b)
	}
	if turns := m.Width / (mapVectors * lanes); turns > 0 {
		n, loop := m.gp(), m.label("elements")
		m.set(turns, n)
		m.legend("Eight elements a turn.", holds("arguments", a), holds("results", y), holds("turns left", n))
		m.place(loop)
		m.apply(y, a, b, mapVectors, lanes)
		m.countdown(n, loop)
		m.freeGP(n)
	}
	for rest := m.Width % (mapVectors * lanes); rest > 0; rest -= lanes {
		m.apply(y, a, b, 1, min(rest, lanes))
	}
	m.freeGP(y, a, b)
}

// apply treats some vectors, or one of which fewer elements exist.
func (m *mapping) apply(y, a, b general, vectors, elements int) {
	first, second := m.vecs(vectors), m.vecs(vectors)
	m.read(a, first, elements)
	if m.Function.Binary() {
		m.read(b, second, elements)
	} else {
		m.free(second...)
	}
	m.function(first, second)
	if elements == lanes {
		m.stores(first, y)
	} else {
		m.storeLanes(first[0], elements, y)
	}
	m.free(first...)
	if m.Function.Binary() {
		m.free(second...)
	}
}

// function applies the function at hand.
func (m *mapping) function(x, y []vector) {
	if f := functions[m.Function]; f != nil {
		f(m, x, y)
		return
	}
	functions[act(m.Function)](m, x, nil)
	functions[kernel.MapMul](m, x, y)
}

// scale multiplies by a constant.
func (m *mapping) scale(x []vector) {
	for _, x := range x {
		m.fmul(x, m.by, x)
	}
}

func (m *mapping) read(from general, list []vector, elements int) {
	if elements == lanes {
		m.loads(from, list)
	} else {
		m.loadPart(from, elements, list[0])
	}
}
