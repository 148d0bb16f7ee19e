package main

import (
	"errors"
	"math"

	"github.com/mambac/mambac/runtime/report"
)

// divergence adds up, row after row, how far logits are from those of another
// program.
type divergence struct {
	difference, scale float64 // of the relative error
	equal, rows       int     // how often both find the same id likeliest
	sum, most         float64 // Kullback-Leibler divergence, nats
}

// add takes the rows of one position, with the logarithms of their sums of
// exponentials.
func (d *divergence) add(got, want row) {
	kl := 0.0
	for i, w := range want.logits {
		g, w := float64(got.logits[i]), float64(w)
		d.difference, d.scale = max(d.difference, math.Abs(g-w)), max(d.scale, math.Abs(w))
		ln := w - want.logSum
		kl += math.Exp(ln) * (ln - (g - got.logSum))
	}
	kl = max(kl, 0) // equal rows may leave less than nothing
	d.sum, d.most = d.sum+kl, max(d.most, kl)
	if d.rows++; likeliest(got.logits) == likeliest(want.logits) {
		d.equal++
	}
}

// into fills in what was found.
func (d *divergence) into(c *report.Comparison) {
	c.LogitsError = d.difference
	if d.scale > 0 {
		c.LogitsError /= d.scale
	}
	c.Top1Equal, c.Positions = d.equal, d.rows
	c.MeanKL, c.MaxKL = d.sum/float64(max(d.rows, 1)), d.most
}

// row is the logits of a position.
type row struct {
	logits []float32
	logSum float64 // log Σ exp(logits)
}

var errNoNumbers = errors.New("logits are no finite numbers; are the weights of the checkpoint damaged?")

// measure computes the sum of the row's logits.
func (r *row) measure() error {
	largest := float64(r.logits[likeliest(r.logits)])
	sum := 0.0
	for _, v := range r.logits {
		sum += math.Exp(float64(v) - largest)
	}
	if r.logSum = largest + math.Log(sum); math.IsNaN(r.logSum) || math.IsInf(r.logSum, 0) {
		return errNoNumbers
	}
	return nil
}

// nll is the negative log-likelihood of an id, in nats.
func (r *row) nll(id int) float64 { return r.logSum - float64(r.logits[id]) }
