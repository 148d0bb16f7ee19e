package main

import (
	"fmt"
	"runtime"

	"github.com/mambac/mambac/codegen/lower"
	"github.com/mambac/mambac/ir/pass"
	"github.com/mambac/mambac/ir/storage"
	"github.com/mambac/mambac/runtime/cpu"
	"github.com/mambac/mambac/runtime/probe"
)

// bandwidth is the rate at which memory is read.
type bandwidth struct {
	Threads  int     `json:"threads"` // 0 if it was given
	ReadGBs  float64 `json:"read_gb_s"`
	Measured bool    `json:"measured"`
}

// weightFormat is what becomes of a model whose weights are kept in one.
type weightFormat struct {
	Name        string `json:"format"`
	WeightBytes int64  `json:"weight_bytes"`
	PackedBytes int64  `json:"packed_bytes"` // with padding, as they lie in memory
	// DecodeBytes is read and written for one token, after the context: weights
	// and caches once, fixed states both ways.
	DecodeBytes int64 `json:"decode_bytes_per_token"`
	// TokensPerSecond is how many of them the bandwidth allows.
	TokensPerSecond float64 `json:"decode_tokens_s"`
}

// estimate adds to a description what depends on formats and the machine.
func (d *description) estimate(f *inspectFlags, m *model) error {
	if err := d.Bandwidth.find(f.bandwidth); err != nil {
		return err
	}
	d.Context = f.context
	d.ContextBytes, d.ContextFlop = contextBytes(m.Module, f.context), contextFlop(m.Module, f.context)
	for _, name := range storage.Names() {
		module, err := pass.Run(m.Module, pass.Options{Disable: f.disable, Storage: name, Cache: f.caches()})
		if err != nil {
			return err
		}
		p, err := lower.Lower(module, lower.Options{})
		if err != nil {
			return err
		}
		s := measure(module)
		bytes := s.DecodeBytes + contextBytes(module, f.context)
		d.Formats = append(d.Formats, weightFormat{name, s.WeightBytes, p.Bytes, bytes, d.Bandwidth.ReadGBs * 1e9 / float64(bytes)})
	}
	return nil
}

// find takes the rate that was given, or else measures one.
func (b *bandwidth) find(given float64) error {
	if given > 0 {
		b.ReadGBs = given
		return nil
	}
	b.Threads, b.Measured = min(cpu.PhysicalCores(), runtime.GOMAXPROCS(0)), true
	rate, err := probe.EstimateReadGBs(b.Threads)
	if err != nil {
		return fmt.Errorf("the rate of reading memory: %w; give it with --bandwidth", err)
	}
	b.ReadGBs = rate
	return nil
}

// printFormats is a line for every format of weights.
func (d *description) printFormats(t *table) {
	from := "given"
	if d.Bandwidth.Measured {
		from = fmt.Sprintf("as measured with %d threads", d.Bandwidth.Threads)
	}
	t.text("decode at %.1f GB/s (%s), after %d tokens of text:", d.Bandwidth.ReadGBs, from, d.Context)
	t.text("%8s %14s %14s %16s %12s", "weights", "size", "in memory", "read for a token", "tokens/s")
	for _, f := range d.Formats {
		t.text("%8s %14s %14s %16s %12.1f", f.Name, formatBytes(f.WeightBytes), formatBytes(f.PackedBytes), formatBytes(f.DecodeBytes), f.TokensPerSecond)
	}
}
