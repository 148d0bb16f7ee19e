package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// golden is a checkpoint with outputs of another implementation.
func golden(name string) string {
	return filepath.Join("..", "..", "importer", "testdata", "golden", name)
}

// TestStates: a run that is cut in two by a state file is the same run to the last
// bit of its state, for states of fixed size, caches of every format, and windows.
func TestStates(t *testing.T) {
	for name, c := range map[string]struct {
		checkpoint string
		flags      []string
	}{
		"mamba":       {golden("mamba-safetensors"), nil},
		"hybrid/f32":  {golden("jamba"), []string{"--cache", "f32"}},
		"hybrid/f16":  {golden("jamba"), []string{"--cache", "f16"}},
		"hybrid/int8": {golden("jamba"), []string{"--cache", "int8"}},
		"window/int8": {golden("mistral-sliding-window"), []string{"--cache", "int8"}},
	} {
		t.Run(name, func(t *testing.T) {
			a := buildOnce(t, c.checkpoint, c.flags...)
			a.inParts(t, []string{"--print", "ids", "--ignore-eos"}, []string{"--ids", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20"}, []string{"--ids", ""}, inOneLine)
		})
	}
}

// TestStatesOfText is TestStates for a model with a tokenizer.
func TestStatesOfText(t *testing.T) {
	a := buildOnce(t, bundled)
	a.inParts(t, nil, []string{"func main() {\n\tfmt.Println("}, nil, inOneText)
	a.inParts(t, []string{"--repetition-penalty", "1.3"}, []string{"package main\n\nimport \"os\"\n"}, nil, inOneText)
}

// inOneText is a text of two parts, inOneLine the ids of two lines.
func inOneText(first, second string) string { return first + second }
func inOneLine(first, second string) string { return strings.Replace(first, "\n", " ", 1) + second }

// inParts compares a run with itself in two parts.
func (a artifact) inParts(t *testing.T, flags, prompt, none []string, join func(first, second string) string) {
	t.Helper()
	folder := t.TempDir()
	file := func(name string) string { return filepath.Join(folder, name) }
	run := func(n string, args ...string) string {
		t.Helper()
		return a.run(t, "", append(append([]string{"run", "-n", n}, flags...), args...)...)
	}
	want := run("24", prompt...)
	if got := run("24", append(prompt, "--save-state", file("whole"))...); got != want {
		t.Errorf("saving makes %q of %q", got, want)
	}
	first := run("9", append(prompt, "--save-state", file("part"))...)
	second := run("15", append(none, "--state", file("part"), "--save-state", file("rest"))...)
	if join(first, second) != want {
		t.Errorf("in two parts %q and %q, want %q", first, second, want)
	}
	whole, err := os.ReadFile(file("whole"))
	if err != nil {
		t.Fatal(err)
	}
	rest, err := os.ReadFile(file("rest"))
	if err != nil {
		t.Fatal(err)
	}
	if string(whole) != string(rest) {
		t.Error("in two parts it comes to another state")
	}
}

// TestForgedStates: a program goes on from a state that somebody made up, behind a
// checksum that is right, as from any other, or says that nothing follows: experts
// that nobody can choose, sums that are no numbers.
func TestForgedStates(t *testing.T) {
	for name, flags := range map[string][]string{"mamba-safetensors": nil, "jamba": {"--cache", "f32"}, "granite-4-h": nil} {
		t.Run(name, func(t *testing.T) {
			a := buildOnce(t, golden(name), flags...)
			file := filepath.Join(t.TempDir(), "f.state")
			a.run(t, "", "run", "--ids", "1,2,3,4,5", "-n", "0", "--print", "ids", "--save-state", file)
			whole, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, bits := range []uint32{0x7fc00001, 0x7f800000, 0xff7fffff, 1, 0xffffffff} {
				if err := os.WriteFile(file, forged(whole, bits), 0o666); err != nil {
					t.Fatal(err)
				}
				for _, ids := range []string{"", "1", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20"} {
					cmd := a.command("", "run", "--state", file, "--ids", ids, "-n", "3", "--print", "ids", "--ignore-eos")
					if out, err := cmd.CombinedOutput(); err != nil && !strings.Contains(string(out), "error: the model gives no finite logit") {
						t.Errorf("values %#x, ids %q: %v: %.500s", bits, ids, err, out)
					}
				}
			}
		})
	}
}

// forged is a state file with other values, and the checksum of those.
func forged(file []byte, bits uint32) []byte {
	out := bytes.Clone(file[:len(file)-sha256.Size])
	for i := 16 + int(binary.LittleEndian.Uint32(out[12:])); i < len(out); i += 4 {
		binary.LittleEndian.PutUint32(out[i:], bits)
	}
	sum := sha256.Sum256(out)
	return append(out, sum[:]...)
}
