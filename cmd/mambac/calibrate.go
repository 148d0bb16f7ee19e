package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mambac/mambac/codegen"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
	"github.com/mambac/mambac/ir/storage"
	"github.com/mambac/mambac/runtime/safetensors"
)

// What is read of a text: windows of it, each from a fresh state, evenly spread,
// and of those every so many tokens, for neighbours are alike. All if so many
// products can be summed within calibrationProducts; too few rows say too little
// of inputs of a thousand columns (RATIONALE.md, "What does --calibrate read?").
const (
	calibrationTokens   = 16384
	leastCalibration    = 4096 // rows
	calibrationProducts = 64e9
)

// registerCalibration adds the flag of commands that round weights.
func (o *choice) registerCalibration(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.text, "calibrate", "", "a text like those that the model will meet: weights that become codes are rounded so that errors make up for each other on it")
}

// checkCalibration demands that there be something to calibrate.
func (o *choice) checkCalibration() error {
	if o.text == "" || strings.HasPrefix(o.weights, "auto:") {
		return nil
	}
	if _, coded := storage.LookupCoded(o.weights); !coded {
		return usagef("--calibrate %s: weights in %s are not rounded to codes; use --weights int4, int8 or auto:N", o.text, o.weights)
	}
	return nil
}

// calibration is what linears of a model meet on a text, in a file.
type calibration struct {
	name   string // of the text and what was read of it
	inputs map[string][]tap
	path   string
	file   *os.File
	rows   *safetensors.File
}

// tap is a value that a program hands out.
type tap struct {
	name  string
	width int
}

// prepare measures what --tune wants measured and reads what --calibrate names,
// before anything is compiled; for a dry run, only what is there to be read of
// measurements. The returned function removes what is left on the disk.
func (o *choice) prepare(ctx context.Context, m *model, dryRun bool, p progress) (end func(), err error) {
	if err := o.prepareTuning(ctx, m, !dryRun, p); err != nil {
		return nil, err
	}
	if dryRun {
		return func() {}, nil
	}
	return o.calibrate(ctx, m, p)
}

// calibrate reads what --calibrate names, if anything, with a program of
// unrounded weights that runs here, and has what is compiled from then on
// encoded by it. The returned function removes what is left on the disk.
func (o *choice) calibrate(ctx context.Context, m *model, p progress) (end func(), err error) {
	if o.text == "" {
		return func() {}, nil
	}
	folder, remove, err := temporary()
	if err != nil {
		return nil, err
	}
	c := &calibration{inputs: map[string][]tap{}, path: filepath.Join(folder, "taps.safetensors")}
	end = func() { // nothing is lost if that fails
		if c.file != nil {
			_ = c.file.Close()
		}
		_ = remove()
	}
	if err := c.read(ctx, o, m, folder, p); err != nil {
		end()
		return nil, err
	}
	o.calibration = c
	return end, nil
}

func (c *calibration) read(ctx context.Context, o *choice, m *model, folder string, p progress) error {
	text, err := readText("--calibrate", o.text)
	if err != nil {
		return err
	}
	if m.Tokenizer == nil {
		return fmt.Errorf("--calibrate %s: %s %s; leave the flag out to round every weight by itself", o.text, m.checkpoint.Path, m.LacksTokenizer())
	}
	plain := newChoice()
	plain.disable, plain.math = o.disable, "exact"
	if o.platform == plain.platform {
		plain.warmed = o.warmed
	}
	out, err := c.compile(o, plain, m)
	if err != nil {
		return err
	}
	ids, err := m.textIDs("--calibrate "+o.text, text, out.Plan.IDs)
	if err != nil {
		return err
	}
	w := c.windows(ids, m.room(windowTokens))
	c.name = fmt.Sprintf("%s, %d tokens, sha256 %.16x", filepath.Base(o.text), w.count*w.length, sha256.Sum256([]byte(text)))
	if err := c.run(ctx, plain, out, w, folder, p); err != nil {
		return err
	}
	return c.open()
}

// compile makes a program of the model that hands out the inputs of matrices
// that o gives codes.
func (c *calibration) compile(o, plain *choice, m *model) (*compiled, error) {
	module, err := o.passes(m)
	if err != nil {
		return nil, err
	}
	tapped, err := plain.passes(m)
	if err != nil {
		return nil, err
	}
	wanted := c.choose(module)
	if wanted == nil {
		return nil, fmt.Errorf("%s: --calibrate %s: no weight of this model is rounded to codes with --weights %s; choose int4, int8 or fewer bits", m.checkpoint.Path, o.text, o.weights)
	}
	for _, r := range tapped.Regions {
		for _, v := range r.Body {
			if wanted[v.Name] {
				tapped.Taps = append(tapped.Taps, v)
			}
		}
	}
	return plain.emit(m, tapped, codegen.Options{Package: "main", Doc: programDoc(m)}, "calibrate")
}

