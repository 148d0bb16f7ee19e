package checkpoint

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const goldens = "../testdata/golden"

// digest is a checksum over names, shapes and widened values of all tensors in
// the order of their names.
func digest(t *testing.T, c *Checkpoint) uint32 {
	t.Helper()
	sum := uint32(0)
	for _, name := range c.Names() {
		x, _ := c.Tensor(name)
		text := []byte(name + x.Shape.String())
		for _, v := range readAll(t, x) {
			text = binary.LittleEndian.AppendUint32(text, math.Float32bits(v))
		}
		sum = crc32.Update(sum, crc32.IEEETable, text)
	}
	return sum
}

func readAll(t *testing.T, x *Tensor) []float32 {
	t.Helper()
	values := make([]float32, x.Shape.Elements())
	if err := x.ReadRows(values, 0, x.Shape.Rows()); err != nil {
		t.Fatal(err)
	}
	return values
}

// openGood opens a checkpoint that must be fine.
func openGood(t *testing.T, path string) *Checkpoint {
	t.Helper()
	c, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// TestGoldens compares every golden checkpoint with checksums computed by
// another implementation (Python's zipfile, pickle and struct modules).
func TestGoldens(t *testing.T) {
	for _, g := range []struct {
		name    string
		tensors int
		bytes   int64
		digest  uint32
	}{
		{"mamba-bf16-sharded", 22, 50112, 0x4b717c57},
		{"mamba-bin-legacy", 23, 100224 + 4*5120, 0x230791f8},
		{"mamba-bin-sharded", 23, 100224 + 4*5120, 0x61486dd5},
		{"mamba-f16-bin", 23, 50112 + 2*5120, 0xd8be8645},
		{"mamba-safetensors", 22, 100224, 0xbfeb8b03},
		{"mamba-ssm-layout", 23, 100224 + 4*5120, 0x380d2d1a},
		{"mamba-untied-bias", 25, 4 * 31648, 0xc76397d3},
	} {
		t.Run(g.name, func(t *testing.T) {
			c := openGood(t, filepath.Join(goldens, g.name))
			if n := len(c.Names()); n != g.tensors {
				t.Errorf("%d tensors, want %d: %v", n, g.tensors, c.Names())
			}
			if d := digest(t, c); d != g.digest {
				t.Errorf("digest %#x, want %#x", d, g.digest)
			}
			if b := c.Bytes(); b != g.bytes {
				t.Errorf("%d bytes, want %d", b, g.bytes)
			}
			if !strings.HasPrefix(string(c.Config()), "{") {
				t.Errorf("config %q", c.Config())
			}
		})
	}
}

// TestSingleFile opens a file of weights, and an index, without naming the
// folder.
func TestSingleFile(t *testing.T) {
	for _, path := range []string{"mamba-safetensors/model.safetensors", "mamba-bf16-sharded/model.safetensors.index.json", "mamba-bin-legacy/pytorch_model.bin"} {
		whole := openGood(t, filepath.Join(goldens, filepath.Dir(path)))
		c := openGood(t, filepath.Join(goldens, path))
		if a, b := digest(t, c), digest(t, whole); a != b {
			t.Errorf("%s: digest %#x, of the folder %#x", path, a, b)
		}
	}
	c := openGood(t, filepath.Join(goldens, "mamba-bf16-sharded/model-00001-of-00002.safetensors"))
	if n := len(c.Names()); n == 0 || n >= 22 {
		t.Errorf("one shard has %d tensors", n)
	}
}

// TestSafetensorsWins has both kinds of weights in one folder.
func TestSafetensorsWins(t *testing.T) {
	dir := t.TempDir()
	copyFile(t, filepath.Join(dir, "config.json"), goldens+"/mamba-safetensors/config.json")
	copyFile(t, filepath.Join(dir, "model.safetensors"), goldens+"/mamba-safetensors/model.safetensors")
	copyFile(t, filepath.Join(dir, "pytorch_model.bin"), goldens+"/mamba-f16-bin/pytorch_model.bin")
	c := openGood(t, dir)
	x, _ := c.Tensor("backbone.embeddings.weight")
	if filepath.Base(x.File) != "model.safetensors" {
		t.Errorf("read %s", x.File)
	}
	if _, ok := c.Tensor("no.such.weight"); ok {
		t.Error("found a tensor that is not there")
	}
}

func TestFile(t *testing.T) {
	c := openGood(t, filepath.Join(goldens, "mamba-f16-bin"))
	if _, ok, err := c.File("tokenizer.json"); ok || err != nil {
		t.Errorf("absent file: %v %v", ok, err)
	}
	text, ok, err := c.File("golden.json")
	if !ok || err != nil || !strings.Contains(string(text), "bin") {
		t.Errorf("golden.json: %q %v %v", text, ok, err)
	}
}

func copyFile(t *testing.T, to, from string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	write(t, to, text)
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
}
