//go:build peers && linux

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

// llamaPackage is the npm package that bundles llama.cpp's source.
const llamaPackage, llamaVersion = "node-llama-cpp", "3.22.1"

// llamaTargets are the programs of llama.cpp that are run here.
var llamaTargets = []string{"llama-bench", "llama-batched-bench", "llama-completion", "llama-perplexity", "llama-quantize"}

// llama is llama.cpp, built for the processor of this machine so that it is as
// fast as it can be here.
type llama struct {
	bin, tag string
	folder   string // of the npm package with its prebuilt binary, "" without
}

// newLlama builds llama.cpp in the cache unless it is there. It needs npm, git,
// cmake and a C++ compiler; LLAMA_BIN names a folder of programs instead.
func newLlama(t *testing.T, cache string) *llama {
	if bin := os.Getenv("LLAMA_BIN"); bin != "" {
		return &llama{bin: bin, tag: "as LLAMA_BIN names it"}
	}
	folder := filepath.Join(cache, llamaPackage+"-"+llamaVersion)
	source := filepath.Join(folder, "llama.cpp")
	bundle := filepath.Join(folder, "node_modules", llamaPackage, "llama")
	if _, err := os.Stat(source); err != nil {
		if err := os.MkdirAll(folder, 0o777); err != nil {
			t.Fatal(err)
		}
		succeed(t, exec.Command("npm", "install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", "--omit=optional",
			llamaPackage+"@"+llamaVersion, prebuiltPackage()+"@"+llamaVersion))
		succeed(t, exec.Command("git", "clone", "-q", filepath.Join(bundle, "gitRelease.bundle"), source))
	}
	l := &llama{bin: filepath.Join(folder, "build-"+fileName(cpu.Name()), "bin"), tag: bundledTag(t, bundle), folder: folder}
	l.build(t, source)
	return l
}

// prebuiltPackage holds the binary that node-llama-cpp takes on this machine.
func prebuiltPackage() string {
	arch := runtime.GOARCH
	if arch == "amd64" {
		arch = "x64"
	}
	return "@node-llama-cpp/linux-" + arch
}

// prebuilt is the tokens a second of the binary that the package ships.
func (l *llama) prebuilt(t *testing.T, path string, threads, prompt, gen int) (prefill, decode float64) {
	t.Helper()
	const name = "prebuilt.mjs"
	script, err := os.ReadFile(filepath.Join("testdata", "peers", name))
	if err == nil { // modules are looked for beside the script
		err = os.WriteFile(filepath.Join(l.folder, name), script, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	out := succeed(t, exec.Command("node", filepath.Join(l.folder, name), path, strconv.Itoa(threads), strconv.Itoa(prompt), strconv.Itoa(gen)))
	var speed struct{ Prefill, Decode float64 }
	if err := json.Unmarshal([]byte(out), &speed); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return speed.Prefill, speed.Decode
}

func bundledTag(t *testing.T, bundle string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(bundle, "llama.cpp.info.json"))
	if err != nil {
		t.Fatal(err)
	}
	var info struct {
		Tag string `json:"tag"`
	}
	if err := json.Unmarshal(text, &info); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s from %s %s", info.Tag, llamaPackage, llamaVersion)
}

func (l *llama) build(t *testing.T, source string) {
	t.Helper()
	if l.complete() {
		return
	}
	t.Logf("building llama.cpp %s", l.tag)
	into := filepath.Dir(l.bin)
	succeed(t, exec.Command("cmake", "-S", source, "-B", into, "-DCMAKE_BUILD_TYPE=Release", "-DGGML_NATIVE=ON", "-DBUILD_SHARED_LIBS=OFF",
		"-DLLAMA_OPENSSL=OFF", "-DLLAMA_BUILD_SERVER=OFF", "-DLLAMA_BUILD_TESTS=OFF", "-DLLAMA_BUILD_UI=OFF"))
	args := append([]string{"--build", into, "-j", strconv.Itoa(runtime.NumCPU()), "--target"}, llamaTargets...)
	succeed(t, exec.Command("cmake", args...))
}

func (l *llama) complete() bool {
	for _, name := range llamaTargets {
		if _, err := os.Stat(filepath.Join(l.bin, name)); err != nil {
			return false
		}
	}
	return true
}

// describe is the version, and what it was compiled with.
func (l *llama) describe(t *testing.T) string {
	out, err := l.command("llama-completion", "--version").CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", l.bin, err, out)
	}
	compiler := ""
	if m := regexp.MustCompile(`built with (.*)`).FindStringSubmatch(string(out)); m != nil {
		compiler = ", built with " + m[1]
	}
	if l.folder != "" {
		compiler = strings.Replace(compiler, "built", "built for this processor", 1)
	}
	return "llama.cpp " + l.tag + compiler
}

