package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mambac/mambac/codegen"
	"github.com/mambac/mambac/runtime/cpu"
	"github.com/mambac/mambac/runtime/report"
)

// Length of the check that a build with --report, or verify without a
// reference, does.
const (
	checkTokens = 48
	checkGreedy = 16
	checkSeed   = 1
)

// reportFlags is what the flags of a command with --report say of it.
type reportFlags struct {
	report     string // file; "" for none
	reportText string // file; "" for the bundled text
}

// register adds the flags; also says what else becomes of the report.
func (f *reportFlags) register(cmd *cobra.Command, also string) {
	flags := cmd.Flags()
	flags.StringVar(&f.report, "report", "", "check the program against the evaluator, compare it with the f32 program on a text, and write what was found to this file, as JSON if it ends in .json"+also)
	flags.StringVar(&f.reportText, "report-text", "", "the text to compare on (default: one that is bundled)")
}

// check is for the levels that are to be compared.
func (f *reportFlags) check(o *choice) error {
	switch {
	case f.report != "":
		return o.requireRunnable()
	case f.reportText != "":
		return usagef("--report-text %s: goes with --report", f.reportText)
	}
	return nil
}

// equivalence climbs the ladder for a command with --report, compares programs
// on a text, and returns what was found, as JSON. A program that is not equal
// is an error.
func (f *reportFlags) equivalence(ctx context.Context, o *choice, c *compiled, p progress) (found []byte, err error) {
	text, err := c.sample(f.reportText, c.Plan.Vocab)
	if err != nil {
		return nil, err
	}
	err = scratch(func(folder string) error {
		path := filepath.Join(folder, executableName("model"))
		tokens, greedy := c.fit(checkTokens, checkGreedy)
		l := &ladder{choice: o, compiled: c, ids: seededIDs(checkSeed, tokens, c.Plan.Vocab), greedy: greedy}
		rungs, err := l.climb(ctx, path, p)
		if err != nil {
			return err
		}
		if err := rungs.requireEqual(c.checkpoint.Path); err != nil {
			return err
		}
		r := c.report(rungs)
		if r.Text, err = o.quality(ctx, c, path, text, p); err != nil {
			return err
		}
		found, err = json.Marshal(r)
		return err
	})
	return found, err
}

// requireEqual fails with the first rung that does.
func (e *equivalence) requireEqual(checkpoint string) error {
	for _, r := range e.Rungs {
		if !r.OK {
			return fmt.Errorf("%s: level %s by %s differs from the evaluator: relative error %.2e, %d of %d greedy tokens equal; run mambac verify", checkpoint, r.CPU, r.By, r.LogitsError, r.GreedyEqual, r.GreedyTotal)
		}
	}
	return nil
}

// report is what there is to say before the text is read.
func (c *compiled) report(found *equivalence) *report.Report {
	tokens, greedy := c.fit(checkTokens, checkGreedy)
	r := &report.Report{
		Family: found.Family, Choices: found.Choices, Weights: c.weights, Math: c.math, Cache: c.cache, Calibration: c.calibration,
		Machine: report.Machine{CPU: cpu.Name(), Flags: cpu.Flags(), Target: platform(), Threads: cpu.PhysicalCores()},
		Storage: c.storages(), Rungs: found.Rungs, OK: found.OK,
		Inputs: report.Inputs{Tokens: tokens, Greedy: greedy, Seed: checkSeed},
		Absent: []report.Absent{},
	}
	for _, level := range c.levels {
		if missing := missingFeatures(level); len(missing) > 0 {
			r.Absent = append(r.Absent, report.Absent{CPU: level, Lacks: missing})
		}
	}
	return r
}

// equivalenceHere is equivalence for programs of several targets: the one for
// this machine, at every level that it has, stands for all.
func (f *reportFlags) equivalenceHere(ctx context.Context, o *choice, m *model, p progress) ([]byte, error) {
	o = o.of(platform())
	c, err := o.compile(m, codegen.Options{Package: "main", Doc: programDoc(m)}, "build")
	if err != nil {
		return nil, err
	}
	return f.equivalence(ctx, o, c, p)
}

// requireRunnable fails when this processor lacks every level of the program.
func (o *choice) requireRunnable() error {
	var err error
	for _, level := range o.levels() {
		if err = requireLevel(level); err == nil {
			return nil
		}
	}
	return fmt.Errorf("--report: %w", err)
}

// write writes a report for reading, or as JSON if the name says so.
func (f *reportFlags) write(found []byte) error {
	if strings.HasSuffix(f.report, ".json") {
		return writeFile(f.report, append(found, '\n'))
	}
	text, err := report.Format(found)
	if err != nil {
		return err
	}
	return writeFile(f.report, []byte(text))
}
