//go:build lookup && linux

package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/mambac/mambac/runtime/cpu"
	"github.com/mambac/mambac/runtime/safetensors"
)

const (
	lookupPrompt = 512 // tokens that the model reads
	lookupAnswer = 256 // tokens that it writes
)

// TestLookupFigures shows what speculation makes of texts that a trained model
// writes, in its own program and in larger ones: make bench-lookup. It judges one
// thing: that the texts are the same.
func TestLookupFigures(t *testing.T) {
	f := &lookupFigures{t: t, folder: t.TempDir(), models: variable("MAMBAC_MODELS", shared)}
	f.machine = fmt.Sprintf("%s, %d cores for this process", cpu.Name(), cpu.PhysicalCores())
	own := build(t, filepath.Join(f.models, "go-mamba-20m"))
	f.write(own)
	f.replay("go-mamba-20m", own)
	synthesised := filepath.Join(f.folder, "mamba-130m")
	compiler(t, "synth", "--preset", "mamba-130m", "--dtype", "bf16", "--out", synthesised, "-q")
	for weights := range strings.FieldsSeq(variable("WEIGHTS", "f32 bf16 int8")) {
		f.replay("mamba-130m, "+weights, build(t, synthesised, "--weights", weights))
	}
	fmt.Printf("\n%s; %d texts of %d tokens behind %d\n\n%s", f.machine, len(f.texts), lookupAnswer, lookupPrompt, f.table.String())
}

// lookupFigures are the texts and what was measured with them.
type lookupFigures struct {
	t              *testing.T
	folder, models string
	machine        string
	texts          [][]int32 // prompts and what followed them
	table          strings.Builder
}

// prompts are the beginnings of held-out files.
func (f *lookupFigures) prompts() [][]int32 {
	file, err := os.Open(filepath.Join(f.models, "validation.safetensors"))
	if err != nil {
		f.t.Fatal(err)
	}
	defer file.Close()
	windows, err := safetensors.OpenFile(file)
	if err != nil {
		f.t.Fatal(err)
	}
	long, ok := windows.Tensor("long")
	most, err := strconv.Atoi(variable("WINDOWS", "16"))
	if err != nil || !ok || len(long.Shape) != 2 {
		f.t.Fatalf("%v: windows %v", err, long)
	}
	ids := make([]int32, long.Shape[0]*long.Shape[1])
	if err := binary.Read(io.Reader(windows.Section(long)), binary.LittleEndian, ids); err != nil {
		f.t.Fatal(err)
	}
	var list [][]int32
	for i := range min(most, long.Shape[0]) {
		list = append(list, ids[i*long.Shape[1]:][:lookupPrompt])
	}
	return list
}

// write has the prompts continued with and without speculation.
func (f *lookupFigures) write(a artifact) {
	for i, prompt := range f.prompts() {
		ids := strings.ReplaceAll(strings.Trim(fmt.Sprint(prompt), "[]"), " ", ",")
		continued := func(how string) string {
			return a.run(f.t, "", "run", "--ids", ids, "-n", strconv.Itoa(lookupAnswer), "--ignore-eos", "--print", "ids", "--speculate", how)
		}
		plain := continued("off")
		for _, how := range []string{"auto", "on"} {
			if got := continued(how); got != plain {
				f.t.Fatalf("text %d with --speculate %s:\n%swithout:\n%s", i, how, got, plain)
			}
		}
		text := prompt[:lookupPrompt:lookupPrompt]
		for word := range strings.FieldsSeq(plain) {
			id, err := strconv.Atoi(word)
			if err != nil {
				f.t.Fatal(err)
			}
			text = append(text, int32(id))
		}
		f.texts = append(f.texts, text)
	}
}

// replay has a program write the texts again.
func (f *lookupFigures) replay(name string, a artifact) {
	path := filepath.Join(f.folder, "texts.safetensors")
	file, err := os.Create(path)
	if err != nil {
		f.t.Fatal(err)
	}
	var flat []int32
	for _, text := range f.texts {
		flat = append(flat, text...)
	}
	err = safetensors.WriteAll(file, nil, safetensors.Values{Name: "windows", Shape: []int{len(f.texts), len(f.texts[0])}, Data: flat})
	if err := file.Close(); err != nil {
		f.t.Fatal(err)
	}
	if err != nil {
		f.t.Fatal(err)
	}
	var b struct {
		Replays []struct {
			Threads, Tokens, Passes, Candidates, Accepted int
			Plain                                         ranged `json:"plain_tokens_s"`
			Lookup                                        ranged `json:"lookup_tokens_s"`
			Speedup                                       ranged
			Others                                        *float64 `json:"others_cpu"`
		}
	}
	out := a.run(f.t, "", "bench", "--json", "--gen", "1", "--prompt", strconv.Itoa(lookupPrompt), "--repeat", "3", "--replay", path)
	if err := json.Unmarshal([]byte(out), &b); err != nil {
		f.t.Fatal(err)
	}
	if f.table.Len() == 0 {
		f.table.WriteString("| program | threads | plain, tokens/s | with lookup | speed-up | candidates that were right | tokens a pass | others, CPU |\n|---|---|---|---|---|---|---|---|\n")
	}
	for _, r := range b.Replays {
		others := "?"
		if r.Others != nil {
			others = fmt.Sprintf("%.2f", *r.Others)
		}
		fmt.Fprintf(&f.table, "| %s | %d | %s | %s | %s | %.0f %% of %d | %.2f | %s |\n", name, r.Threads,
			r.Plain, r.Lookup, r.Speedup, 100*float64(r.Accepted)/float64(max(1, r.Candidates)), r.Candidates, float64(r.Tokens)/float64(r.Passes), others)
	}
}

// ranged is a figure of bench --json.
type ranged struct{ Min, Median, Max float64 }

func (s ranged) String() string { return fmt.Sprintf("%.2f (%.2f–%.2f)", s.Median, s.Min, s.Max) }
