package arm64

import "github.com/mambac/mambac/codegen/kernel"

func init() {
	registerKind(
		func(kernel.RMSNorm) bool { return true },
		func(a *asm, s kernel.RMSNorm) { (&rmsnorm{asm: a, RMSNorm: s}).emit() },
	)
}

// normLanes is the number of partial sums, the same in every level.
const normLanes = 16

// rmsnorm treats one token a turn: the sum of squares, then the products.
type rmsnorm struct {
	*asm
	kernel.RMSNorm
	x, y, w         general // of the group at hand
	width, eps, one vector
}

func (r *rmsnorm) emit() {
	r.y, r.x = r.argument("y"), r.argument("x")
	if r.Weight {
		r.w = r.argument("w")
	}
	tokens := r.argument("tokens")
	done, loop := r.label("done"), r.label("token")
	r.ifZero(tokens, done)
	r.width, r.eps, r.one = r.float(float32(r.Elements())), r.float(r.Eps()), r.float(1)
	r.legend("One token a turn.", holds("inputs", r.x), holds("outputs", r.y), holds("tokens left", tokens),
		holds("width", r.width), holds("eps", r.eps), holds("1", r.one))
	r.place(loop)
	r.groups()
	r.addConstant(4*r.StrideX, r.x)
	r.addConstant(4*r.StrideY, r.y)
	r.countdown(tokens, loop)
	r.place(done)
}

// groups treats the groups of a row: a single one, or a loop that moves copies of
// the pointers.
func (r *rmsnorm) groups() {
	n := r.Width / r.Elements()
	if n == 1 {
		r.group()
		return
	}
	one := *r
	moving := [][2]general{{r.x, r.gp()}, {r.y, r.gp()}}
	one.x, one.y = moving[0][1], moving[1][1]
	if r.Weight && !r.Shared {
		one.w = r.gp()
		moving = append(moving, [2]general{r.w, one.w})
	}
	left, loop := r.gp(), r.label("group")
	r.set(n, left)
	for _, p := range moving {
		r.mov(p[0], p[1])
	}
	r.legend("One group a turn.", holds("inputs", one.x), holds("outputs", one.y), holds("groups left", left))
	r.place(loop)
	one.group()
	for _, p := range moving {
		r.addConstant(4*r.Elements(), p[1])
	}
	r.countdown(left, loop)
	for _, p := range moving {
		r.freeGP(p[1])
	}
	r.freeGP(left)
}

// group treats the elements of one mean.
func (r *rmsnorm) group() {
	scale := r.scale()
	r.products(scale)
	r.free(scale)
}

// tail calls visit for every vector of the elements past the last whole 16,
// with the number of its elements.
func (r *rmsnorm) tail(visit func(i, n int)) {
	for i, rest := 0, r.Elements()%normLanes; rest > 0; i, rest = i+1, rest-lanes {
		visit(i, min(rest, lanes))
	}
}

// wholes repeats what body does with 16 elements.
func (r *rmsnorm) wholes(sentence string, body func(), roles ...role) {
	turns := r.Elements() / normLanes
	if turns == 0 {
		return
	}
	n, loop := r.gp(), r.label("elements")
	r.set(turns, n)
	r.legend(sentence, append(roles, holds("turns left", n))...)
	r.place(loop)
	body()
	r.countdown(n, loop)
	r.freeGP(n)
}

// scale is 1/√(mean(x²)+eps) in all lanes.
func (r *rmsnorm) scale() vector {
	sums, in, p := r.vecs(normLanes/lanes), r.vecs(normLanes/lanes), r.gp()
	for _, v := range sums {
		r.zero(v)
	}
	r.mov(r.x, p)
	r.wholes("Squares of 16 elements a turn.", func() {
		r.loads(p, in)
		for i, sum := range sums {
			r.fmla(in[i], in[i], sum)
		}
	}, holds("sums", sums...), holds("inputs", p))
	r.tail(func(i, n int) {
		r.loadPart(p, n, in[i])
		r.fmla(in[i], in[i], sums[i])
	})
	r.root(sums, in[0])
	r.freeGP(p)
	r.free(sums[1:]...)
	r.free(in...)
	return sums[0]
}

// root adds 16 lanes as a tree (j and j+8, then j+4, j+2, j+1) and turns the sum
// of squares into the scale, each step correctly rounded; it ends in the first
// of the sums.
func (r *rmsnorm) root(sums []vector, t vector) {
	s := sums[0]
	r.fadd(s, sums[2], s)
	r.fadd(sums[1], sums[3], sums[1])
	r.fadd(s, sums[1], s)
	r.rotate(8, s, t)
	r.fadd(s, t, s)
	r.rotate(4, s, t)
	r.addFirst(s, t, s)
	r.divFirst(s, r.width, s)
	r.addFirst(s, r.eps, s)
	r.sqrtFirst(s, s)
	r.divFirst(r.one, s, s)
	r.spreadLane(element{s, 0}, s)
}

// products writes x·scale·w.
func (r *rmsnorm) products(scale vector) {
	in, weights, x, y, w := r.vecs(normLanes/lanes), r.vecs(normLanes/lanes), r.gp(), r.gp(), r.gp()
	r.mov(r.x, x)
	r.mov(r.y, y)
	if r.Weight {
		r.mov(r.w, w)
	}
	r.wholes("Products of 16 elements a turn.", func() {
		r.loads(x, in)
		if r.Weight {
			r.loads(w, weights)
		}
		for i := range in {
			r.product(in[i], weights[i], scale)
		}
		r.stores(in, y)
	}, holds("scale", scale), holds("inputs", x), holds("outputs", y))
	r.tail(func(i, n int) {
		r.loadPart(x, n, in[i])
		if r.Weight {
			r.loadPart(w, n, weights[i])
		}
		r.product(in[i], weights[i], scale)
		r.storeLanes(in[i], n, y)
	})
	r.freeGP(x, y, w)
	r.free(in...)
	r.free(weights...)
}

// product is x·scale, times the weight if there is one.
func (r *rmsnorm) product(x, weight, scale vector) {
	r.fmul(x, scale, x)
	if r.Weight {
		r.fmul(x, weight, x)
	}
}
