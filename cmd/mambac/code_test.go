package main

import (
	"bytes"
	"path/filepath"
	"testing"
)

// mostCode bounds a program with all features, without its weights.
const mostCode = 12_000_000

// TestCode: a server is small, and a program without one carries nothing of it.
func TestCode(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles programs")
	}
	for _, c := range []struct {
		with   string
		server bool
	}{{"serve", true}, {"serve,chat,state,explain", true}, {"chat,state,explain", false}, {"", false}} {
		flags := []string{"--payload", filepath.Join(t.TempDir(), "weights")}
		if c.with != "" {
			flags = append(flags, "--with", c.with)
		}
		b := buildFor(t, "linux/amd64", bundled, flags...)
		code := read(t, b.Path)
		if len(code) > mostCode {
			t.Errorf("--with %q: %d bytes, want at most %d", c.with, len(code), mostCode)
		}
		// Names of functions are in every program, for what a panic prints.
		for _, name := range []string{"net/http.(*Server).Serve", "mambac/runtime/serve."} {
			if got := bytes.Contains(code, []byte(name)); got != c.server {
				t.Errorf("--with %q: %s is there: %v", c.with, name, got)
			}
		}
		if !c.server && bytes.Contains(code, []byte("net/http.")) {
			t.Errorf("--with %q: something of net/http is there", c.with)
		}
		t.Logf("--with %q: %d bytes", c.with, len(code))
	}
}
