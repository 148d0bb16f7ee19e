package arm64

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

//go:generate go test . -run ProbeIsFresh -update

var update = flag.Bool("update", false, "write runtime/probe/probe_arm64.s anew")

// TestProbeIsFresh compares what is emitted with what is checked in.
func TestProbeIsFresh(t *testing.T) {
	path := filepath.Join("..", "..", "runtime", "probe", "probe_arm64.s")
	if *update {
		if err := os.WriteFile(path, Probe(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, Probe()) {
		t.Errorf("%s is stale; run go generate ./codegen/arm64", path)
	}
}

// TestProbeInterpreted: the loops end, and read what they say.
func TestProbeInterpreted(t *testing.T) {
	for _, n := range []int{0, 512, 2048} {
		if err := interpret(probeRead(), []any{make([]float32, n/4)}); err != nil {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	for n := range 3 {
		if err := interpret(probeFMA(), []any{n}); err != nil {
			t.Errorf("%d rounds: %v", n, err)
		}
	}
}
