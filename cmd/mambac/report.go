package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/mambac/mambac/codegen"
)

// Length of the check that a build with --report, or verify without a
// reference, does.
const (
	checkTokens = 48
	checkGreedy = 16
	checkSeed   = 1
)

// equivalence climbs the ladder for a command with --report and returns what
// was found, as JSON. A program that is not equal is an error.
func (o *choice) equivalence(ctx context.Context, c *compiled, p progress) ([]byte, error) {
	l := &ladder{choice: o, compiled: c, ids: seededIDs(checkSeed, checkTokens, c.Plan.Vocab), greedy: checkGreedy}
	found, err := l.climb(ctx, p)
	if err != nil {
		return nil, err
	}
	for _, r := range found.Rungs {
		if !r.OK {
			return nil, fmt.Errorf("%s: level %s by %s differs from the evaluator: relative error %.2e, %d of %d greedy tokens equal; run mambac verify", c.checkpoint.Path, r.CPU, r.By, r.LogitsError, r.GreedyEqual, r.GreedyTotal)
		}
	}
	return json.Marshal(found)
}

// equivalenceHere is equivalence for programs of several targets: the one for
// this machine, at every level that it has, stands for all.
func (o *choice) equivalenceHere(ctx context.Context, m *model, p progress) ([]byte, error) {
	o = o.of(platform())
	c, err := o.compile(m, codegen.Options{Package: "main", Doc: programDoc(m)}, "build")
	if err != nil {
		return nil, err
	}
	return o.equivalence(ctx, c, p)
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

// writeReport writes a report for reading, or as JSON if the name says so.
func writeReport(name string, report []byte) error {
	if strings.HasSuffix(name, ".json") {
		return writeFile(name, append(report, '\n'))
	}
	var found equivalence
	if err := json.Unmarshal(report, &found); err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d seeded tokens and %d greedy ones, against the evaluator\n\n", found.Family, checkTokens, checkGreedy)
	if err := found.print(&console{out: &b}); err != nil {
		return err
	}
	return writeFile(name, []byte(b.String()))
}
