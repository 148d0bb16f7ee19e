package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// released is a folder of programs.
type released struct {
	folder string
	manifest
}

// makeRelease makes programs of the example for some targets.
func makeRelease(t *testing.T, flags ...string) released {
	t.Helper()
	r := released{folder: filepath.Join(t.TempDir(), "release")}
	compiler(t, append([]string{"build", example, "-q", "--all-targets", r.folder}, flags...)...)
	if err := json.Unmarshal(read(t, filepath.Join(r.folder, manifestName)), &r.manifest); err != nil {
		t.Fatal(err)
	}
	return r
}

// check holds the files against the sums, the manifest and their systems.
func (r released) check(t *testing.T, want []string) {
	t.Helper()
	r.checkSums(t)
	bom := readSBOM(t, filepath.Join(r.folder, r.SBOM))
	var have []string
	for _, e := range r.Programs {
		have = append(have, e.Target)
		again := releasedFile{File: e.File}
		if err := again.sum(r.folder); err != nil || again != e.releasedFile {
			t.Errorf("%s: manifest says %+v, have %+v, %v", e.File, e.releasedFile, again, err)
		}
		b := built{Path: filepath.Join(r.folder, e.File)}
		if e.Payload != "" {
			b.Payload = filepath.Join(r.folder, e.Payload)
		}
		checkFormat(t, e.Target, b)
		if c := (*bom.Components)[len(have)-1]; c.Name != e.File || (*c.Hashes)[0].Value != e.SHA256 {
			t.Errorf("%s: the SBOM lists %+v", e.File, c)
		}
	}
	if !slices.Equal(have, want) {
		t.Errorf("programs for %v, want %v", have, want)
	}
}

// checkSums reads SHA256SUMS: every other file of the folder has a line.
func (r released) checkSums(t *testing.T) {
	t.Helper()
	listed := map[string]string{}
	for line := range strings.Lines(string(read(t, filepath.Join(r.folder, sumsName)))) {
		sum, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		listed[name] = sum
	}
	entries, err := os.ReadDir(r.folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		f := releasedFile{File: e.Name()}
		if err := f.sum(r.folder); err != nil || listed[f.File] != f.SHA256 && f.File != sumsName {
			t.Errorf("%s has sum %s, listed %s, %v", f.File, f.SHA256, listed[f.File], err)
		}
	}
	if len(listed) != len(entries)-1 {
		t.Errorf("%d files are listed, want %d", len(listed), len(entries)-1)
	}
}

// TestRelease: programs for some targets, with everything that goes with them,
// twice with the same bytes.
func TestRelease(t *testing.T) {
	want := []string{platform(), "wasip1/wasm"}
	flags := []string{"--target", strings.Join(want, ","), "--report", filepath.Join(t.TempDir(), "r.json")}
	r := makeRelease(t, flags...)
	r.check(t, want)
	if r.Payload == nil || r.Programs[1].Payload != r.Payload.File || r.Report == "" || r.Fingerprint == "" {
		t.Errorf("manifest %+v", r.manifest)
	}
	here := artifact{path: filepath.Join(r.folder, r.Programs[0].File)}
	ids := here.greedy(t, "", 8, "--ids", "5,3,9")
	got, err := openWasm(t, filepath.Join(r.folder, r.Programs[1].File)).run("", "run", "--ids", "5,3,9", "-n", "8", "--print", "ids", "--ignore-eos")
	if err != nil || got != ids+"\n" {
		t.Errorf("wasm continues %q, %v, want %q", got, err, ids)
	}
	again := makeRelease(t, flags...)
	if a, b := read(t, filepath.Join(r.folder, sumsName)), read(t, filepath.Join(again.folder, sumsName)); string(a) != string(b) {
		t.Errorf("two runs differ:\n%s\n%s", a, b)
	}
}

// TestReleaseShared: with --payload one file serves every program.
func TestReleaseShared(t *testing.T) {
	r := makeRelease(t, "--target", platform(), "--payload", "w")
	r.checkSums(t)
	a := artifact{path: filepath.Join(r.folder, r.Programs[0].File)}
	a.run(t, "", "info", "--check")
	if r.Payload == nil || r.Payload.File != "w" || r.Programs[0].Reason != "as --payload says" {
		t.Errorf("manifest %+v", r.manifest)
	}
}
