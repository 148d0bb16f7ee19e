package arm64

import "fmt"

// Registers that kernels use: R18 is the system's, R27 the assembler's, and
// from R28 on Go has its own.
const (
	vectorRegisters  = 32
	generalRegisters = 27
	platformRegister = 18
)

// pool knows which registers of a function hold something. Kernels take and
// release them by hand: they are few, and whoever reads the assembly finds the
// same thing in the same place.
type pool struct {
	vectors  [vectorRegisters]bool
	generals [generalRegisters]bool
}

func newPool() pool {
	var p pool
	p.generals[platformRegister] = true
	return p
}

// vec takes a vector register.
func (p *pool) vec() vector { return p.vecs(1)[0] }

// vecs takes n neighbours, the first that are free.
func (p *pool) vecs(n int) []vector {
	run := 0
	for i, busy := range p.vectors {
		if run++; busy {
			run = 0
		}
		if run == n {
			list := make([]vector, n)
			for j := range list {
				list[j] = vector(i - n + 1 + j)
				p.vectors[list[j]] = true
			}
			return list
		}
	}
	panic(fmt.Sprintf("BUG: no %d vector registers are free", n))
}

// gp takes an integer register.
func (p *pool) gp() general {
	for i, busy := range p.generals {
		if !busy {
			p.generals[i] = true
			return general(i)
		}
	}
	panic("BUG: no integer register is free")
}

// free gives vector registers back.
func (p *pool) free(list ...vector) {
	for _, v := range list {
		p.vectors[v] = false
	}
}

// freeGP gives integer registers back.
func (p *pool) freeGP(list ...general) {
	for _, r := range list {
		p.generals[r] = false
	}
}
