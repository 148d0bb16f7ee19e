//go:build peers && linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/mambac/mambac/ir/eval"
	"github.com/mambac/mambac/runtime/tokenizer"
)

// TestPeersConvert: what llama.cpp goes on with, from files that mambac has
// converted, is what the reference implementations of trained models go on
// with, and what the evaluator does with models of odd shapes.
func TestPeersConvert(t *testing.T) {
	p := newPeers(t)
	p.llama = newLlama(t, p.cache)
	run := func(name string, f func(p *peers)) {
		t.Run(name, func(t *testing.T) {
			own := *p
			own.t = t
			f(&own)
		})
	}
	for _, model := range []string{"go-mamba-5m", "go-mamba2-5m", "go-llama-5m"} {
		run(model, func(p *peers) { p.convertedTrained(model) })
	}
	for _, settings := range oddModels {
		run(settings, func(p *peers) { p.convertedOdd(strings.Fields(settings)) })
	}
}

// convertedTrained holds llama.cpp against the reference implementation.
func (p *peers) convertedTrained(model string) {
	checkpoint, path := filepath.Join(p.trained, model), filepath.Join(p.work, model+".gguf")
	p.gguf(checkpoint, path, "F32")
	for _, g := range p.references(checkpoint) {
		p.continues(path, g.Prompt, g.Text, len(g.IDs))
	}
	p.gguf(checkpoint, path, "Q8_0")
	succeed(p.t, p.llama.completion(path, "func", runtime.NumCPU(), 4))
}

// oddModels are families and settings that llama.cpp has a place for.
var oddModels = []string{
	"mamba conv_kernel=3 state_size=7",
	"mamba2 hidden_size=40 num_heads=3",
	"mamba2 hidden_size=24 expand=3 conv_kernel=2 tie_word_embeddings=false",
	"mamba2 conv_kernel=7 use_conv_bias=false state_size=5 vocab_size=4099",
	"mamba2 conv_kernel=1",
	`state-spaces ssm_cfg={"layer":"Mamba2","ngroups":2,"headdim":16,"d_state":24} pad_vocab_size_multiple=16`,
	"llama num_attention_heads=6 num_key_value_heads=2 head_dim=10 tie_word_embeddings=true",
	"llama attention_bias=true mlp_bias=true rope_theta=500",
	`llama rope_scaling={"rope_type":"llama3","factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,"original_max_position_embeddings":64}`,
	`llama rope_scaling={"rope_type":"yarn","factor":4.0,"original_max_position_embeddings":64}`,
	`llama rope_scaling={"rope_type":"linear","factor":3.0}`,
	"mistral max_position_embeddings=512 sliding_window=512 num_key_value_heads=1",
	"mixtral num_local_experts=5 num_experts_per_tok=3",
}

// convertedOdd holds llama.cpp against the evaluator: the first setting is the
// family.
func (p *peers) convertedOdd(settings []string) {
	folder, path := p.t.TempDir(), filepath.Join(p.work, "odd.gguf")
	checkpoint := filepath.Join(folder, "checkpoint")
	args := []string{"synth", "-q", "--dtype", "f32", "--out", checkpoint, "--family", settings[0], "--set", "vocab_size=4096"}
	for _, setting := range settings[1:] {
		args = append(args, "--set", setting)
	}
	compiler(p.t, args...)
	text, err := os.ReadFile(filepath.Join(p.trained, "go-llama-5m", "tokenizer.json"))
	if err == nil {
		err = os.WriteFile(filepath.Join(checkpoint, "tokenizer.json"), text, 0o666)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	p.gguf(checkpoint, path, "F32")
	const prompt, n = "func main() {\n\tfmt.Println(", 8
	p.continues(path, prompt, greedyText(p.t, checkpoint, prompt, n), n)
}

// continues fails unless llama.cpp goes on with that text. Odd models give bytes
// that are no characters, which only llama.cpp prints.
func (p *peers) continues(path, prompt, want string, n int) {
	p.t.Helper()
	have, want := "", characters(want)
	whole(p.t, func() *exec.Cmd { return p.llama.completion(path, prompt, runtime.NumCPU(), n) }, func(out string) bool {
		have = characters(out)
		return have == want || !strings.HasPrefix(want, have)
	})
	if have != want {
		p.t.Errorf("%s: %q goes on with %q, want %q", filepath.Base(path), prompt, have, want)
	}
}

// characters is a text without what is none, and without the lines at its end,
// of which llama.cpp adds two.
func characters(text string) string {
	return strings.TrimRight(strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\ufffd", ""), "\n")
}

// greedyText is the greedy text of a checkpoint.
func greedyText(t *testing.T, checkpoint, prompt string, n int) string {
	t.Helper()
	m, err := openModel(checkpoint, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer m.close()
	table, err := m.Tokenizer.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := tokenizer.Open(table)
	if err != nil {
		t.Fatal(err)
	}
	prefix, err := tokens.AppendEncode(nil, prompt, true)
	if err != nil {
		t.Fatal(err)
	}
	ids := make([]int, len(prefix))
	for i, id := range prefix {
		ids[i] = int(id)
	}
	x, err := evaluate(t.Context(), eval.New, m.Module, ids, n)
	if err != nil {
		t.Fatal(err)
	}
	greedy := make([]int32, n)
	for i, id := range x.greedy {
		greedy[i] = int32(id)
	}
	return string(tokens.AppendDecode(nil, greedy, true))
}