// choose finds the inputs of matrices with codes. Passes treat storage last, so
// that values of other choices have the same names.
func (c *calibration) choose(m *ir.Module) map[string]bool {
	var wanted map[string]bool
	for _, r := range m.Regions {
		for _, v := range r.Body {
			if _, linear := v.Op.(op.Linear); !linear {
				continue
			}
			param, x := v.Params[0], v.Args[0]
			if _, coded := storage.LookupCoded(param.Storage); !coded {
				continue
			}
			if wanted == nil {
				wanted = map[string]bool{}
			}
			wanted[x.Name] = true
			if t := (tap{x.Name, x.Type.Width}); !slices.Contains(c.inputs[param.Name], t) {
				c.inputs[param.Name] = append(c.inputs[param.Name], t)
			}
		}
	}
	return wanted
}

// windows are equally long pieces of a text.
type windows struct {
	ids           []int32 // one after the other
	count, length int
	every         int // of so many tokens one row is kept
}

// rows is how many rows each tap leaves.
func (w *windows) rows() int { return w.count * ((w.length + w.every - 1) / w.every) }

// windows chooses what is read of a text, so many tokens at once: all of it if it
// is short.
func (c *calibration) windows(ids []int, length int) *windows {
	w := &windows{length: min(length, len(ids))}
	w.count = min(calibrationTokens, len(ids)) / w.length
	for i := range w.count {
		at := (len(ids) - w.length) * i / max(w.count-1, 1)
		for _, id := range ids[at : at+w.length] {
			w.ids = append(w.ids, int32(id))
		}
	}
	products := 0.0
	for _, t := range c.taps() {
		products += float64(t.width) * float64(min(t.width, storage.BlockColumns)) / 2
	}
	rows := max(int(calibrationProducts/products), leastCalibration)
	w.every = max(w.count*w.length/rows, 1)
	return w
}

// taps lists the inputs, each once.
func (c *calibration) taps() []tap {
	var list []tap
	for _, taps := range c.inputs {
		for _, t := range taps {
			if !slices.Contains(list, t) {
				list = append(list, t)
			}
		}
	}
	return list
}

// run has a tapped program built, asks it, and removes it.
func (c *calibration) run(ctx context.Context, o *choice, out *compiled, w *windows, folder string, p progress) error {
	rows := int64(0)
	for _, t := range c.taps() {
		rows += 4 * int64(w.rows()) * int64(t.width)
	}
	if err := requireSpace(c.path, out.Plan.Bytes+executableBytes+rows); err != nil {
		return fmt.Errorf("--calibrate: %w", err)
	}
	path := filepath.Join(folder, executableName("taps"))
	if err := o.program(ctx, out, path, nil, p); err != nil {
		return err
	}
	asked := &program{path: path, folder: folder, level: lastRunnable(out.levels)}
	err := during(p, "calibrate", 0, func(func(int64)) error { return w.ask(ctx, asked, c.path) })
	return errors.Join(err, removeFile(path))
}

// ask has a program write its taps to a file.
func (w *windows) ask(ctx context.Context, p *program, file string) error {
	given := file + ".ids"
	err := newStream(given, func(to io.Writer) error {
		return safetensors.WriteAll(to, nil, safetensors.Values{Name: "windows", Shape: []int{w.count, w.length}, Data: w.ids})
	})
	if err != nil {
		return err
	}
	_, err = p.run(ctx, "taps", "--windows", given, "--every", strconv.Itoa(w.every), "-o", file)
	return err
}

// open opens what the program wrote.
func (c *calibration) open() error {
	f, err := os.Open(c.path)
	if err != nil {
		return err
	}
	c.file = f
	c.rows, err = safetensors.OpenFile(f)
	return err
}

// apply has the matrices with codes of a module encoded for their inputs.
func (c *calibration) apply(m *ir.Module) {
	q := newCompensators(c)
	for _, p := range m.Params {
		format, coded := storage.LookupCoded(p.Storage)
		if taps := c.inputs[p.Name]; coded && taps != nil {
			p.Encoder = q.add(format, taps)
		}
	}
}
