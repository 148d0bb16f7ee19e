package heat

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/payload"
)

// ErrUnexplained is the error of programs that were built without what it takes.
var ErrUnexplained = errors.New("the program was built without Δ to show; build it again --with explain")

// Reader reads texts with an engine.
type Reader struct {
	engine *engine.Engine
	meta   *payload.Metadata
	scans  map[string]*scan // by their taps
}

// scan is what becomes of a tap.
type scan struct {
	layer int
	payload.Delta
	bias []float32 // nil for a tap that is Δ
}

// New makes a reader for an engine, with the payload and the weights section that
// it was made of.
func New(e *engine.Engine, meta *payload.Metadata, weights []byte) (*Reader, error) {
	if len(meta.Layers) == 0 {
		return nil, ErrUnexplained
	}
	widths := map[string]int{}
	for _, t := range e.Taps() {
		widths[t.Name] = t.Width
	}
	r := &Reader{engine: e, meta: meta, scans: map[string]*scan{}}
	for i, l := range meta.Layers {
		if l.Delta == nil {
			continue
		}
		if err := r.add(i, l.Delta, widths, weights); err != nil {
			return nil, fmt.Errorf("layer %d: %w; build the program again", i, err)
		}
	}
	return r, nil
}

func (r *Reader) add(layer int, d *payload.Delta, widths map[string]int, weights []byte) error {
	width := widths[d.Tap]
	if width == 0 {
		return fmt.Errorf("the program has no tap %q", d.Tap)
	}
	s := &scan{layer: layer, Delta: *d}
	r.scans[d.Tap] = s
	if d.Bias == nil {
		return nil
	}
	at, size := *d.Bias, int64(4*width)
	if at < 0 || at%4 != 0 || at > int64(len(weights))-size {
		return fmt.Errorf("the bias of Δ at %d is outside the weights, which have %d bytes", at, len(weights))
	}
	s.bias = payload.Float32s(weights[at : at+size])
	return nil
}

// Read reads ids from a fresh state. Texts are those of the ids.
func (r *Reader) Read(ctx context.Context, ids []int32, texts []string) (*Map, error) {
	m := &Map{Model: r.meta.Name, Tokens: texts, Delta: make([][]float32, len(r.meta.Layers))}
	for i, l := range r.meta.Layers {
		m.Layers = append(m.Layers, Layer{i, l.Mixer})
		if l.Delta != nil {
			m.Delta[i] = make([]float32, len(ids))
		}
	}
	if len(r.scans) > 0 { // else it is a model of attention alone
		if err := r.engine.PrefillTaps(ctx, r.engine.NewState(), ids, r.sink(m)); err != nil {
			return nil, err
		}
	}
	m.shade()
	return m, nil
}

// sink takes what is handed out into a map.
func (r *Reader) sink(m *Map) engine.TapSink {
	return func(t *engine.Tap, i int, values []float32) error {
		s := r.scans[t.Name]
		if s == nil {
			return nil
		}
		mean := s.mean(values)
		if math.IsNaN(mean) || math.IsInf(mean, 0) {
			return fmt.Errorf("layer %d: Δ of token %d is %g: the weights are broken", s.layer, i, mean)
		}
		m.Delta[s.layer][i] = float32(mean)
		return nil
	}
}

// mean is that of Δ over channels or heads.
func (s *scan) mean(values []float32) float64 {
	sum := 0.0
	for i, v := range values {
		delta := float64(v)
		if s.bias != nil {
			delta = s.clamp(softplus(delta + float64(s.bias[i])))
		}
		sum += delta
	}
	return sum / float64(len(values))
}

func (s *scan) clamp(delta float64) float64 {
	delta = max(delta, float64(s.Low))
	if s.High != 0 {
		delta = min(delta, float64(s.High))
	}
	return delta
}

// softplus is log(1 + exp(x)), which from 20 on is x to the last bit of a float32.
func softplus(x float64) float64 {
	if x > 20 {
		return x
	}
	return math.Log1p(math.Exp(x))
}
