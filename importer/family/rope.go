package family

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/tensor"
)

// rope is what a config says of rotary embeddings, in either spelling
// (families.md §1.2): rope_parameters, or rope_theta and rope_scaling. Which
// share of a head is turned is the family's, whatever partial_rotary_factor says.
type rope struct {
	in      *reader // the object of the scaling
	kind    string  // rope_type
	theta   float64
	partial float64 // share of a head that is turned
	odd     bool    // an odd share is one element more
	scale   scaling
	longest size // max_position_embeddings
}

// scaling rewrites frequencies and says by which factor cosines and sines are
// multiplied. It reads what it needs of the config once the frequencies are
// known.
type scaling func(p *rope, f []float64) (factor float64)

// scalings are the rope types of families.md §1.7 by name.
var scalings = map[string]scaling{
	"default": plain,
	"dynamic": (*rope).dynamic,
	"linear":  (*rope).linear,
	"llama3":  (*rope).llama3,
	"yarn":    (*rope).yarn,
}

// rope reads what a config says; theta is the family's default, partial its share.
func (r *reader) rope(theta, partial float64) *rope {
	name := "rope_parameters"
	if _, ok := r.keys.get(name); !ok {
		name = "rope_scaling"
	}
	in := r.object(name)
	p := &rope{in: in, partial: partial, longest: r.size("longest text", "max_position_embeddings")}
	p.theta = in.number(r.number(theta, "rope_theta"), "rope_theta")
	p.kind = in.text(in.text("default", "type"), "rope_type")
	known := slices.Sorted(maps.Keys(scalings))
	if p.scale = scalings[p.kind]; p.scale == nil {
		in.fail(fmt.Errorf("%srope_type: %s is not supported; known are %s", in.prefix, printable(p.kind), strings.Join(known, ", ")))
	}
	if p.theta <= 1 {
		in.fail(fmt.Errorf("rope_theta: have %v, want a number above 1", p.theta))
	}
	in.only(ropeKeys)
	r.take(in)
	return p
}

// ropeKeys are those that are understood, or that change nothing.
var ropeKeys = []string{"rope_theta", "rope_type", "type", "partial_rotary_factor", "factor", "original_max_position_embeddings", "low_freq_factor",
	"high_freq_factor", "beta_fast", "beta_slow", "attention_factor", "truncate", "finetuned"}

// maxHead bounds the heads for which frequencies are made, before tensors prove
// that there are such heads.
const maxHead = 1 << 16

// rotary makes the frequencies for heads of that size.
func (p *rope) rotary(head size) (*Rotary, error) {
	if head.n > maxHead {
		return nil, fmt.Errorf("config.json: %v: want at most %d", head, maxHead)
	}
	width := int(float64(head.n) * p.partial)
	if width < 1 || width%2 != 0 && !p.odd {
		return nil, fmt.Errorf("config.json: %v: rotary embeddings turn %d of its elements, want an even number", head, width)
	}
	f := make([]float64, (width+1)/2)
	for i := range f {
		// Rounded where the original rounds: at long contexts an angle is a
		// frequency times thousands.
		power := float32(math.Pow(p.theta, float64(float32(2*i)/float32(width))))
		f[i] = float64(1 / power)
	}
	rotary := &Rotary{Theta: p.theta, Longest: p.bound()}
	plain := slices.Clone(f)
	rotary.Factor = float32(p.scale(p, f))
	if p.in.err != nil {
		return nil, p.in.err
	}
	values, stretch := make([]float32, len(f)), make([]float32, len(f))
	for i, v := range f {
		values[i], stretch[i] = float32(v), float32(plain[i]/v)
	}
	if !slices.Equal(f, plain) {
		rotary.Stretch = stretch
	}
	rotary.Frequencies = &ir.Param{Name: "rotary.frequencies", Shape: tensor.Shape{len(f)}, DType: tensor.F32, Source: tensor.Values(values, 1)}
	return rotary, nil
}

// bound is where dynamic frequencies are no longer the plain ones.
func (p *rope) bound() Longest {
	if p.kind != "dynamic" {
		return Longest{}
	}
	return Longest{p.longest.n, fmt.Sprintf("rotary embeddings of type dynamic (%s in config.json) change with the length of the text beyond %s",
		strings.TrimSuffix(p.in.prefix, "."), p.longest.from)}
}

// positive reads a number of the scaling that must be there and above 0.
func (p *rope) positive(name string) float64 {
	v := p.in.number(0, name)
	if _, ok := p.in.keys.get(name); !ok {
		p.in.fail(fmt.Errorf("%s: is missing, want a number above 0", p.in.prefix+name))
	}
	if v <= 0 {
		p.in.fail(fmt.Errorf("%s: have %v, want a number above 0", p.in.prefix+name, v))
	}
	return v
}

func plain(*rope, []float64) float64 { return 1 }

// dynamic is plain as far as texts may go: beyond that the original has other
// frequencies for every length that it is called with, so that what it computes
// depends on how a text was cut into calls.
func (p *rope) dynamic([]float64) float64 {
	if p.longest.n == 0 {
		p.in.fail(fmt.Errorf("max_position_embeddings: is missing, want the length of a text up to which %srope_type dynamic is plain", p.in.prefix))
	}
	return 1
}

func (p *rope) linear(f []float64) float64 {
	by := p.positive("factor")
	for i := range f {
		f[i] /= by
	}
	return 1
}

func (p *rope) llama3(f []float64) float64 {
	by, low, high := p.positive("factor"), p.positive("low_freq_factor"), p.positive("high_freq_factor")
	original := p.positive("original_max_position_embeddings")
	if low >= high {
		p.in.fail(fmt.Errorf("%slow_freq_factor: have %v, want less than high_freq_factor %v", p.in.prefix, low, high))
	}
	for i, v := range f {
		turns := original * v / (2 * math.Pi) // of the original context
		switch t := (turns - low) / (high - low); {
		case turns < low:
			f[i] = v / by
		case turns <= high:
			f[i] = (1-t)*v/by + t*v
		}
	}
	return 1
}

func (p *rope) yarn(f []float64) float64 {
	by, original := p.positive("factor"), p.in.number(float64(p.longest.n), "original_max_position_embeddings")
	if original <= 0 {
		p.in.fail(errors.New("original_max_position_embeddings and max_position_embeddings: have neither, want the context that yarn stretches"))
	}
	if !p.in.flag(true, "truncate") {
		p.in.fail(fmt.Errorf("%struncate: is false, but the ramp of yarn begins and ends at whole dimensions here", p.in.prefix))
	}
	width := float64(2 * len(f))
	// dimension is where the original context is that many turns.
	dimension := func(turns float64) float64 {
		return width * math.Log(original/(2*math.Pi*turns)) / (2 * math.Log(p.theta))
	}
	low := max(math.Floor(dimension(p.in.number(32, "beta_fast"))), 0)
	high := min(math.Ceil(dimension(p.in.number(1, "beta_slow"))), width-1)
	if low == high {
		high += 0.001
	}
	for i, v := range f {
		ramp := min(max((float64(i)-low)/(high-low), 0), 1)
		f[i] = v/by*ramp + v*(1-ramp)
	}
	return p.in.number(0.1*math.Log(by)+1, "attention_factor")
}
