package importer

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/mambac/mambac/importer/checkpoint"
	"github.com/mambac/mambac/importer/container"
	"github.com/mambac/mambac/ir/tensor"
)

// single is the matrix of one expert: the layer, its number, its name.
var single = regexp.MustCompile(`^(.*\.experts\.)(\d+)\.(gate|up|down)_proj\.weight$`)

// TestFusedExperts writes a golden with the tensors that newer releases have in
// memory, all experts in one, and holds it against the same outputs.
func TestFusedExperts(t *testing.T) {
	found, err := filepath.Glob("testdata/golden/jamba")
	if err != nil || len(found) != 1 {
		t.Fatalf("golden jamba is in %v: %v", found, err)
	}
	folder := found[0]
	for _, name := range []string{"safetensors", "torch-zip"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			config, err := os.ReadFile(filepath.Join(folder, "config.json"))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "config.json"), config, 0o666); err != nil {
				t.Fatal(err)
			}
			create := func(name string) (io.WriteCloser, error) { return os.Create(filepath.Join(dir, name)) }
			if err := container.Write(name, fused(t, folder), 0, create); err != nil {
				t.Fatal(err)
			}
			compare(t, open(t, dir).Module, readGolden(t, folder), false)
		})
	}
}

// fused are the tensors of a checkpoint, experts of a layer in one.
func fused(t *testing.T, path string) (list []container.Tensor) {
	t.Helper()
	c, err := checkpoint.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	values := func(name string) *tensor.Dense {
		x, ok := c.Tensor(name)
		if !ok {
			t.Fatalf("no %s", name)
		}
		d := &tensor.Dense{Shape: x.Shape, Values: make([]float32, x.Shape.Elements())}
		if err := x.ReadRows(d.Values, 0, x.Shape.Rows()); err != nil {
			t.Fatal(err)
		}
		return d
	}
	add := func(name string, d *tensor.Dense) {
		list = append(list, container.Tensor{Name: name, DType: tensor.F32, Shape: d.Shape, Source: d})
	}
	const experts = 4
	for _, name := range c.Names() {
		m := single.FindStringSubmatch(name)
		if m == nil {
			add(name, values(name))
		} else if m[2] == "0" && m[3] == "down" {
			add(m[1]+"gate_up_proj", joined(m[1], experts, values, "gate", "up"))
			add(m[1]+"down_proj", joined(m[1], experts, values, "down"))
		}
	}
	return list
}

// joined is the matrices of those names of every expert.
func joined(prefix string, experts int, values func(string) *tensor.Dense, names ...string) *tensor.Dense {
	all := &tensor.Dense{Shape: tensor.Shape{experts, 0, 0}}
	for e := range experts {
		for _, name := range names {
			d := values(fmt.Sprintf("%s%d.%s_proj.weight", prefix, e, name))
			all.Values = append(all.Values, d.Values...)
			all.Shape[1], all.Shape[2] = len(names)*d.Shape[0], d.Shape[1]
		}
	}
	return all
}
