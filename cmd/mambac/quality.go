package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mambac/mambac/codegen"
	"github.com/mambac/mambac/codegen/target"
	"github.com/mambac/mambac/runtime/report"
	"github.com/mambac/mambac/runtime/safetensors"
)

// A window is what programs read from a fresh state: no more tokens than that,
// and no more bytes of logits on the disk. Nothing but a row of each program is
// in memory.
const (
	windowTokens = 512
	windowBytes  = 128 << 20
)

// Greedy continuations of pieces of the text.
const (
	greedyPieces = 4
	greedyPrompt = 64
	greedyTokens = 32
)

// quality is what programs of one checkpoint make of one text.
type quality struct {
	text     *sample
	window   int
	programs []*reader // the one that is built first
	pairs    []*pair
}

// reader is a program that reads the text.
type reader struct {
	program
	report.Program
	nll    float64 // sum
	greedy [][]int // behind each prompt
	row    row
	bytes  []byte // of the row
}

// pair is two readers to compare.
type pair struct {
	of, against *reader
	divergence
}

// newQuality is of a text and programs with a vocabulary.
func newQuality(text *sample, vocabulary int) *quality {
	window := min(max(windowBytes/(4*vocabulary), 16), windowTokens)
	if text.longest > 0 {
		window = min(window, text.longest)
	}
	return &quality{text: text, window: window}
}

// add has a compiled program built into a folder, to read the text at a level.
func (q *quality) add(ctx context.Context, o *choice, c *compiled, folder, name, level string, p progress) (*reader, error) {
	path := filepath.Join(folder, executableName(strings.ReplaceAll(name, " ", "-")))
	if err := requireSpace(path, c.Plan.Bytes+executableBytes); err != nil {
		return nil, fmt.Errorf("--report: %w", err)
	}
	if err := o.program(ctx, c, path, nil, p); err != nil {
		return nil, err
	}
	return q.reader(path, folder, name, level, c), nil
}

// reader adds a program that is there.
func (q *quality) reader(path, folder, name, level string, c *compiled) *reader {
	r := &reader{
		program: program{path: path, folder: folder, level: level},
		Program: report.Program{Name: name, CPU: level, Weights: c.weights, Math: c.math},
		row:     row{logits: make([]float32, c.Plan.Vocab)},
		bytes:   make([]byte, 4*c.Plan.Vocab),
	}
	q.programs = append(q.programs, r)
	return r
}

func (q *quality) compare(of, against *reader) {
	q.pairs = append(q.pairs, &pair{of: of, against: against})
}

// read lets all programs read the text.
func (q *quality) read(ctx context.Context) error {
	for at := 0; at < len(q.text.ids); at += q.window {
		if err := q.readWindow(ctx, at, min(at+q.window, len(q.text.ids))); err != nil {
			return err
		}
	}
	if len(q.pairs) == 0 {
		return nil
	}
	for _, r := range q.programs {
		for _, prompt := range q.text.prompts() {
			ids, err := r.program.greedy(ctx, prompt, greedyTokens)
			if err != nil {
				return err
			}
			r.greedy = append(r.greedy, ids)
		}
	}
	return nil
}

// readWindow compares the logits behind ids from one position to another.
func (q *quality) readWindow(ctx context.Context, from, to int) error {
	var rows []io.Reader
	for i, r := range q.programs {
		name := filepath.Join(r.folder, fmt.Sprintf("logits%d.safetensors", i))
		if err := r.logits(ctx, q.text.ids[from:to], "prefill", name); err != nil {
			return err
		}
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		logits, err := logitsOf(f)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		rows = append(rows, logits)
	}
	for at := from; at < to; at++ {
		for i, r := range q.programs {
			if err := r.next(rows[i], q.text.following(at)); err != nil {
				return fmt.Errorf("%s, position %d: %w", r.Name, at, err)
			}
		}
		for _, p := range q.pairs {
			p.add(p.of.row, p.against.row)
		}
	}
	return nil
}

// logitsOf is the values in a file of logits.
func logitsOf(f *os.File) (io.Reader, error) {
	file, err := safetensors.OpenFile(f)
	if err != nil {
		return nil, err
	}
	t, _ := file.Tensor("logits")
	return bufio.NewReaderSize(file.Section(t), 1<<20), nil
}

