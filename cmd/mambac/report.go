package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
)

// Length of the check that a build with --report, or verify without a
// reference, does.
const (
	checkTokens = 48
	checkGreedy = 16
	checkSeed   = 1
)

// equivalence climbs the ladder for a build with --report and returns what was
// found, as JSON; nil without. A program that is not equal is an error.
func (f *buildFlags) equivalence(ctx context.Context, c *compiled, p progress) ([]byte, error) {
	if f.report == "" {
		return nil, nil
	}
	l := &ladder{choice: &f.choice, compiled: c, ids: seededIDs(checkSeed, checkTokens, c.Plan.Vocab), greedy: checkGreedy}
	found, err := l.climb(ctx, p)
	if err != nil {
		return nil, err
	}
	for _, r := range found.Rungs {
		if !r.OK {
			return nil, fmt.Errorf("%s: level %s by %s differs from the evaluator: relative error %.2e, %d of %d greedy tokens equal; run mambac verify", f.out, r.CPU, r.By, r.LogitsError, r.GreedyEqual, r.GreedyTotal)
		}
	}
	return json.Marshal(found)
}

// requireRunnable fails when this processor lacks every level of the program.
func (f *buildFlags) requireRunnable() error {
	var err error
	for _, level := range f.levels() {
		if err = requireLevel(level); err == nil {
			return nil
		}
	}
	return fmt.Errorf("--report: %w", err)
}

// reportText is the report as its file holds it.
func (f *buildFlags) reportText(report []byte) ([]byte, error) {
	if strings.HasSuffix(f.report, ".json") {
		return append(report, '\n'), nil
	}
	var found equivalence
	if err := json.Unmarshal(report, &found); err != nil {
		return nil, err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d seeded tokens and %d greedy ones, against the evaluator\n\n", found.Family, checkTokens, checkGreedy)
	err := found.print(&console{out: &b})
	return []byte(b.String()), err
}
