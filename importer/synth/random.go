package synth

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
)

// stream is the random sequence of one tensor. Element i depends on nothing
// but the stream and i, so blocks of any size in any order give equal values.
type stream uint64

// newStream derives a tensor's stream from the seed and its name.
func newStream(seed uint64, name string) stream {
	sum := sha256.Sum256(append(binary.LittleEndian.AppendUint64(nil, seed), name...))
	return stream(binary.LittleEndian.Uint64(sum[:]))
}

// at is the i-th word: the output function of SplitMix64 over a counter.
func (s stream) at(i int64) uint64 {
	z := uint64(s) + uint64(i)*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// uniform is the i-th word as a number in [0, 1).
func (s stream) uniform(i int64) float64 { return float64(s.at(i)>>11) / (1 << 53) }

// bell is the i-th word as a number of mean 0 and deviation 1: the sum of its
// four 16-bit parts, which is close enough to a normal distribution for
// weights and many times cheaper.
func (s stream) bell(i int64) float32 {
	const mean = 4 * 65535 / 2
	z := s.at(i)
	sum := int32(z&0xffff) + int32(z>>16&0xffff) + int32(z>>32&0xffff) + int32(z>>48)
	return float32(sum-mean) * bellScale
}

// bellScale is 1 over the deviation of the sum: each part has the variance
// (2³²−1)/12.
var bellScale = float32(1 / math.Sqrt(4*(math.Pow(2, 32)-1)/12))

// filler gives the values of elements [offset, offset+len(dst)) of a tensor.
type filler func(s stream, dst []float32, offset int64)

// normal fills with a bell around mean.
func normal(mean, deviation float64) filler {
	m, d := float32(mean), float32(deviation)
	return func(s stream, dst []float32, offset int64) {
		for i := range dst {
			dst[i] = m + float32(d*s.bell(offset+int64(i)))
		}
	}
}

// decayRates fills A_log [E,N]: log(1…N) along a row, with jitter.
func decayRates(states int) filler {
	const jitter = 0.05
	logs := make([]float32, states)
	for n := range logs {
		logs[n] = float32(math.Log(float64(n + 1)))
	}
	return func(s stream, dst []float32, offset int64) {
		for i := range dst {
			at := offset + int64(i)
			dst[i] = logs[at%int64(states)] + float32(jitter*s.bell(at))
		}
	}
}

// headDecayRates fills A_log [H] with the logarithms of rates between 1 and 16,
// as trained models begin.
func headDecayRates(s stream, dst []float32, offset int64) {
	const low, high = 1, 16
	for i := range dst {
		dst[i] = float32(math.Log(low + (high-low)*s.uniform(offset+int64(i))))
	}
}

// timeSteps fills the bias of Δ so that softplus of it lies between 1e-3 and
// 1e-1, evenly in the logarithm, as trained models begin.
func timeSteps(s stream, dst []float32, offset int64) {
	const low, high = 1e-3, 1e-1
	for i := range dst {
		dt := low * math.Pow(high/low, s.uniform(offset+int64(i)))
		dst[i] = float32(dt + math.Log(-math.Expm1(-dt))) // softplus⁻¹
	}
}
