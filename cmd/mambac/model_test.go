package main

import (
	"strings"
	"testing"

	"github.com/mambac/mambac/importer"
	"github.com/mambac/mambac/importer/checkpoint"
	"github.com/mambac/mambac/importer/family"
)

// bounded is a model whose texts have so many tokens; 0 for any number.
func bounded(tokens int) *model {
	return &model{
		Model:      &importer.Model{Longest: family.Longest{Tokens: tokens, Reason: "as the test says"}},
		checkpoint: &checkpoint.Checkpoint{Path: "ck"},
	}
}

// TestFit: what is checked has room in a text, and something is left of both parts.
func TestFit(t *testing.T) {
	for longest := range 100 {
		tokens, follow := bounded(longest).fit(48, 16)
		roomy := longest == 0 || longest >= 48+16-1
		if roomy && (tokens != 48 || follow != 16) || tokens < 1 || follow < 1 || !roomy && tokens+follow-1 != longest {
			t.Errorf("in %d tokens: %d, and %d follow", longest, tokens, follow)
		}
	}
}

// TestShortTexts: windows and prompts for a report and a calibration are as short
// as the texts of a model.
func TestShortTexts(t *testing.T) {
	for longest, want := range map[int]struct{ window, prompt int }{0: {512, 64}, 1000: {512, 64}, 95: {95, 64}, 40: {40, 9}, 32: {32, 1}, 31: {31, 0}} {
		s := &sample{ids: make([]int, 300), longest: longest}
		prompt := 0
		for _, p := range s.prompts() {
			prompt = len(p)
		}
		m := bounded(longest)
		if window := newQuality(s, 30).window; window != want.window || m.room(windowTokens) != want.window || prompt != want.prompt {
			t.Errorf("longest text %d: windows of %d and %d tokens, prompts of %d", longest, window, m.room(windowTokens), prompt)
		}
	}
}

func TestRefuseLonger(t *testing.T) {
	for tokens, longest := range map[int64]int{9: 9, 1 << 40: 0} {
		if err := bounded(longest).refuseLonger("--context 8", tokens); err != nil {
			t.Error(err)
		}
	}
	err := bounded(9).refuseLonger("--context 9", 10)
	if err == nil || !strings.HasPrefix(err.Error(), "ck: --context 9: ") || !strings.Contains(err.Error(), "as the test says") {
		t.Errorf("error %v", err)
	}
}
