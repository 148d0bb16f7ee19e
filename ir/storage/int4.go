package storage

import "math"

// The int4 format: 16 values, closer together where weights are dense. They are
// the fixed point of Lloyd's algorithm on groups of 16 numbers of a normal
// distribution whose scales fitInt4 chooses; scales have a sign, so that the
// wider half is there for the side of the largest magnitude (RATIONALE.md, "Why
// these 16 values?").
func init() {
	register(&Coded{
		name: "int4", Group: 16, Inputs: 64, Width: 4, Multiples: true,
		Values: int4Values, slack: int4Slack, fit: fitInt4, nearest: nearestInt4,
	})
}

var int4Values = []int8{-127, -104, -83, -64, -48, -34, -21, -9, 2, 14, 25, 37, 50, 65, 83, 112}

// int4Ends are the values, in units of the scale, on which the element of
// largest magnitude is tried: either end of the table, a tenth less and more.
var int4Ends = [...]float32{-127, -114, -140, 112, 101, 123}

const (
	// int4Far and int4Near bound where, in units of the scale, the element of
	// largest magnitude may lie.
	int4Far, int4Near = 150, 80
	// int4Slack is reached by an element as large as the largest of its group
	// and of the other sign, where that lies at −150: it becomes 112 units.
	int4Slack = 1 - 112.0/int4Far + 0x1p-7
	// int4Reach is beyond what any element is in units of the scale.
	int4Reach = 192
)

// int4Code is the code of the nearest value by half units from −int4Reach: the
// borders between codes are multiples of a half.
var int4Code = func() (table [1024]uint8) {
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
var int4Value = func() (table [1024]float32) {
	for i, code := range int4Code {
		table[i] = float32(int4Values[code])
	}
	return table
}()

// int4Index is where both tables have a number of units.
func int4Index(units float32) int { return int(float32(2*units)+2*int4Reach) & 1023 }

func nearestInt4(units float32) uint8 {
	return int4Code[int4Index(min(max(units, -int4Far), int4Far))]
}

// fitInt4 tries the largest element at several values. For the codes that
// follow from each there is one scale with the least sum of squared errors; the
// best is improved once.
func fitInt4(group []float32, most float32) float32 {
	var unit, least float32 // as parts of most
	for _, end := range int4Ends {
		xt, tt := int4Fit(group, end/most)
		fit := xt / tt
		// Σx² falls to what remains by this much.
		if gain := fit * xt / (end * end); gain > least {
			unit, least = fit/end, gain
		}
	}
	xt, tt := int4Fit(group, 1/(unit*most))
	unit *= xt / tt
	if unit < 0 {
		unit = min(max(unit, -1.0/int4Near), -1.0/int4Far)
	} else {
		unit = max(min(unit, 1.0/int4Near), 1.0/int4Far)
	}
	return unit * most
}

// int4Fit sums, over a group in units of a scale, the products of elements and
// the values that stand for them, and the squares of these. No product is fused
// into a sum, whatever the processor can: its conversion forbids it.
func int4Fit(group []float32, inverse float32) (xt, tt float32) {
	for _, v := range group {
		x := v * inverse
		t := int4Value[int4Index(x)]
		xt += float32(x * t)
		tt += float32(t * t)
	}
	return xt, tt
}
