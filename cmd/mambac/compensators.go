package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"

	"github.com/mambac/mambac/ir/storage"
	"github.com/mambac/mambac/runtime/safetensors"
)

// compensators are the encoders of the matrices of one module. What one needs is
// large and takes time: it is made when a matrix is read, together with that of
// the next ones by other processors, and forgotten when others have been read.
type compensators struct {
	*calibration
	list  []*compensator
	keep  int // of those that are made
	ahead int

	mu    sync.Mutex
	clock int
}

// compensator encodes one matrix.
type compensator struct {
	all    *compensators
	index  int
	format *storage.Coded
	taps   []tap
	made   *compensation // nil if it is to be made
	used   int           // when, by the clock
}

// compensation arrives when done is closed.
type compensation struct {
	done    chan struct{}
	encoder storage.Encoder
	err     error
}

// Several matrices are packed at once if they are small.
const matricesAtOnce = 4

func newCompensators(c *calibration) *compensators {
	ahead := min(max(runtime.GOMAXPROCS(0)-1, 1), 7)
	return &compensators{calibration: c, ahead: ahead, keep: ahead + matricesAtOnce}
}

// add makes the encoder of the next matrix, which meets what taps hand out.
func (a *compensators) add(format *storage.Coded, taps []tap) storage.Encoder {
	e := &compensator{all: a, index: len(a.list), format: format, taps: taps}
	a.list = append(a.list, e)
	return e
}

// Encode implements storage.Encoder.
func (e *compensator) Encode(row []float32, codes []uint8, scales []uint16) error {
	made := e.all.of(e.index)
	<-made.done
	if made.err != nil {
		return made.err
	}
	return made.encoder.Encode(row, codes, scales)
}

// of finds or begins what the encoder of an index needs, and begins the next.
func (a *compensators) of(index int) *compensation {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.clock++
	made := a.list[index].begin()
	for _, e := range a.list[index+1 : min(index+1+a.ahead, len(a.list))] {
		e.begin()
	}
	a.forget()
	return made
}

// begin has what an encoder needs made, if it is not there.
func (e *compensator) begin() *compensation {
	e.used = e.all.clock
	if e.made != nil {
		return e.made
	}
	made := &compensation{done: make(chan struct{})}
	e.made = made
	go func() {
		defer close(made.done)
		made.encoder, made.err = e.all.products(e.format, e.taps)
	}()
	return made
}

// forget drops those that have not been used for longest.
func (a *compensators) forget() {
	var there []*compensator
	for _, e := range a.list {
		if e.made != nil {
			there = append(there, e)
		}
	}
	slices.SortFunc(there, func(a, b *compensator) int { return b.used - a.used })
	for _, e := range there[min(a.keep, len(there)):] {
		e.made = nil
	}
}

// products reads rows of taps and makes the encoder of a matrix that meets them.
func (c *calibration) products(format *storage.Coded, taps []tap) (storage.Encoder, error) {
	p := storage.NewProducts(format, taps[0].width)
	for _, t := range taps {
		if err := c.each(t, p.Add); err != nil {
			return nil, fmt.Errorf("inputs by --calibrate: %w", err)
		}
	}
	e, err := p.Encoder()
	if err != nil {
		return nil, fmt.Errorf("inputs by --calibrate: %w; are the weights of the checkpoint damaged?", err)
	}
	return e, nil
}

// rowsAtOnce is how many rows of a tap are in memory.
const rowsAtOnce = 256

// each passes on the rows of a tap.
func (c *calibration) each(t tap, take func(rows []float32)) error {
	tensor, ok := c.rows.Tensor(t.name)
	if !ok {
		return fmt.Errorf("%s: there is no such tap", t.name)
	}
	r := c.rows.Section(tensor)
	bytes := make([]byte, 4*t.width*rowsAtOnce)
	values := make([]float32, t.width*rowsAtOnce)
	for left := tensor.Shape[0]; left > 0; left -= rowsAtOnce {
		n := t.width * min(left, rowsAtOnce)
		if _, err := io.ReadFull(r, bytes[:4*n]); err != nil {
			return err
		}
		safetensors.DecodeFloats(values[:n], bytes)
		take(values[:n])
	}
	return nil
}
