//go:build peers && linux

package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mambac/mambac/runtime/safetensors"
)

// quality measures what rounding a trained model costs on both sides, on the
// same tokens: those that llama.cpp makes of the validation windows as a text.
func (p *peers) quality(model string) {
	defer p.clean()
	checkpoint := filepath.Join(p.trained, model)
	if _, err := os.Stat(checkpoint); err != nil {
		p.note("%s: %v; MAMBAC_MODELS names the folder of trained models", model, err)
		return
	}
	windows := filepath.Join(p.trained, "validation.safetensors")
	ourFormats, theirTypes := p.chosen([]string{"f16", "bf16", "int8", "int4", "int4 calibrated"}, []string{"F16", "BF16", "Q8_0", "Q4_0", "Q4_K_M"})
	ours := p.ours(checkpoint, append([]string{"f32"}, ourFormats...))
	theirs := p.theirs(checkpoint, "F32", append([]string{"F32"}, theirTypes...))
	p.greedy(model, checkpoint, ours[0], theirs[0])
	text := filepath.Join(p.work, "validation.txt")
	p.decodeWindows(ours[0].path, windows, text)
	base := filepath.Join(p.work, "base.logits")
	succeed(p.t, p.llama.perplexity(theirs[0].path, "-f", text, "--save-all-logits", base, "--chunks", variable("CHUNKS", "-1")))
	chunks := p.chunks(base)
	p.t.Logf("%s: %d chunks of %d tokens", model, len(chunks), qualityWindow)
	bits := p.inspected(checkpoint).Parameters
	p.ourQuality(model, ours, chunks, windows, bits)
	for _, c := range theirs {
		p.theirQuality(model, c, base, len(chunks))
	}
}

// scored is how many tokens of a chunk count.
const scored = qualityWindow - 1 - qualityWindow/2

// perplexity runs llama-perplexity with all threads, one chunk after the other.
func (l *llama) perplexity(path string, args ...string) *exec.Cmd {
	n := strconv.Itoa(qualityWindow)
	return l.command("llama-perplexity", append([]string{"-m", path, "-c", n, "-b", n, "-t", strconv.Itoa(runtime.NumCPU())}, args...)...)
}

// decodeWindows writes all rows of all windows as one text.
func (p *peers) decodeWindows(program, windows, text string) {
	data, err := os.ReadFile(windows)
	if err != nil {
		p.t.Fatal(err)
	}
	f, err := safetensors.Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		p.t.Fatal(err)
	}
	var all strings.Builder
	for _, x := range f.Tensors {
		ids, err := f.Ints(x)
		if err != nil {
			p.t.Fatal(err)
		}
		for row := range slices.Chunk(ids, x.Shape[len(x.Shape)-1]) {
			all.WriteString(succeed(p.t, exec.Command(program, "tokens", "--decode", commas(row))))
		}
	}
	if err := os.WriteFile(text, []byte(all.String()), 0o666); err != nil {
		p.t.Fatal(err)
	}
}

// chunks are the tokens that llama-perplexity has cut the text into, as the
// file of its logits says.
func (p *peers) chunks(base string) [][]int32 {
	f, err := os.Open(base)
	if err != nil {
		p.t.Fatal(err)
	}
	defer f.Close()
	var head struct {
		Magic                   [8]byte
		Context, Vocab, NChunks int32
	}
	if err := binary.Read(f, binary.LittleEndian, &head); err != nil {
		p.t.Fatal(err)
	}
	if string(head.Magic[:]) != "_logits_" || head.Context != qualityWindow || head.NChunks < 1 {
		p.t.Fatalf("%s: %+v, want windows of %d", base, head, qualityWindow)
	}
	ids := make([]int32, head.Context*head.NChunks)
	if err := binary.Read(f, binary.LittleEndian, ids); err != nil {
		p.t.Fatal(err)
	}
	return slices.Collect(slices.Chunk(ids, qualityWindow))
}

// againstFloat adds up how far a program is from float32, and how likely both find
// what came.
type againstFloat struct {
	divergence
	nll, base float64
}

// add compares one position with that of float32; next is the token that came.
func (s *againstFloat) add(t *testing.T, base, logits []float32, next int32) {
	got, want := row{logits: logits}, row{logits: base}
	if err := errors.Join(got.measure(), want.measure()); err != nil {
		t.Fatal(err)
	}
	s.divergence.add(got, want)
	s.nll += got.nll(int(next))
	s.base += want.nll(int(next))
}

