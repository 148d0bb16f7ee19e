package app

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/mambac/mambac/runtime/safetensors"
)

// TestRunSpeculates: the text is the same, and the statistics tell.
func TestRunSpeculates(t *testing.T) {
	args := []string{"run", "a", "-n", "900", "--ignore-eos", "--print", "ids", "--stats", "--logprobs", "2", "--seed", "1", "--speculate"}
	plain := call{}.run(t, append(args, speculateOff)...)
	requireOK(t, plain)
	if strings.Contains(plain.err, "candidates") {
		t.Errorf("without speculation: %q", plain.err)
	}
	logprobs := plain.err[:strings.Index(plain.err, "prefill")]
	for _, how := range []string{speculateAuto, speculateOn} {
		r := call{}.run(t, append(args, how)...)
		if got := requireOK(t, r); got != plain.out {
			t.Errorf("%s: %q, want %q", how, got, plain.out)
		}
		if !strings.HasPrefix(r.err, logprobs) || !strings.Contains(r.err, "candidates in ") {
			t.Errorf("%s: stats and probabilities %q", how, r.err)
		}
	}
	drawn := []string{"run", "a", "-n", "40", "--temperature", "1", "--seed", "4", "--stats", "--speculate"}
	want := requireOK(t, call{}.run(t, append(drawn, speculateOff)...))
	for how, tells := range map[string]bool{speculateAuto: false, speculateOn: true} {
		r := call{}.run(t, append(drawn, how)...)
		if got := requireOK(t, r); got != want || strings.Contains(r.err, "candidates") != tells {
			t.Errorf("%s: %q, want %q; %s", how, got, want, r.err)
		}
	}
	requireError(t, call{}.run(t, "run", "a", "--speculate", "perhaps"), exitUsage, "auto, on or off")
}

func TestBenchReplay(t *testing.T) {
	ids := make([]int32, 2*60)
	for i := range ids {
		ids[i] = int32(i % 5)
	}
	args := []string{"bench", "--prompt", "10", "--gen", "2", "--repeat", "2", "--threads", "1", "--mmap", "--replay", save(t, safetensors.Values{Name: "windows", Shape: []int{2, 60}, Data: ids})}
	out := requireOK(t, call{launch: fakeLaunch}.run(t, append(args, "--json")...))
	var r benchReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Replays) != 1 {
		t.Fatalf("replays %+v", r.Replays)
	}
	p := r.Replays[0]
	if p.Threads != 1 || p.Texts != 2 || p.Tokens != 100 || p.Plain.Min <= 0 || p.Lookup.Min <= 0 || p.Speedup.Min <= 0 || p.Passes+p.Accepted != 100 {
		t.Errorf("%+v", p)
	}
	if text := requireOK(t, call{launch: fakeLaunch}.run(t, args...)); !strings.Contains(text, "with lookup") {
		t.Errorf("no table of replays in %s", text)
	}
	args[2] = "60"
	requireError(t, call{launch: fakeLaunch}.run(t, args...), exitFailure, "windows.safetensors", "60 ids", "--prompt")
}
