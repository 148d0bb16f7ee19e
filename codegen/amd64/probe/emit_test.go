package probe

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

//go:generate go test . -run Fresh -update

var update = flag.Bool("update", false, "write runtime/probe/probe_amd64.s anew")

var output = filepath.Join("..", "..", "..", "runtime", "probe", "probe_amd64.s")

// TestFresh compares what is emitted with what is checked in.
func TestFresh(t *testing.T) {
	want, err := Emit()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(output, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(output)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want) {
		t.Errorf("%s is stale; run go generate ./codegen/amd64/probe", output)
	}
}