// ourQuality holds our programs against the first of them, which is float32.
func (p *peers) ourQuality(model string, ours []*contestant, chunks [][]int32, windows string, parameters int64) {
	sums := make([]againstFloat, len(ours))
	for _, ids := range chunks {
		var base [][]float32
		for i, c := range ours {
			logits := p.logits(c, ids)
			if i == 0 {
				base = logits
			}
			for at := qualityWindow / 2; at < qualityWindow-1; at++ {
				sums[i].add(p.t, base[at], logits[at], ids[at+1])
			}
		}
	}
	whole := p.allTokens(ours[0], windows)
	for i, c := range ours {
		d, n, change := sums[i], float64(sums[i].rows), 0.0
		if i > 0 {
			change = p.allTokens(c, windows) - whole
		}
		p.Quality = append(p.Quality, comparedQuality{
			Model: model, Format: c.Format, Ours: true, Tokens: d.rows, Bits: 8 * float64(p.weightBytes(c)) / float64(parameters),
			NLL: d.nll / n, NLLChange: (d.nll - d.base) / n, KL: d.sum / n, SameTop: float64(d.equal) / n, AllChange: &change,
		})
	}
}

// logits are the rows that a program of ours writes for ids.
func (p *peers) logits(c *contestant, ids []int32) [][]float32 {
	path := filepath.Join(p.work, "logits.safetensors")
	succeed(p.t, exec.Command(c.path, "logits", "--ids", commas(ids), "-o", path))
	data, err := os.ReadFile(path)
	if err != nil {
		p.t.Fatal(err)
	}
	values := floats(p.t, data)
	return slices.Collect(slices.Chunk(values, len(values)/len(ids)))
}

// allTokens is the mean NLL over every token of the windows.
func (p *peers) allTokens(c *contestant, windows string) float64 {
	var score struct {
		NLL float64 `json:"nll"`
	}
	if err := json.Unmarshal([]byte(succeed(p.t, exec.Command(c.path, "ppl", "--windows", windows, "--json"))), &score); err != nil {
		p.t.Fatal(err)
	}
	return score.NLL
}

// weightBytes is what a program of ours says of its weights.
func (p *peers) weightBytes(c *contestant) int64 {
	r := p.bench(c.path, "--repeat", "1", "--threads", "1", "--prompt", "1", "--gen", "1")
	p.Level = r.Level
	return r.WeightBytes
}

// theirQuality reads what llama-perplexity finds against the logits of float32,
// which that file holds in 16 bits.
func (p *peers) theirQuality(model string, c *contestant, base string, chunks int) {
	names := []string{"Mean PPL(Q)", "Mean ln(PPL(Q)/PPL(base))", "Mean    KLD", "Same top p"}
	found := map[string]float64{}
	cmd := func() *exec.Cmd { return p.llama.perplexity(c.path, "--kl-divergence", "--kl-divergence-base", base) }
	whole(p.t, cmd, func(out string) bool {
		for _, name := range names {
			m := regexp.MustCompile(regexp.QuoteMeta(name) + `\s*:\s*(-?[0-9.]+)`).FindStringSubmatch(out)
			if m == nil {
				return false
			}
			v, err := strconv.ParseFloat(m[1], 64)
			if err != nil {
				return false
			}
			found[name] = v
		}
		return true
	})
	run := p.llama.bench(p.t, c.path, 1, 1, 0)[0]
	p.Quality = append(p.Quality, comparedQuality{
		Model: model, Format: c.Format, Tokens: chunks * scored, Bits: 8 * float64(run.Size) / float64(run.Params),
		NLL: math.Log(found[names[0]]), NLLChange: found[names[1]], KL: found[names[2]], SameTop: found[names[3]] / 100,
	})
}

// referenceText is a greedy text of the reference implementation.
type referenceText struct {
	Prompt string  `json:"prompt"`
	IDs    []int32 `json:"greedy_ids"`
	Text   string  `json:"text"`
}

func (p *peers) references(checkpoint string) []referenceText {
	text, err := os.ReadFile(filepath.Join(checkpoint, "reference.json"))
	if err != nil {
		p.t.Fatal(err)
	}
	var reference struct {
		Generations []referenceText `json:"generations"`
	}
	if err := json.Unmarshal(text, &reference); err != nil {
		p.t.Fatal(err)
	}
	if len(reference.Generations) == 0 {
		p.t.Fatalf("%s: no generations in reference.json", checkpoint)
	}
	return reference.Generations
}

// greedy compares what both sides go on with, in float32, with the texts of
// the reference implementation.
func (p *peers) greedy(model, checkpoint string, ours, theirs *contestant) {
	references := p.references(checkpoint)
	same, other := 0, 0
	for _, g := range references {
		n := strconv.Itoa(len(g.IDs))
		if succeed(p.t, exec.Command(ours.path, "run", g.Prompt, "-n", n, "--ignore-eos")) == g.Text {
			same++
		}
		want := strings.TrimRight(g.Text, "\n") // llama.cpp ends with two lines of its own
		cmd := func() *exec.Cmd { return p.llama.completion(theirs.path, g.Prompt, runtime.NumCPU(), len(g.IDs)) }
		whole(p.t, cmd, func(out string) bool {
			out = strings.TrimRight(out, "\n")
			if out == want {
				other++
			}
			return out == want || !strings.HasPrefix(want, out)
		})
	}
	p.Greedy = append(p.Greedy, fmt.Sprintf("%s in float32: of %d greedy texts of the reference implementation mambac has %d, llama.cpp with the converted file %d.",
		model, len(references), same, other))
}