func (l *llama) command(name string, args ...string) *exec.Cmd {
	return exec.Command(filepath.Join(l.bin, name), args...)
}

// quantize makes a file of a type that mambac does not write.
func (l *llama) quantize(t *testing.T, from, to, name string) {
	t.Helper()
	succeed(t, l.command("llama-quantize", from, to, name, strconv.Itoa(runtime.NumCPU())))
}

// whole runs a program of llama.cpp until its output is whole: what its log has
// queued is lost at the end now and then, when others keep the machine busy.
func whole(t *testing.T, cmd func() *exec.Cmd, read func(out string) bool) {
	t.Helper()
	const tries = 3
	out := ""
	for range tries {
		out = succeed(t, cmd())
		if read(out) {
			return
		}
	}
	t.Fatalf("%s: after %d tries the output is not whole:\n%s", strings.Join(cmd().Args, " "), tries, out)
}

// llamaRun is a line of llama-bench.
type llamaRun struct {
	Prompt int     `json:"n_prompt"`
	Gen    int     `json:"n_gen"`
	Speed  float64 `json:"avg_ts"`
	Size   int64   `json:"model_size"`
	Params int64   `json:"model_n_params"`
}

// bench runs llama-bench once, with its own warm-up.
func (l *llama) bench(t *testing.T, path string, threads, prompt, gen int, more ...string) []llamaRun {
	t.Helper()
	args := []string{"-m", path, "-t", strconv.Itoa(threads), "-p", strconv.Itoa(prompt), "-n", strconv.Itoa(gen), "-r", "1", "-o", "json"}
	out := succeed(t, l.command("llama-bench", append(args, more...)...))
	var runs []llamaRun
	if err := json.Unmarshal([]byte(out), &runs); err != nil {
		t.Fatalf("llama-bench: %v\n%s", err, out)
	}
	return runs
}

// benchAt is bench of decoding after a text, which is not counted.
func (l *llama) benchAt(t *testing.T, path string, threads, context, gen int) []llamaRun {
	t.Helper()
	return l.bench(t, path, threads, 0, gen, "-d", strconv.Itoa(context))
}

// batched is all tokens a second of llama-batched-bench, by the number of
// sequences.
func (l *llama) batched(t *testing.T, path string, threads, gen int, sizes []int) map[int]float64 {
	t.Helper()
	const prompt = 16
	n := strconv.Itoa(threads)
	context := strconv.Itoa(sizes[len(sizes)-1] * (prompt + gen))
	speeds := map[int]float64{}
	cmd := func() *exec.Cmd {
		return l.command("llama-batched-bench", "-m", path, "-t", n, "-tb", n, "-npp", strconv.Itoa(prompt), "-ntg", strconv.Itoa(gen),
			"-npl", commas(sizes), "-c", context, "--output-format", "jsonl")
	}
	whole(t, cmd, func(out string) bool {
		for line := range strings.Lines(out) {
			var run struct {
				Sequences int     `json:"pl"`
				Speed     float64 `json:"speed_tg"`
			}
			if strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &run) == nil {
				speeds[run.Sequences] = run.Speed
			}
		}
		return len(speeds) == len(sizes)
	})
	return speeds
}

// completion is a greedy one that prints nothing but its text.
func (l *llama) completion(path, prompt string, threads, n int) *exec.Cmd {
	return l.command("llama-completion", "-m", path, "-p", prompt, "-n", strconv.Itoa(n), "-t", strconv.Itoa(threads), "-c", "1024",
		"--temp", "0", "--no-display-prompt", "-no-cnv", "--simple-io", "--no-warmup", "--ignore-eos")
}
