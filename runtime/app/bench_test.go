package app

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/mambac/mambac/runtime/payload"
)

// fakeLimits is a machine of round figures.
func fakeLimits(threads int) (benchLimit, error) {
	return benchLimit{threads, 10 * float64(threads), 100, 400, 150}, nil
}

func fakeLaunch(_ context.Context, args []string) (time.Duration, int64, error) {
	if len(args) == 0 || args[0] != "run" {
		return 0, 0, errCannotLaunch
	}
	return 5 * time.Millisecond, 1 << 20, nil
}

func TestBenchJSON(t *testing.T) {
	c := call{launch: fakeLaunch}
	out := requireOK(t, c.run(t, "bench", "--json", "--threads", "1,2", "--batch", "1,32", "--prompt", "16", "--gen", "4", "--repeat", "3"))
	var r benchReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Limits) != 2 || len(r.Runs) != 4 || *r.RSSBytes != 1<<20 || *r.FirstTokenMS != 5 || r.Level != "generic" {
		t.Fatalf("report %s", out)
	}
	for i, run := range r.Runs {
		if want := []int{1, 32}; run.Threads != 1+i/2 || run.Batch != want[i%2] {
			t.Errorf("run %d has %d threads, batch %d", i, run.Threads, run.Batch)
		}
		if run.Decode.Min > run.Decode.Median || run.Decode.Median > run.Decode.Max || run.Decode.Min <= 0 {
			t.Errorf("decode %+v", run.Decode)
		}
		// 1000 bytes of which 64 are the state's; 100 flops and the head's 512, in prefill 512/16.
		bytes := (936 + 64*float64(run.Batch)) / float64(run.Batch)
		reading, computing := bytes/(1e10*float64(run.Threads)), 612/1e11
		requireNear(t, run.DecodeFraction.Median, run.Decode.Median*reading)
		requireNear(t, run.RooflineFraction.Median, run.Decode.Median*max(reading, computing))
		requireNear(t, run.PrefillFraction.Max, run.Prefill.Max*132/1e11)
		if run.PrefillFlopPerToken != 132 || run.DecodeBytesPerToken != int64(bytes) {
			t.Errorf("%d flops, %d bytes a token", run.PrefillFlopPerToken, run.DecodeBytesPerToken)
		}
	}
}

// TestPeak: products are held against the arithmetic they are made with.
func TestPeak(t *testing.T) {
	limit := benchLimit{FMAFlops: 100, DotOps: 400, BF16: 150}
	for _, c := range []struct {
		weights, math string
		want          float64
	}{{"f32", "exact", 100}, {"bf16", "exact", 100}, {"bf16", "fast", 150}, {"int8", "fast", 400}, {"int4", "fast", 400}, {"int4", "exact", 100}} {
		if got := limit.peak(&payload.Metadata{Weights: c.weights, Math: c.math}); got != c.want {
			t.Errorf("%s, %s: %v, want %v", c.weights, c.math, got, c.want)
		}
	}
}

func requireNear(t *testing.T, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-9*math.Abs(want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestBenchKeys holds the names that other programs read.
func TestBenchKeys(t *testing.T) {
	out := requireOK(t, call{launch: fakeLaunch}.run(t, "bench", "--json", "--prompt", "4", "--gen", "2", "--repeat", "1", "--threads", "1", "--mmap"))
	for _, key := range []string{
		"cpu", "flags", "limits", "threads", "read_gb_s", "fma_gflop_s", "dot_gop_s", "bf16_dot_gflop_s", "runs", "batch",
		"decode_tokens_s", "prefill_tokens_s", "min", "median", "max", "decode_fraction_of_bandwidth", "decode_fraction_of_roofline",
		"prefill_fraction_of_peak", "decode_bytes_per_token", "prefill_flop_per_token",
		"state_bytes", "weight_bytes", "huge_page_bytes", "rss_bytes", "first_token_ms",
	} {
		if !strings.Contains(out, `"`+key+`":`) {
			t.Errorf("no key %q in %s", key, out)
		}
	}
}

func TestBenchText(t *testing.T) {
	out := requireOK(t, call{launch: fakeLaunch}.run(t, "bench", "--prompt", "4", "--gen", "2", "--repeat", "1", "--threads", "1", "--mmap"))
	for _, word := range []string{"read 10.0 GB/s", "resident 1.0 MiB", "first token 5.0 ms"} {
		if !strings.Contains(out, word) {
			t.Errorf("%q is not in %s", word, out)
		}
	}
	for _, args := range [][]string{{"--threads", "0"}, {"--repeat", "0"}, {"--batch", "x"}, {"--at", "0"}} {
		requireError(t, call{}.run(t, append([]string{"bench"}, args...)...), exitUsage)
	}
}

func TestSpread(t *testing.T) {
	if got := newSpread([]float64{5, 1, 3}); got != (spread{1, 3, 5}) {
		t.Errorf("%+v", got)
	}
	if got := newSpread([]float64{4, 2}); got != (spread{2, 3, 4}) {
		t.Errorf("%+v", got)
	}
}

// TestLaunchFile starts this test's own program, which prints its usage.
func TestLaunchFile(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Skip(err)
	}
	first, _, err := launchFile(self)(context.Background(), []string{"-test.run", "^TestSpread$"})
	if err != nil || first <= 0 {
		t.Errorf("first byte after %v, error %v", first, err)
	}
	if _, _, err := launchFile("")(context.Background(), nil); err != errCannotLaunch {
		t.Errorf("error %v", err)
	}
	if _, _, err := launchFile(self)(context.Background(), []string{"-test.nonsense"}); err == nil || err == errCannotLaunch {
		t.Errorf("error %v, want the program's", err)
	}
}

// TestBenchContexts: lengths in their order, once each, after which the same
// sequence has been measured as far as the longest.
func TestBenchContexts(t *testing.T) {
	args := []string{"bench", "--prompt", "4", "--gen", "3", "--repeat", "2", "--threads", "1", "--mmap", "--at", "9,2,9"}
	out := requireOK(t, call{launch: fakeLaunch}.run(t, append(args, "--json")...))
	var r benchReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Contexts) != 2 || r.Contexts[0].Context != 2 || r.Contexts[1].Context != 9 {
		t.Fatalf("contexts %+v", r.Contexts)
	}
	for _, c := range r.Contexts {
		if c.Threads != 1 || c.StateBytes <= 0 || c.Decode.Min <= 0 || c.FirstTokenS <= 1/c.Decode.Median {
			t.Errorf("%+v", c)
		}
	}
	if !strings.Contains(out, `"others_cpu":`) {
		t.Errorf("no key others_cpu in %s", out)
	}
	if text := requireOK(t, call{launch: fakeLaunch}.run(t, args...)); !strings.Contains(text, "threads  context") {
		t.Errorf("no table of contexts in %s", text)
	}
}
