package sample

import (
	"errors"
	"fmt"
	"math"
)

// Sampler chooses ids for one sequence. It is not for concurrent use, and
// allocates nothing once it is made.
type Sampler struct {
	options    Options
	forbidden  []bool // by id; nil if all are allowed
	accepted   []bool // by id; nil without repetition penalty
	vocabulary int
	candidates []candidate // nil for greedy decoding
	random     uint64      // state of SplitMix64
}

// New returns a sampler for logits of a vocabulary of that size. It is an
// error if an option is out of its range or no id is allowed.
func New(o Options, vocabulary int) (*Sampler, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if vocabulary < 1 || vocabulary > math.MaxInt32 {
		return nil, fmt.Errorf("vocabulary of %d ids, want 1 to %d", vocabulary, math.MaxInt32)
	}
	s := &Sampler{options: o, vocabulary: vocabulary, random: o.Seed}
	if o.RepetitionPenalty != 1 {
		s.accepted = make([]bool, vocabulary)
	}
	if o.Temperature > 0 {
		s.candidates = make([]candidate, 0, vocabulary)
	}
	return s, s.forbid()
}

// forbid asks which ids are allowed.
func (s *Sampler) forbid() error {
	if s.options.Allowed == nil {
		return nil
	}
	count := 0
	s.forbidden = make([]bool, s.vocabulary)
	for id := range s.forbidden {
		if s.forbidden[id] = !s.options.Allowed(int32(id)); s.forbidden[id] {
			count++
		}
	}
	if count == s.vocabulary {
		return errors.New("none of the model's ids is known to the tokenizer; are the two from one checkpoint?")
	}
	return nil
}

// Accept notes that the id is part of the sequence, which the repetition
// penalty looks at. Prompts are accepted id by id.
func (s *Sampler) Accept(id int32) {
	if s.accepted != nil && id >= 0 && int(id) < s.vocabulary {
		s.accepted[id] = true
	}
}

// Next chooses an id by its logits [vocabulary], which stay as they are. Of
// equal logits the lowest id goes first; NaN is never chosen. If every allowed
// logit is NaN, it returns -1. It does not accept the id.
func (s *Sampler) Next(logits []float32) int32 {
	if len(logits) != s.vocabulary {
		panic(fmt.Sprintf("BUG: %d logits for a vocabulary of %d", len(logits), s.vocabulary))
	}
	if s.options.Temperature == 0 {
		return s.greedy(logits)
	}
	return s.draw(logits)
}

// greedy returns the id of the largest logit.
func (s *Sampler) greedy(logits []float32) int32 {
	if s.accepted == nil {
		return s.largest(logits)
	}
	best, largest := int32(-1), 0.0
	for id := range logits {
		if value, ok := s.value(logits, id); ok && (best < 0 || value > largest) {
			best, largest = int32(id), value
		}
	}
	return best
}

// largest is greedy without a penalty: logits are compared as they are, and few of
// them need to be asked about.
func (s *Sampler) largest(logits []float32) int32 {
	best, largest := int32(-1), float32(0)
	for id, v := range logits {
		if (v > largest || best < 0 && v == v) && (s.forbidden == nil || !s.forbidden[id]) {
			best, largest = int32(id), v
		}
	}
	return best
}

// value returns the logit with its penalty, and whether it can be chosen.
func (s *Sampler) value(logits []float32, id int) (float64, bool) {
	value := float64(logits[id])
	if value != value || s.forbidden != nil && s.forbidden[id] {
		return 0, false
	}
	if s.accepted != nil && s.accepted[id] {
		if value > 0 {
			value /= s.options.RepetitionPenalty
		} else {
			value = float64(value * s.options.RepetitionPenalty)
		}
	}
	return value, true
}

// draw returns a random id of those that the filters leave.
func (s *Sampler) draw(logits []float32) int32 {
	c := s.candidates[:0]
	for id := range logits {
		if value, ok := s.value(logits, id); ok {
			c = append(c, candidate{value, int32(id)})
		}
	}
	if len(c) == 0 {
		return -1
	}
	c = topK(c, s.options.TopK)
	weigh(c, s.options.Temperature)
	c = topP(c, s.options.TopP)
	c = minP(c, s.options.MinP)
	return pick(c, s.uniform())
}

// uniform returns the next random number of [0,1), by SplitMix64.
func (s *Sampler) uniform() float64 {
	s.random += 0x9e3779b97f4a7c15
	z := s.random
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	z ^= z >> 31
	return float64(z>>11) / (1 << 53)
}
