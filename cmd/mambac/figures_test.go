//go:build figures && linux

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
	"time"

	"github.com/mambac/mambac/runtime/cpu"
)

// TestFigures measures what README and closing notes claim and prints it as
// Markdown tables. It judges nothing: make figures.
func TestFigures(t *testing.T) {
	f := &figures{t: t}
	f.machine()
	for _, s := range []struct {
		name string
		show func()
	}{
		{"speed-bf16", func() { f.speed("bf16") }},
		{"speed-f32", func() { f.speed("f32") }},
		{"builds", f.builds},
		{"hybrid-granite", func() { f.hybrid("granite-4-h-tiny", "num_local_experts=8") }}, // of 64: the others change the size alone
		{"hybrid-jamba", func() { f.hybrid("jamba-tiny-like") }},
		{"memory-130m", func() { f.memory("mamba-130m") }},
		{"memory-2.8b", func() { f.memory("mamba-2.8b") }},
	} {
		t.Run(s.name, func(part *testing.T) { // whose gigabytes go when it ends
			f.t = part
			s.show()
		})
	}
	fmt.Println(f.out.String())
}

func (f *figures) machine() {
	f.section("machine", "")
	f.row("processor", "", "%s, %d cores for this process", cpu.Name(), cpu.PhysicalCores())
	f.row("flags", "", "%s", strings.Join(cpu.Flags(), " "))
	f.row("toolchain", "", "%s", runtime.Version())
}

// figures writes a table whose rows carry the load that others put on the
// machine meanwhile: what was measured beside them says little.
type figures struct {
	t   *testing.T
	out strings.Builder
}

func (f *figures) section(title, note string) {
	fmt.Fprintf(&f.out, "\n### %s\n\n%s| figure | bar | measured |\n|---|---|---|\n", title, note)
}

func (f *figures) row(name, bar, format string, args ...any) {
	fmt.Fprintf(&f.out, "| %s | %s | %s |\n", name, bar, fmt.Sprintf(format, args...))
	f.t.Logf("%s: %s", name, fmt.Sprintf(format, args...))
}

// synth writes a checkpoint into a folder that goes with the test.
func (f *figures) synth(preset, dtype string, flags ...string) string {
	folder := filepath.Join(f.t.TempDir(), preset)
	compiler(f.t, append([]string{"synth", "--preset", preset, "--dtype", dtype, "--out", folder, "-q"}, flags...)...)
	return folder
}

// benched is what these tables use of bench --json.
type benched struct {
	WeightBytes int64 `json:"weight_bytes"`
	Limits      []struct {
		Threads int     `json:"threads"`
		Read    float64 `json:"read_gb_s"`
		FMA     float64 `json:"fma_gflop_s"`
	} `json:"limits"`
	Runs []struct {
		Threads         int    `json:"threads"`
		Decode          spread `json:"decode_tokens_s"`
		Prefill         spread `json:"prefill_tokens_s"`
		DecodeFraction  spread `json:"decode_fraction_of_bandwidth"`
		PrefillFraction spread `json:"prefill_fraction_of_peak"`
	} `json:"runs"`
}

type spread struct{ Min, Median, Max float64 }

func (s spread) percent() string {
	return fmt.Sprintf("%.0f %% (%.0f–%.0f)", 100*s.Median, 100*s.Min, 100*s.Max)
}

// speed shows the program of mamba-130m in one format.
func (f *figures) speed(dtype string) {
	a := build(f.t, f.synth("mamba-130m", dtype))
	f.section("mamba-130m, "+dtype, "Median of five repeats, least and greatest in brackets.\n\n")
	var b benched
	var out string
	others := quietest(attempts, func() { out = a.run(f.t, "", "bench", "--json", "--threads", "1,2", "--prompt", "512") })
	if err := json.Unmarshal([]byte(out), &b); err != nil {
		f.t.Fatal(err)
	}
	for i, r := range b.Runs {
		l := b.Limits[i]
		f.row(fmt.Sprintf("decode, %d threads", r.Threads), []string{"≥ 85 %", "≥ 75 %"}[i],
			"%s of %.1f GB/s; %.0f tokens/s; others %.2f CPU", r.DecodeFraction.percent(), l.Read, r.Decode.Median, others)
		f.row(fmt.Sprintf("prefill of 512, %d threads", r.Threads), []string{"≥ 60 %", "–"}[i],
			"%s of %.0f Gflop/s; %.0f tokens/s", r.PrefillFraction.percent(), l.FMA, r.Prefill.Median)
	}
	first, others := a.firstToken(f.t)
	f.row("first token", "< 100 ms", "%.0f ms; others %.2f CPU", first, others)
	resident := a.resident(f.t)
	f.row("resident, run", "≤ weights + 64 MiB", "weights + %.1f MiB (VmHWM %.1f MiB)", mib(resident-b.WeightBytes), mib(resident))
}

// residentTokens is how many tokens run writes behind a prompt of eight.
const residentTokens = 200

// resident is VmHWM of run.
func (a artifact) resident(t *testing.T) int64 {
	cmd := a.command("", "run", "--ids", "1,2,3,4,5,6,7,8", "-n", strconv.Itoa(residentTokens), "--print", "ids", "--ignore-eos")
	return watched(t, cmd, "VmHWM")
}

