package kerneltest

import "math"

// number is a value with a bound of the error of float32 code that computes
// it, whichever products it fuses. Once a value may have left the range of
// float32 its error is +Inf; but NaN that comes from an input stays NaN.
type number struct {
	value, err float64
	nan        bool // certainly
}

func exactly(v float32) number { return number{value: float64(v), nan: v != v} }

// rounded adds the error of one rounding.
func (a number) rounded() number {
	if a.nan {
		return exactly(float32(math.NaN()))
	}
	size := math.Abs(a.value)
	a.err += epsilon*(size+a.err) + math.SmallestNonzeroFloat32
	if !(size+a.err < math.MaxFloat32/4) {
		a.err = math.Inf(1)
	}
	return a
}

func (a number) plus(b number) number {
	return number{a.value + b.value, a.err + b.err, a.nan || b.nan}.rounded()
}

func (a number) times(b number) number {
	err := math.Abs(a.value)*b.err + math.Abs(b.value)*a.err + a.err*b.err
	return number{a.value * b.value, err, a.nan || b.nan}.rounded()
}

// negative is the number with the other sign.
func (a number) negative() number { return number{-a.value, a.err, a.nan} }

// over is the quotient; the divisor's error must be well below it.
func (a number) over(b number) number {
	size := math.Abs(b.value)
	if !(b.err < size/2) {
		return number{a.value / b.value, math.Inf(1), a.nan || b.nan}
	}
	return number{a.value / b.value, (a.err + math.Abs(a.value/b.value)*b.err) / (size - b.err), a.nan || b.nan}.rounded()
}

// root is the square root.
func (a number) root() number {
	value := math.Sqrt(a.value)
	if !(a.err < a.value/2) && a.err > 0 {
		return number{value, math.Inf(1), a.nan}
	}
	if a.err > 0 {
		a.err /= value
	}
	return number{value, a.err, a.nan}.rounded()
}

// log2e is log₂e as float32 code has it.
var log2e = number{value: math.Log2E, err: math.Abs(math.Log2E - float64(float32(math.Log2E)))}

// exp2 allows code to answer 0, or its smallest normal number, for results
// below about that.
func (a number) exp2() number {
	value := math.Exp2(a.value)
	err := value*(math.Expm1(math.Ln2*a.err)+functionError) + tiny
	if !(a.err < 100) {
		err = math.Inf(1)
	}
	return number{value, err, a.nan}.rounded()
}

// exp is eˣ; as for exp2.
func (a number) exp() number {
	return number{math.Log2E * a.value, math.Log2E * a.err, a.nan}.exp2()
}

// apply is a function of the given largest slope.
func (a number) apply(f func(float64) (value, bound float64), slope float64) number {
	value, bound := f(a.value)
	return number{value, bound + slope*a.err, a.nan}.rounded()
}
