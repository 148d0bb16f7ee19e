package main

import (
	"regexp"
	"strings"
	"testing"
)

// checkpointName is what a random checkpoint is called in the cache of a workshop: all
// that makes it what it is, flags of synth and a tokenizer, or none.
func checkpointName(tokenizer string, flags []string) string {
	var parts []string
	for _, flag := range flags {
		if !strings.HasPrefix(flag, "-") {
			parts = append(parts, flag)
		}
	}
	if tokenizer != "" {
		parts = append(parts, "with", tokenizer)
	}
	return fileName(strings.Join(parts, " "))
}

// fileName keeps letters and digits.
func fileName(text string) string { return regexp.MustCompile(`\W+`).ReplaceAllString(text, "-") }

// TestCheckpointNames: checkpoints that differ have names that do, and those of
// documents that share a cache are one.
func TestCheckpointNames(t *testing.T) {
	for want, c := range map[string]struct {
		tokenizer string
		flags     []string
	}{
		"mamba-130m":                   {"", []string{"--preset", "mamba-130m"}},
		"mamba-130m-with-gpt-neox-20b": {"gpt-neox-20b", []string{"--preset", "mamba-130m"}},
		"llama-160m-like-vocab_size-9": {"", []string{"--preset", "llama-160m-like", "--set", "vocab_size=9"}},
	} {
		if have := checkpointName(c.tokenizer, c.flags); have != want {
			t.Errorf("%s, %v is called %s, want %s", c.tokenizer, c.flags, have, want)
		}
	}
}
