package report

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestFormat: all that a report holds can be read, and hostile names cannot
// begin a line.
func TestFormat(t *testing.T) {
	nll, change := 2.5, -0.125
	r := Report{
		Family: "mamba", Weights: "int8", Math: "fast",
		Choices: map[string]string{"z-angle": "b", "decay": "a"},
		Machine: Machine{CPU: "a processor", Flags: []string{"fma"}, Target: "linux/amd64", Threads: 2},
		Storage: []Storage{{Format: "int8", Parameters: 64, Bytes: 66, BitsPerWeight: 8.25}, {Format: "f32", Parameters: 16, Bytes: 64, BitsPerWeight: 32}},
		Rungs:   []Rung{{Rung: "fast", Weights: "int8", Math: "fast", By: "decode", OK: true}, {Rung: "program", CPU: "v3"}},
		Absent:  []Absent{{CPU: "v4", Lacks: []string{"avx512f", "avx512bw"}}},
		Text: Text{
			Source: "a\nb", Tokens: 11, Window: 512,
			Programs:    []Program{{Name: Built, CPU: "v3", NLL: &nll}, {Name: F32}},
			Comparisons: []Comparison{{Of: Built, Against: F32, Top1Equal: 10, Positions: 11, GreedyEqual: 31, GreedyTotal: 32, MeanKL: 1e-3, NLLChange: &change}},
		},
	}
	text := format(t, &r)
	for _, want := range []string{
		"mamba, weights int8, fast math\ndecay a, which the config does not say\nz-angle b, which the config does not say\n", "a processor (fma), linux/amd64, 2 threads\n",
		"level v4, for this processor lacks avx512f, avx512bw\n", "int8                64            66        8.250\n",
		"all                 80           130       13.000\n",
		"fast       -", "ok\n", "FAILED\n", `text: "a\nb", 11 tokens`, "mean nll 2.500000 nats",
		"10/11", "31/32", "1.000e-03", "-0.125000\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	for _, missing := range []string{"no f32 program beside it", "no likelihood: "} {
		if strings.Contains(text, missing) {
			t.Errorf("%q in\n%s", missing, text)
		}
	}
	r.Text.Programs[0].NLL, r.Text.Comparisons = nil, nil
	for _, missing := range []string{"no f32 program beside it", "no likelihood: "} {
		if text := format(t, &r); !strings.Contains(text, missing) {
			t.Errorf("no %q in\n%s", missing, text)
		}
	}
}

func format(t *testing.T, r *Report) string {
	t.Helper()
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	text, err := Format(data)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestFormatFails(t *testing.T) {
	if text, err := Format([]byte("[]")); err == nil {
		t.Errorf("a list is the report %q", text)
	}
}
