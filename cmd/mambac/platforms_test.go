//go:build platforms

package main

import (
	"encoding/json"
	"fmt"
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
)

// requirePlatformsEnv names the environment variable that makes a missing
// emulator an error.
const requirePlatformsEnv = "MAMBAC_REQUIRE_PLATFORMS"

// runner calls a program of another platform at a level, here.
type runner func(level string, args ...string) (string, error)

// emulators run programs of other platforms; make test-platforms.
var emulators = []struct {
	target string
	start  func(t *testing.T, program string) runner
}{
	{"linux/arm64", qemu("aarch64")},
	{"linux/riscv64", qemu("riscv64")},
	{"windows/amd64", wine},
	{"wasip1/wasm", func(t *testing.T, program string) runner { return openWasm(t, program).run }},
}

// TestPlatforms runs the bundled model on every platform that can be had here,
// at every level that its processor has, against the reference.
func TestPlatforms(t *testing.T) {
	want := readTrained(t, bundled)
	for _, e := range emulators {
		t.Run(e.target, func(t *testing.T) {
			b := buildFor(t, e.target, bundled)
			checkFormat(t, e.target, b)
			run := e.start(t, b.Path)
			for _, level := range run.levels(t, b.Levels) {
				t.Run(level, func(t *testing.T) { run.continues(t, level, want) })
			}
			run.writes(t, want.Generations[0])
		})
	}
}

// levels checks the whole payload and lists the levels that the program can
// run where it runs.
func (run runner) levels(t *testing.T, built []string) []string {
	t.Helper()
	text, err := run("", "info", "--check", "--json")
	if err != nil {
		t.Fatal(err)
	}
	var info struct {
		CPU     string
		Levels  []string
		Flags   []string
		Threads int
		Checked bool
	}
	if err := json.Unmarshal([]byte(text), &info); err != nil {
		t.Fatalf("info prints %s: %v", text, err)
	}
	if !info.Checked || info.Threads < 1 || info.Threads > runtime.NumCPU() || !slices.Equal(info.Levels, built) {
		t.Errorf("info: %+v, want levels %v", info, built)
	}
	t.Logf("%s, %d cores, %v", info.CPU, info.Threads, info.Flags)
	var here []string
	for _, level := range info.Levels {
		lacks := slices.DeleteFunc(slices.Clone(codegen.Features(level)), func(f string) bool { return slices.Contains(info.Flags, f) })
		if len(lacks) == 0 {
			here = append(here, level)
		} else {
			t.Logf("level %s cannot run here: the processor lacks %s", level, strings.Join(lacks, ", "))
		}
	}
	if required := os.Getenv(requireEnv); slices.Contains(info.Levels, required) && !slices.Contains(here, required) {
		t.Errorf("%s=%s: the processor has %v", requireEnv, required, here)
	}
	return here
}

// continues compares greedy ids with the reference: as many as an emulator has in
// a second or two.
func (run runner) continues(t *testing.T, level string, want *trained) {
	t.Helper()
	for _, g := range want.Generations {
		ids := g.GreedyIDs[:min(24, len(g.GreedyIDs))]
		got, err := run(level, "run", "-n", strconv.Itoa(len(ids)), "--print", "ids", "--ignore-eos", "--ids", joinInts(g.PromptIDs))
		if want := spaced(ids) + "\n"; err != nil || got != want {
			t.Errorf("%q: continues %s, %v, want %s", g.Prompt, got, err, want)
		}
	}
}

// writes compares the text that follows a text, at the program's own level.
func (run runner) writes(t *testing.T, want generation) {
	t.Helper()
	got, err := run("", "run", "-n", strconv.Itoa(len(want.GreedyIDs)), "--ignore-eos", "--", want.Prompt)
	if err != nil || strings.TrimSuffix(got, "\n") != strings.TrimSuffix(want.Text, "\n") {
		t.Errorf("%q: continues %q, %v, want %q", want.Prompt, got, err, want.Text)
	}
}

// find looks for a command by one of its names.
func find(t *testing.T, install string, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	text := fmt.Sprintf("no %s here; install %s", strings.Join(names, " or "), install)
	if os.Getenv(requirePlatformsEnv) != "" {
		t.Fatal(text)
	}
	t.Skip(text)
	return ""
}

// qemu runs a Linux program on another processor.
func qemu(machine string) func(t *testing.T, program string) runner {
	return func(t *testing.T, program string) runner {
		name := "qemu-" + machine
		emulator := find(t, "qemu-user-static (Debian's name)", name+"-static", name)
		return command(os.Environ(), emulator, program)
	}
}

// command calls a program by way of others.
func command(env []string, words ...string) runner {
	return func(level string, args ...string) (string, error) {
		cmd := exec.Command(words[0], slices.Concat(words[1:], args)...)
		cmd.Env = append(slices.Clone(env), engine.LevelEnv+"="+level)
		var stdout, stderr strings.Builder
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Run(); err != nil {
			return "", fmt.Errorf("%w: %s", err, stderr.String())
		}
		return stdout.String(), nil
	}
}

// wine runs a Windows program, in a new prefix.
func wine(t *testing.T, program string) runner {
	loader := find(t, "wine64 (Debian's name)", "wine64", "wine")
	prefix := filepath.Join(t.TempDir(), "prefix")
	env := append(os.Environ(), "WINEPREFIX="+prefix, "WINEDEBUG=-all", "WINEARCH=win64", "DISPLAY=")
	succeedIn(t, env, loader, "wineboot", "--init")
	t.Cleanup(func() { endWine(env) })
	completeWine(t, filepath.Join(prefix, "drive_c", "windows", "system32"))
	return command(env, loader, program)
}

// endWine ends what is still running in the prefix; that nothing is, is fine.
func endWine(env []string) {
	for _, word := range []string{"--kill", "--wait"} {
		cmd := exec.Command("wineserver", word)
		cmd.Env = env
		_ = cmd.Run()
	}
}

func succeedIn(t *testing.T, env []string, words ...string) {
	t.Helper()
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Env = env
	succeed(t, cmd)
}

// TestPlatformsFormats builds a program for every target there is.
func TestPlatformsFormats(t *testing.T) {
	for _, target := range targets() {
		t.Run(target, func(t *testing.T) { checkFormat(t, target, buildFor(t, target, example)) })
	}
}
