package storage

import "math"

// The int4 format: 16 values, closer together where weights are dense. They are
// what Lloyd's algorithm comes to on groups of 16 numbers of a normal distribution
// whose scales fitInt4 chooses, in whole numbers within ±64; scales have a sign, so
// that the wider half is there for the side of the largest magnitude (RATIONALE.md,
// "Why these 16 values?").
func init() {
	register(&Coded{
		name: "int4", Group: 16, Inputs: 64, Width: 4, Multiples: true,
		Values: int4Values, slack: int4Slack, fit: fitInt4, nearest: nearestInt4,
	})
}

var int4Values = []int8{-64, -53, -41, -32, -24, -17, -11, -5, 1, 7, 13, 19, 26, 33, 43, 55}

// int4Ends are the values, in units of the scale, on which the element of
// largest magnitude is tried: either end of the table, less and more.
var int4Ends = [...]float32{-64, -59, -69.5, -54, 55, 50.5, 59.5, 46}

const (
	// int4Far and int4Near bound where, in units of the scale, the element of
	// largest magnitude may lie.
	int4Far, int4Near = 75, 40
	// int4Slack is reached by an element as large as the largest of its group
	// and of the other sign, where that lies at −75: it becomes 55 units.
	int4Slack = 1 - 55.0/int4Far + 0x1p-7
	// int4Reach is beyond what any element is in units of the scale.
	int4Reach = 96
)

// int4Code is the code of the nearest value by half units from −int4Reach: the
// borders between codes are multiples of a half.
var int4Code = func() (table [512]uint8) {
	for i := range table {
		middle := float64(i)/2 - int4Reach + 0.25
		best := math.Inf(1)
		for code, v := range int4Values {
			if d := math.Abs(float64(v) - middle); d < best {
				best, table[i] = d, uint8(code)
			}
		}
	}
	return table
}()

// int4Value is the value of int4Code.
var int4Value = func() (table [512]float32) {
	for i, code := range int4Code {
		table[i] = float32(int4Values[code])
	}
	return table
}()

// int4Index is where both tables have a number of units.
func int4Index(units float32) int { return int(float32(2*units)+2*int4Reach) & 511 }

func nearestInt4(units float32) uint8 {
	return int4Code[int4Index(min(max(units, -int4Far), int4Far))]
}

// fitInt4 tries the largest element at several values. For the codes that
// follow from each there is one scale with the least sum of squared errors; the
// best is improved once.
func fitInt4(group []float32, most float32) float32 {
	var unit, least float32 // as parts of most
	for i := 0; i < len(int4Ends); i += 2 {
		ends := int4Ends[i : i+2]
		one, other := int4Fit(group, ends[0]/most, ends[1]/most)
		for j, f := range []int4Sums{one, other} {
			fit := f.xt / f.tt
			// Σx² falls to what remains by this much.
			if gain := fit * f.xt / (ends[j] * ends[j]); gain > least {
				unit, least = fit/ends[j], gain
			}
		}
	}
	best, _ := int4Fit(group, 1/(unit*most), 0)
	unit *= best.xt / best.tt
	if unit < 0 {
		unit = min(max(unit, -1.0/int4Near), -1.0/int4Far)
	} else {
		unit = max(min(unit, 1.0/int4Near), 1.0/int4Far)
	}
	return unit * most
}

// int4Sums are, over a group in units of a scale, the sums of products of elements
// and the values that stand for them, and of the squares of these.
type int4Sums struct{ xt, tt float32 }

// int4Fit sums for two scales side by side, for each sum waits for itself. No
// product is fused into a sum, whatever the processor can: its conversion forbids
// it.
func int4Fit(group []float32, inverse, other float32) (a, b int4Sums) {
	for _, v := range group {
		x, y := v*inverse, v*other
		t, u := int4Value[int4Index(x)], int4Value[int4Index(y)]
		a.xt += float32(x * t)
		a.tt += float32(t * t)
		b.xt += float32(y * u)
		b.tt += float32(u * u)
	}
	return a, b
}