// next takes one more row, and what it says of the id that follows if there is
// one.
func (r *reader) next(rows io.Reader, following int) error {
	if _, err := io.ReadFull(rows, r.bytes); err != nil {
		return err
	}
	safetensors.DecodeFloats(r.row.logits, r.bytes)
	if err := r.row.measure(); err != nil {
		return err
	}
	if following >= 0 {
		r.nll += r.row.nll(following)
	}
	return nil
}

// found is what the report says of it.
func (q *quality) found() report.Text {
	t := report.Text{Source: q.text.source, Tokens: len(q.text.ids), Window: q.window, Comparisons: []report.Comparison{}}
	for _, r := range q.programs {
		if q.text.isText {
			mean := r.nll / float64(len(q.text.ids)-1)
			r.NLL = &mean
		}
		t.Programs = append(t.Programs, r.Program)
	}
	for _, p := range q.pairs {
		c := report.Comparison{Of: p.of.Name, Against: p.against.Name}
		for i, want := range p.against.greedy {
			c.GreedyTotal += len(want)
			c.GreedyEqual += samePrefix(p.of.greedy[i], want)
		}
		p.into(&c)
		if p.of.NLL != nil {
			change := *p.of.NLL - *p.against.NLL
			c.NLLChange = &change
		}
		t.Comparisons = append(t.Comparisons, c)
	}
	return t
}

// samePrefix counts the ids before the first that differs: behind it two
// continuations are about different texts.
func samePrefix(a, b []int) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// lastRunnable is the last of the levels that this processor has.
func lastRunnable(levels []string) string {
	for _, level := range slices.Backward(levels) {
		if len(missingFeatures(level)) == 0 {
			return level
		}
	}
	return target.Generic
}

// quality builds what the program in c is to be compared with, and compares
// them on a text. path is the program itself.
func (o *choice) quality(ctx context.Context, c *compiled, path string, text *sample, p progress) (report.Text, error) {
	folder, level := filepath.Dir(path), lastRunnable(c.levels)
	q := newQuality(text, c.Plan.Vocab)
	built := q.reader(path, folder, report.Built, level, c)
	if c.math == "fast" {
		same := *o
		same.cpu, same.math = level, "exact"
		if c.cache != "" {
			same.cache = c.cache
		}
		exact, err := q.addLike(ctx, &same, c.model, folder, report.Exact, p)
		if err != nil {
			return report.Text{}, err
		}
		q.compare(built, exact)
	}
	if c.math == "fast" || !lossless(c.module) || narrowCache(c.cache) != "" {
		plain := newChoice()
		plain.weights, plain.math = "f32", "exact"
		f32, err := q.addLike(ctx, plain, c.model, folder, report.F32, p)
		if err != nil {
			return report.Text{}, err
		}
		for _, r := range q.programs[:len(q.programs)-1] {
			q.compare(r, f32)
		}
	}
	err := during(p, "compare", 0, func(func(int64)) error { return q.read(ctx) })
	return q.found(), err
}

// addLike compiles the model once more and adds it to the programs.
func (q *quality) addLike(ctx context.Context, o *choice, m *model, folder, name string, p progress) (*reader, error) {
	c, err := o.compile(m, codegen.Options{Package: "main", Doc: programDoc(m)}, "build")
	if err != nil {
		return nil, err
	}
	return q.add(ctx, o, c, folder, name, c.levels[0], p)
}

// storages is what each format of a program's weights takes.
func (c *compiled) storages() []report.Storage {
	var list []report.Storage
	for _, p := range c.module.Params {
		i := slices.IndexFunc(list, func(s report.Storage) bool { return s.Format == p.Storage })
		if i < 0 {
			i = len(list)
			list = append(list, report.Storage{Format: p.Storage})
		}
		list[i].Parameters += int64(p.Shape.Elements())
		list[i].Bytes += paramBytes(p, p.Shape.Rows())
	}
	for i, s := range list {
		list[i].BitsPerWeight = 8 * float64(s.Bytes) / float64(s.Parameters)
	}
	slices.SortFunc(list, func(a, b report.Storage) int { return strings.Compare(a.Format, b.Format) })
	return list
}