// hybrid shows what the program of a model with caches keeps in memory.
func (f *figures) hybrid(preset string, set ...string) {
	var flags []string
	for _, key := range set {
		flags = append(flags, "--set", key)
	}
	a := build(f.t, f.synth(preset, "bf16", flags...))
	var info struct {
		Weights  int64 `json:"packed_bytes"` // as they lie in memory
		State    int64 `json:"state_bytes"`
		PerToken int64 `json:"state_bytes_per_token"`
	}
	if err := json.Unmarshal([]byte(a.run(f.t, "", "info", "--json")), &info); err != nil {
		f.t.Fatal(err)
	}
	state := info.State + info.PerToken*(8+residentTokens)
	resident := a.resident(f.t)
	f.section("memory of "+strings.Join(append([]string{preset}, set...), ", "), "")
	f.row("resident, run", "≤ weights + stated state + 64 MiB", "weights + state + %.1f MiB (weights %.1f MiB, state %.2f MiB after %d tokens, VmHWM %.1f MiB)",
		mib(resident-info.Weights-state), mib(info.Weights), mib(state), 8+residentTokens, mib(resident))
}

// firstToken is the median, in milliseconds, from exec to the first byte.
func (a artifact) firstToken(t *testing.T) (ms, others float64) {
	var all []float64
	others = quietest(attempts, func() {
		all = nil
		for range 9 {
			all = append(all, untilOutput(t, a.command("", "run", "--ids", "1,2,3,4,5,6,7,8", "-n", "2", "--print", "ids", "--ignore-eos")))
		}
	})
	slices.Sort(all)
	return all[len(all)/2], others
}

// builds shows how long mambac build takes, warm and cold.
func (f *figures) builds() {
	checkpoint := f.synth("mamba-130m", "bf16")
	f.section("mambac build of mamba-130m, bf16", "")
	program := filepath.Join(f.t.TempDir(), "model")
	step := func(cache string) cost {
		return spent(f.t, exec.Command("mambac", "build", checkpoint, "-q", "-o", program), cache)
	}
	step("")
	for range 3 {
		warm := step("")
		f.row("warm cache", "< 5 s", "%.2f s; %.2f s of CPU; others %.2f CPU", warm.wall, warm.cpu, warm.others)
	}
	for range 3 {
		std := spent(f.t, standard(f.t), f.t.TempDir())
		cold := step(f.t.TempDir())
		f.row("cold cache, over the standard packages alone", "≤ 1.3", "%.2f of time (%.1f s / %.1f s; others %.2f, %.2f CPU), %.2f of CPU time",
			cold.wall/std.wall, cold.wall, std.wall, cold.others, std.others, cold.cpu/std.cpu)
	}
}

// standard builds the standard packages that programs link, as mambac does.
func standard(t *testing.T) *exec.Cmd {
	list := exec.Command("go", "list", "-deps", "-f", "{{if .Standard}}{{.ImportPath}}{{end}}", module+"/runtime/app")
	list.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd := exec.Command("go", append([]string{"build", "-trimpath"}, strings.Fields(succeed(t, list))...)...)
	cmd.Env = list.Env
	return cmd
}

// memory shows what mambac itself keeps while it builds.
func (f *figures) memory(preset string) {
	const space = 24 << 30 // for four times the larger one
	if free, ok := freeSpace(os.TempDir()); ok && free < space {
		f.t.Logf("%s: %s free in %s, want %s", preset, formatBytes(free), os.TempDir(), formatBytes(space))
		return
	}
	checkpoint := f.synth(preset, "bf16")
	program := filepath.Join(f.t.TempDir(), "model")
	peak := watched(f.t, exec.Command("mambac", "build", checkpoint, "-q", "-o", program), "RssAnon")
	f.section("memory of mambac build, "+preset, "")
	f.row("anonymous resident memory, greatest of samples", "≤ 300 MiB", "%.1f MiB", mib(peak))
	converted := filepath.Join(f.t.TempDir(), "converted")
	peak = watched(f.t, exec.Command("mambac", "convert", checkpoint, "-q", "--to", "hf", "--dtype", "f32", "--out", converted), "RssAnon")
	f.row("the same of mambac convert, to float32", "≤ 300 MiB", "%.1f MiB", mib(peak))
	f.quantising(checkpoint, program)
}

// quantising shows what a build takes that quantises the weights.
func (f *figures) quantising(checkpoint, program string) {
	bytes := weightFiles(f.t, checkpoint)
	var seconds float64
	var peak int64
	others := quietest(attempts, func() {
		start := time.Now()
		peak = watched(f.t, exec.Command("mambac", "build", checkpoint, "-q", "--weights", "int4", "-o", program), "RssAnon")
		seconds = time.Since(start).Seconds()
	})
	f.row("anonymous resident memory of mambac build to int4", "≤ 300 MiB", "%.1f MiB", mib(peak))
	f.row("checkpoint read by it", "≥ 200 MB/s of mamba-2.8b", "%.0f MB/s (%.0f MB in %.1f s; others %.2f CPU)", float64(bytes)/1e6/seconds, float64(bytes)/1e6, seconds, others)
}

// weightFiles is the size of the files of weights of a checkpoint.
func weightFiles(t *testing.T, checkpoint string) (bytes int64) {
	for _, pattern := range []string{"*.safetensors", "*.bin"} {
		files, err := filepath.Glob(filepath.Join(checkpoint, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			info, err := os.Stat(file)
			if err != nil {
				t.Fatal(err)
			}
			bytes += info.Size()
		}
	}
	return bytes
}

func mib(n int64) float64 { return float64(n) / (1 << 20) }
