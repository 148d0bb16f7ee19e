package arm64

import "github.com/mambac/mambac/codegen/kernel"

// linear reports whether gemv and gemm know a storage and an epilogue; a spec
// that holds more than they do is left to its twin.
func linear(s kernel.Storage, e kernel.Epilogue) bool {
	known := s == kernel.F32 || s == kernel.F16 || s == kernel.BF16
	return known && e == (kernel.Epilogue{Bias: e.Bias, Residual: e.Residual})
}

// epilogue points at what is added to accumulators: the bias, then the
// residual, where the spec has them.
type epilogue struct {
	bias, residual general
}

func (a *asm) epilogue(e kernel.Epilogue) *epilogue {
	p := &epilogue{}
	if e.Bias {
		p.bias = a.argument("bias")
	}
	if e.Residual {
		p.residual = a.argument("residual")
	}
	return p
}

// pass adds neighbours in memory to accumulators and moves the pointer behind
// them.
func (a *asm) pass(from general, acc []vector) {
	t := a.vecs(len(acc))
	a.loads(from, t)
	for i, v := range acc {
		a.fadd(v, t[i], v)
	}
	a.free(t...)
}
