// Package polynomial holds the constants of exp, 2ˣ, softplus, GELU, tanh, sine and
// cosine as kernels evaluate them, so that every back end gives the same bits; it
// sees nothing of ours.
package polynomial

// Exp is c2 … c6 of eʳ ≈ 1 + r + r²·(c2 + r·(c3 + …)) on |r| ≤ ln2/2: least
// maximal relative error (3.1e-9 before rounding), by Remez exchange in
// float64.
var Exp = [...]float32{0.49999994, 0.16666521, 0.04166839, 0.0083687167, 0.0013814599}

// Constants of the range reduction x = n·ln2 + r. Adding ExpRound leaves
// n + 127, the exponent of 2ⁿ as float32 stores it, in the low bits; n is kept
// to −127, whose exponent field makes 0, and 128, whose makes +Inf.
const (
	ExpMin   = -88
	ExpMax   = 89
	ExpRound = 3<<22 + 127
	Ln2High  = 0.693145751953125 // so few bits that n·Ln2High is exact
	Ln2Low   = 1.42860677e-06
)

// Exp2 is c1 … c6 of 2ᶠ ≈ 1 + f·(c1 + f·(c2 + …)) on |f| ≤ 1/2: least maximal
// relative error (2.6e-9 before rounding), by Remez exchange in float64.
var Exp2 = [...]float32{0.6931472, 0.24022652, 0.055503104, 0.009617693, 0.0013406644, 0.0001559468}

// Exp2Min is the least argument of 2ˣ = 2ⁿ·2ᶠ, which gives 0. ExpRound rounds
// to n here too.
const Exp2Min = -127

// Atanh is g of log(1+v) = 2·atanh(s) ≈ 2s + s·z·g(z) with s = v/(2+v),
// z = s² ≤ 1/9: least maximal relative error (4.6e-9 before rounding), by Remez
// exchange in float64.
var Atanh = [...]float32{0.6666641, 0.400217, 0.27999142, 0.2802446}

// Tail is c0 … c9 of (a+TailAt)·exp(a²/2)·Φ(−a) ≈ c0 +
// u·(c1 + u·(c2 + …)) where u = (a−TailAt)/(a+TailAt), on 0 ≤ a ≤ TailMax: least
// maximal relative error (7.7e-9 before rounding), by Remez exchange in float64.
// At TailMax Φ(−a), the tail of the normal distribution, is below all numbers of
// float32.
var Tail = [...]float32{0.75528514, -0.6078966, 0.38713688, -0.18652295, 0.060404416,
	-0.007528395, -0.0035174754, 0.0015743083, 0.00019057597, -0.00012683774}

// Constants of the tail.
const (
	TailAt  = 4
	TailMax = 13.5
)

// GELUTanh and GELUTanh3 are the factors of x and x³ in 2·√(2/π)·(x + 0.044715·x³),
// whose logistic function is the factor of x in the tanh form of GELU.
const (
	GELUTanh  = 1.5957691216057308
	GELUTanh3 = 0.07135481627260025
)

// Sin is s3, s5, s7 of sin r ≈ r + r³·(s3 + r²·(s5 + …)) on |r| ≤ π/4: least maximal
// relative error (3.8e-9 before rounding), by Remez exchange in float64.
var Sin = [...]float32{-0.16666655, 0.008332158, -0.00019514958}

// Cos is c4, c6, c8 of cos r ≈ 1 − r²/2 + r⁴·(c4 + r²·(c6 + …)) on |r| ≤ π/4: least
// maximal error (9.6e-11 before rounding), by Remez exchange in float64.
var Cos = [...]float32{0.041666646, -0.0013887364, 2.4438092e-05}

// Constants of turning an angle into the first circle and quadrant. Adding
// QuarterRound leaves a whole number in the low bits; the high parts have few
// bits less than π has, the low ones make up for it.
const (
	QuarterRound = 3 << 22
	QuarterHigh  = 1.57079637050628662109375
	QuarterLow   = -4.37113900018624283e-8
)

// Tanh is t3, t5 … of tanh x ≈ x + x³·(t3 + x²·(t5 + …)) on |x| ≤ TanhNear: least
// maximal relative error (4.5e-9 before rounding), by Remez exchange in float64.
var Tanh = [...]float32{-0.3333328, 0.1333142, -0.053737797, 0.020632546, -0.005697384}

// TanhNear is where the form by exp is as accurate.
const TanhNear = 0.625
