//go:build (peers || curve || serving || lookup) && linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/mambac/mambac/runtime/cpu"
)

// workshop is where a run of hours takes place whose figures are published.
type workshop struct {
	t       *testing.T
	cache   string   // checkpoints and tools, which later runs find there
	work    string   // what this run makes and deletes
	root    string   // whose docs and README are written
	trained string   // folder of trained models
	models  []string // in their order
	tries   int      // of a sample that others disturb
}

// newWorkshop reads what the variables of the Makefile say that all runs have;
// NAME_CACHE and NAME_OUT are of the one with that name.
func newWorkshop(t *testing.T, name, models string, tries int) workshop {
	user, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	w := workshop{
		t: t, cache: variable(name+"_CACHE", filepath.Join(user, "mambac", strings.ToLower(name))), root: variable(name+"_OUT", filepath.Join("..", "..")),
		trained: variable("MAMBAC_MODELS", filepath.Join("..", "..", "..", "shared", "fixtures", "models")),
		models:  strings.Fields(variable("MODELS", models)), tries: numbersOf(t, variable("TRIES", strconv.Itoa(tries)))[0],
	}
	if err := os.MkdirAll(w.cache, 0o777); err != nil {
		t.Fatal(err)
	}
	if w.work, err = os.MkdirTemp(w.cache, "run-"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(w.work) })
	return w
}

func variable(name, fallback string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return fallback
}

// numbersOf reads numbers with spaces or commas between them.
func numbersOf(t *testing.T, text string) []int {
	t.Helper()
	var list []int
	for _, field := range strings.Fields(strings.ReplaceAll(text, ",", " ")) {
		n, err := strconv.Atoi(field)
		if err != nil || n < 1 {
			t.Fatalf("%q: want numbers ≥ 1", text)
		}
		list = append(list, n)
	}
	return list
}

// commas is a list of numbers as flags take it.
func commas[T int | int32 | int64](ids []T) string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(ids), "[]"), " ", ",")
}

// thisMachine is what the documents say of where they were made.
func thisMachine(t *testing.T) machine {
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`^\d+\.\d+`).FindString(string(release))
	return machine{
		CPU: cpu.Name(), Flags: strings.Join(cpu.Flags(), " "), Cores: cpu.PhysicalCores(),
		System: "Linux " + version + ", " + runtime.Version(),
	}
}

// checkpoint is a random one as flags of synth say, kept for later runs, with a
// tokenizer of the fixtures unless that is "".
func (w *workshop) checkpoint(tokenizer string, flags ...string) string {
	folder := filepath.Join(w.cache, checkpointName(tokenizer, flags))
	if _, err := os.Stat(folder); err == nil {
		return folder
	}
	made := filepath.Join(w.work, "checkpoint") // it is found when it is whole
	compiler(w.t, append([]string{"synth", "--out", made, "-q"}, flags...)...)
	if tokenizer != "" {
		const file = "tokenizer.json"
		text, err := os.ReadFile(filepath.Join(w.trained, "..", "tokenizers", tokenizer, file))
		if err == nil {
			err = os.WriteFile(filepath.Join(made, file), text, 0o666)
		}
		if err != nil {
			w.t.Fatal(err)
		}
	}
	if err := os.Rename(made, folder); err != nil {
		w.t.Fatal(err)
	}
	return folder
}

// inspected is what mambac tells of a checkpoint.
func (w *workshop) inspected(checkpoint string) description {
	var d description
	if err := json.Unmarshal([]byte(compiler(w.t, "inspect", checkpoint, "--json")), &d); err != nil {
		w.t.Fatal(err)
	}
	return d
}

// clean deletes what was made for one model: gigabytes.
func (w *workshop) clean() {
	entries, err := os.ReadDir(w.work)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(w.work, e.Name())); err != nil {
			w.t.Fatal(err)
		}
	}
}

// keep writes all that was measured so far, raw, into the cache.
func (w *workshop) keep(measured any) {
	text, err := json.MarshalIndent(measured, "", " ")
	if err == nil {
		err = os.WriteFile(filepath.Join(w.cache, "last.json"), text, 0o666)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// write renews a file of the root.
func (w *workshop) write(name, text string) {
	if err := os.WriteFile(filepath.Join(w.root, name), []byte(text), 0o666); err != nil {
		w.t.Fatal(err)
	}
}

// renew writes a summary into the README.
func (w *workshop) renew(m marks, summary string) {
	const name = "README.md"
	text, err := os.ReadFile(filepath.Join(w.root, name))
	if err != nil {
		w.t.Fatal(err)
	}
	renewed, err := m.renewed(string(text), summary)
	if err != nil {
		w.t.Fatalf("%s: %v", filepath.Join(w.root, name), err)
	}
	w.write(name, renewed)
}

// benchResult is what is read of bench --json.
type benchResult struct {
	Level  string `json:"level"`
	Math   string `json:"math"`
	Limits []struct {
		Read float64 `json:"read_gb_s"`
		FMA  float64 `json:"fma_gflop_s"`
		Dot  float64 `json:"dot_gop_s"`
	} `json:"limits"`
	Runs []struct {
		Batch            int      `json:"batch"`
		Decode           quantity `json:"decode_tokens_s"`
		Prefill          quantity `json:"prefill_tokens_s"`
		DecodeFraction   quantity `json:"decode_fraction_of_bandwidth"`
		PrefillFraction  quantity `json:"prefill_fraction_of_peak"`
		RooflineFraction quantity `json:"decode_fraction_of_roofline"`
	} `json:"runs"`
	Contexts    []benchedContext `json:"contexts"`
	StateBytes  int64            `json:"state_bytes"`
	WeightBytes int64            `json:"weight_bytes"`
}

// benchedContext is the speed of one sequence after so many tokens.
type benchedContext struct {
	Context      int      `json:"context"`
	FirstToken   float64  `json:"first_token_s"`
	Decode       quantity `json:"decode_tokens_s"`
	StateBytes   int64    `json:"state_bytes"`
	HighestBytes int64    `json:"highest_bytes"`
	Others       *float64 `json:"others_cpu"`
}

// bench runs a program of ours, which measures itself.
func (w *workshop) bench(program string, args ...string) benchResult {
	var r benchResult
	out := succeed(w.t, exec.Command(program, append([]string{"bench", "--json"}, args...)...))
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		w.t.Fatal(err)
	}
	return r
}
