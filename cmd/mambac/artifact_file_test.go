package main

import (
	"bytes"
	"debug/buildinfo"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mambac/mambac/runtime/payload"
)

// example is the golden that the tests of the file itself use.
var example = filepath.Join("..", "..", "importer", "testdata", "golden", "mamba-safetensors")

// TestArtifactModules: a program links the runtime and what that needs of
// golang.org/x, nothing else.
func TestArtifactModules(t *testing.T) {
	info, err := buildinfo.ReadFile(buildOnce(t, example).path)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range info.Deps {
		got = append(got, d.Path)
	}
	if want := []string{"github.com/mambac/mambac", "golang.org/x/sys", "golang.org/x/text"}; !slices.Equal(got, want) {
		t.Errorf("modules %v, want %v", got, want)
	}
	for _, s := range info.Settings {
		if s.Key == "CGO_ENABLED" && s.Value != "0" || strings.HasPrefix(s.Key, "vcs") {
			t.Errorf("build setting %s=%s", s.Key, s.Value)
		}
	}
}

// TestArtifactSameBytes: two builds from different folders, the second after
// the checkpoint has moved, do not differ.
func TestArtifactSameBytes(t *testing.T) {
	moved := filepath.Join(t.TempDir(), filepath.Base(example))
	if err := os.CopyFS(moved, os.DirFS(example)); err != nil {
		t.Fatal(err)
	}
	flags := goldenFlags(example)
	first, second := buildOnce(t, example, flags...), build(t, moved, flags...)
	if !bytes.Equal(first.read(t), second.read(t)) {
		t.Error("two builds of one checkpoint differ")
	}
}

func (a artifact) read(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile(a.path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// sections finds the payload and its sections within the file.
func (a artifact) sections(t *testing.T, data []byte) (weights, metadata int) {
	t.Helper()
	p, err := payload.Open(a.path)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	at := func(name string) int {
		s, ok := p.Section(name)
		i := bytes.LastIndex(data, s)
		if !ok || i < 0 {
			t.Fatalf("no section %s", name)
		}
		return i
	}
	return at(payload.WeightsSection), at(payload.MetadataSection)
}

// TestArtifactDamaged: a program that was cut off or altered says so in one
// line and ends with status 1.
func TestArtifactDamaged(t *testing.T) {
	a := buildOnce(t, example)
	data := a.read(t)
	weights, metadata := a.sections(t, data)
	end := len(data)
	for _, keep := range []int{end - 1, end - 100, end - 5000, weights + 1, weights, metadata + 10, min(weights, metadata)} {
		t.Run(fmt.Sprintf("cut_%d", end-keep), func(t *testing.T) {
			cut := write(t, data[:keep])
			fail(t, cut.command("", "info"))
			fail(t, cut.command("", "run", "--ids", "1", "--print", "ids"))
		})
	}
	for _, at := range []int{metadata + 3, end - 1, end - 9, end - 30, end - 60} {
		t.Run(fmt.Sprintf("altered_%d", end-at), func(t *testing.T) {
			altered := write(t, flipped(data, at))
			fail(t, altered.command("", "info", "--check"))
		})
	}
	t.Run("weights", func(t *testing.T) {
		altered := write(t, flipped(data, weights+40))
		if line := fail(t, altered.command("", "info", "--check")); !strings.Contains(line, "altered") {
			t.Errorf("error is %q", line)
		}
	})
	t.Run("longer", func(t *testing.T) {
		fail(t, write(t, append(bytes.Clone(data), 0)).command("", "info"))
	})
	a.run(t, "", "info", "--check")
}

// flipped is a copy with one bit changed.
func flipped(data []byte, at int) []byte {
	data = bytes.Clone(data)
	data[at] ^= 4
	return data
}

// write makes a program of bytes.
func write(t *testing.T, data []byte) artifact {
	t.Helper()
	a := artifact{path: filepath.Join(t.TempDir(), executableName("model"))}
	if err := os.WriteFile(a.path, data, 0o755); err != nil {
		t.Fatal(err)
	}
	return a
}

// TestArtifactLevels: a program without the level that is asked for names
// those it has.
func TestArtifactLevels(t *testing.T) {
	a := buildOnce(t, example, "--cpu", "generic")
	line := fail(t, a.command("v4", "run", "--ids", "1", "--print", "ids"))
	if !strings.Contains(line, `"v4"`) || !strings.Contains(line, "generic") {
		t.Errorf("error is %q, want the level and those that there are", line)
	}
}

// TestArtifactPayload: weights in a file of their own make the same logits,
// and a file that is another's is refused.
func TestArtifactPayload(t *testing.T) {
	folder := t.TempDir()
	weights := filepath.Join(folder, "w")
	apart := artifact{path: filepath.Join(folder, executableName("model"))}
	compiler(t, "build", example, "-q", "-o", apart.path, "--payload", weights)
	whole, ids := buildOnce(t, example), []int{5, 3, 9}
	if !bytes.Equal(apart.logits(t, "", 1, "prefill", ids), whole.logits(t, "", 1, "prefill", ids)) {
		t.Error("weights in a file of their own: other logits")
	}
	apart.run(t, "", "info", "--check")
	data, err := os.ReadFile(weights)
	if err != nil {
		t.Fatal(err)
	}
	other := build(t, filepath.Join(filepath.Dir(example), "mamba-untied-bias"))
	for name, wrong := range map[string][]byte{"cut": data[:len(data)-1], "empty": nil, "another's": other.read(t)} {
		if err := os.WriteFile(weights, wrong, 0o644); err != nil {
			t.Fatal(err)
		}
		if line := fail(t, apart.command("", "info")); !strings.Contains(line, weights) {
			t.Errorf("%s: error is %q, want the path of the payload", name, line)
		}
	}
}
