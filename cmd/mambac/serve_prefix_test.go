package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// written is what a server answers to a prompt of ids: what it chose, and how likely
// that was.
type written struct {
	tokens   []string
	logprobs []float64
	cached   int // ids of the prompt that it did not read
}

// goOn asks for n ids behind a prompt. A prompt that is scored is read as a whole.
func (s *served) goOn(t *testing.T, prompt []int, n int, scored bool) *written {
	t.Helper()
	list, err := json.Marshal(prompt)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := s.post(t.Context(), fmt.Sprintf(`{"prompt":%s,"max_tokens":%d,"temperature":0,"ignore_eos":true,"logprobs":1,"echo":%v}`, list, n, scored))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var r struct {
		Choices []struct {
			Logprobs struct {
				Tokens []string
				Values []*float64 `json:"token_logprobs"`
			}
		}
		Usage struct {
			Details struct {
				Cached int `json:"cached_tokens"`
			} `json:"prompt_tokens_details"`
		}
	}
	if err := json.NewDecoder(answer.Body).Decode(&r); err != nil || len(r.Choices) != 1 || len(r.Choices[0].Logprobs.Tokens) < n {
		t.Fatalf("status %d, %v, %+v", answer.StatusCode, err, r)
	}
	all := &r.Choices[0].Logprobs
	w := &written{cached: r.Usage.Details.Cached}
	for i := len(all.Tokens) - n; i < len(all.Tokens); i++ {
		w.tokens, w.logprobs = append(w.tokens, all.Tokens[i]), append(w.logprobs, *all.Values[i])
	}
	return w
}

// TestServeKnownTexts has conversations with the programs of models that carry
// something else each: what was read and written before is not read again, and every
// answer is what it is if all is read, to the last bit that shows.
func TestServeKnownTexts(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles programs")
	}
	for _, family := range []string{"mamba", "mamba2", "granitemoehybrid", "falcon_h1"} {
		t.Run(family, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "checkpoint")
			compiler(t, "synth", "--family", family, "--out", folder, "-q")
			s := serve(t, folder, "--addr", "127.0.0.1:0", "--log", "off")
			talk := make([]int, 300)
			for i := range talk {
				talk[i] = (i*i + 3*i) % 23
			}
			for turn, known := range []int{0, 384, 448} {
				w, whole := s.goOn(t, talk, 90, false), s.goOn(t, talk, 90, true)
				if !slices.Equal(w.tokens, whole.tokens) || !slices.Equal(w.logprobs, whole.logprobs) {
					t.Errorf("turn %d: %v, if all is read %v", turn, w, whole)
				}
				if w.cached != known || whole.cached != 0 {
					t.Errorf("turn %d: %d ids are known, want %d", turn, w.cached, known)
				}
				for _, id := range w.tokens {
					var n int
					if _, err := fmt.Sscan(strings.TrimSpace(id), &n); err != nil {
						t.Fatal(err)
					}
					talk = append(talk, n)
				}
				talk = append(talk, 1, 2, 3, 4, 5)
			}
			s.end(t)
		})
	}
}
