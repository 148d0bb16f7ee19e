package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mambac/mambac/codegen"
	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/safetensors"
)

// artifact is a built program that is called as a user calls it, or by an
// emulator.
type artifact struct{ path, emulator string }

// build makes an artifact of a checkpoint in a folder that goes with the test.
func build(t *testing.T, checkpoint string, flags ...string) artifact {
	t.Helper()
	a := artifact{path: filepath.Join(t.TempDir(), executableName("model"))}
	a.build(t, checkpoint, flags)
	return a
}

// build makes the program where the artifact is.
func (a artifact) build(t *testing.T, checkpoint string, flags []string) {
	t.Helper()
	compiler(t, append([]string{"build", checkpoint, "-q", "-o", a.path}, flags...)...)
}

// compiler runs mambac, which must succeed, and returns what it printed.
func compiler(t *testing.T, args ...string) string {
	t.Helper()
	return succeed(t, exec.Command("mambac", args...)) // testscript.Main has put it into PATH
}

// run calls the artifact at a level ("" is its own choice); it must succeed.
func (a artifact) run(t *testing.T, level string, args ...string) string {
	t.Helper()
	return succeed(t, a.command(level, args...))
}

func (a artifact) command(level string, args ...string) *exec.Cmd {
	cmd := exec.Command(a.path, args...)
	if a.emulator != "" {
		cmd = exec.Command(a.emulator, append([]string{a.path}, args...)...)
	}
	cmd.Env = append(os.Environ(), engine.LevelEnv+"="+level)
	return cmd
}

func succeed(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, stderr.String())
	}
	return stdout.String()
}

// fail runs a command that must end with status 1 and one line on stderr,
// which is returned.
func fail(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var stderr strings.Builder
	cmd.Stderr = &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Fatalf("%s: %v, want exit status 1\n%s", strings.Join(cmd.Args, " "), err, stderr.String())
	}
	line, rest, ended := strings.Cut(stderr.String(), "\n")
	if !strings.HasPrefix(line, "error: ") || !ended || rest != "" {
		t.Fatalf("%s: stderr is %q, want one line that begins with error:", strings.Join(cmd.Args, " "), stderr.String())
	}
	return line
}

// logits is the file that the artifact writes for ids.
func (a artifact) logits(t *testing.T, level string, threads int, by string, ids []int) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "logits.safetensors")
	a.run(t, level, "logits", "--ids", joinInts(ids), "--by", by, "--threads", strconv.Itoa(threads), "-o", path)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// greedy is the n ids that the artifact prints after those of a prompt.
func (a artifact) greedy(t *testing.T, level string, n int, prompt ...string) string {
	t.Helper()
	args := append([]string{"run", "-n", strconv.Itoa(n), "--print", "ids", "--ignore-eos"}, prompt...)
	return strings.TrimSuffix(a.run(t, level, args...), "\n")
}

// spaced is ids as --print ids shows them.
func spaced(ids []int) string { return strings.ReplaceAll(joinInts(ids), ",", " ") }

// levelsHere lists the levels that this processor can run. One that
// MAMBAC_REQUIRE_LEVEL names must be among them.
func levelsHere(t *testing.T) []string {
	t.Helper()
	var here []string
	for _, level := range codegen.Levels(runtime.GOARCH) {
		if missing := missingFeatures(level); len(missing) == 0 {
			here = append(here, level)
		} else {
			t.Logf("level %s cannot run here: this processor lacks %s", level, strings.Join(missing, ", "))
		}
	}
	if required := os.Getenv(requireEnv); required != "" && !slices.Contains(here, required) {
		t.Fatalf("%s=%s: this processor has %v", requireEnv, required, here)
	}
	return here
}

// goldens lists the checkpoints with outputs of another implementation.
func goldens(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "importer", "testdata", "golden", "*", "golden.safetensors"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no goldens: %v", err)
	}
	for i, file := range files {
		files[i] = filepath.Dir(file)
	}
	return files
}

// goldenFlags are those of the program that tests share of a golden, which has
// all levels and explains where TestExplain wants that.
func goldenFlags(folder string) []string {
	flags := append(choiceFlags(goldenChoices(folder)), "--cpu", "all")
	if _, explained := explained[filepath.Base(folder)]; explained {
		flags = append(flags, "--with", explaining)
	}
	return flags
}

// TestArtifactGoldens builds one program of every golden for all levels: each
// level matches the reference by decode and by prefill, and the assembly
// levels, both ways and any number of threads have the same bits.
func TestArtifactGoldens(t *testing.T) {
	levels := levelsHere(t)
	for _, folder := range goldens(t) {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			want, err := readReference(filepath.Join(folder, "golden.safetensors"))
			if err != nil {
				t.Fatal(err)
			}
			a := buildOnce(t, folder, goldenFlags(folder)...)
			bits := map[string][]byte{}
			for _, level := range levels {
				bits[level] = a.matches(t, level, want)
			}
			if slices.Contains(levels, "v4") && !bytes.Equal(bits["v3"], bits["v4"]) {
				t.Error("v3 and v4 differ")
			}
		})
	}
}

// matches checks one level against a reference and returns its logits.
func (a artifact) matches(t *testing.T, level string, want *expectation) []byte {
	t.Helper()
	file := a.logits(t, level, 1, "decode", want.ids)
	for threads := 1; threads <= 3; threads++ {
		if !bytes.Equal(file, a.logits(t, level, threads, "prefill", want.ids)) {
			t.Errorf("%s: prefill with %d threads differs from decode", level, threads)
		}
	}
	if !bytes.Equal(file, a.logits(t, level, 2, "decode", want.ids)) {
		t.Errorf("%s: decode with 2 threads differs from decode with 1", level)
	}
	if e := relativeError(floats(t, file), want.logits); e > programTolerance {
		t.Errorf("%s: relative error %.2e, want at most %.0e", level, e, programTolerance)
	}
	got := a.greedy(t, level, len(want.greedy), "--ids", joinInts(want.ids))
	if want := spaced(want.greedy); got != want {
		t.Errorf("%s: greedy ids %s, want %s", level, got, want)
	}
	return file
}

// floats reads the logits of a safetensors file.
func floats(t *testing.T, file []byte) []float32 {
	t.Helper()
	f, err := safetensors.Open(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	tensor, ok := f.Tensor("logits")
	if !ok || tensor.DType != "F32" {
		t.Fatalf("no logits of F32 among the tensors")
	}
	values, err := f.Floats(tensor)
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// TestArtifactFormats: every format of the weights runs at every level; f32
// holds what a bf16 checkpoint stores without loss, so it has the same bits.
func TestArtifactFormats(t *testing.T) {
	folder := golden("mamba-bf16-sharded")
	ids := seededIDs(7, 21, 100)
	stored := buildOnce(t, folder, goldenFlags(folder)...)
	for _, weights := range []string{"f32", "f16", "bf16"} {
		a := build(t, folder, "--cpu", "all", "--weights", weights)
		for _, level := range levelsHere(t) {
			got, want := a.logits(t, level, 1, "prefill", ids), stored.logits(t, level, 1, "prefill", ids)
			if weights != "f16" && !bytes.Equal(got, want) {
				t.Errorf("%s, weights %s: other bits than as stored", level, weights)
			}
			if e := relativeError(floats(t, got), floats(t, want)); e > 1e-3 {
				t.Errorf("%s, weights %s: relative error %.2e against the stored weights", level, weights, e)
			}
		}
	}
}
