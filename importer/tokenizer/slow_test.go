package tokenizer

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// slow decodes as the reference does: every step of the file makes a list of
// tokens out of another.
type slow struct {
	tokens  map[int32]string
	special map[int32]bool
	steps   []slowStep
}

type slowStep struct {
	Type          string
	Decoders      []slowStep
	Pattern       struct{ String string }
	Content       string
	Start, Stop   int
	Replacement   string
	PrependScheme string `json:"prepend_scheme"`
}

func readSlow(t testing.TB, folder string) *slow {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, "tokenizer.json"))
	if err != nil {
		t.Fatal(err)
	}
	var f struct {
		AddedTokens []addedToken `json:"added_tokens"`
		Decoder     *slowStep
		Model       struct {
			Type  string
			Vocab json.RawMessage
		}
	}
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	s := &slow{tokens: map[int32]string{}, special: map[int32]bool{}}
	var scores [][2]any
	var ids map[string]int32
	if f.Model.Type == "Unigram" {
		err = json.Unmarshal(f.Model.Vocab, &scores)
	} else {
		err = json.Unmarshal(f.Model.Vocab, &ids)
	}
	if err != nil {
		t.Fatal(err)
	}
	for id, pair := range scores {
		s.tokens[int32(id)] = pair[0].(string)
	}
	for content, id := range ids {
		s.tokens[id] = content
	}
	for _, a := range f.AddedTokens {
		s.tokens[a.ID], s.special[a.ID] = a.Content, a.Special
	}
	if s.steps = []slowStep{*f.Decoder}; f.Decoder.Type == "Sequence" {
		s.steps = f.Decoder.Decoders
	}
	return s
}

func (s *slow) decode(t testing.TB, ids []int32, skip bool) string {
	var tokens []string
	for _, id := range ids {
		if content, ok := s.tokens[id]; ok && !(skip && s.special[id]) {
			tokens = append(tokens, content)
		}
	}
	for _, step := range s.steps {
		tokens = step.apply(t, tokens)
	}
	return strings.Join(tokens, "")
}

func (s *slowStep) apply(t testing.TB, tokens []string) (out []string) {
	switch s.Type {
	case "ByteLevel":
		var raw []byte
		for _, token := range tokens {
			raw = append(raw, decoded(token)...)
		}
		return []string{lossy(raw)}
	case "Fuse":
		return []string{strings.Join(tokens, "")}
	case "ByteFallback":
		return slowBytes(tokens)
	}
	for i, token := range tokens {
		switch s.Type {
		case "Replace":
			token = strings.ReplaceAll(token, s.Pattern.String, s.Content)
		case "Strip":
			for range s.Start {
				token = strings.TrimPrefix(token, s.Content)
			}
			for range s.Stop {
				token = strings.TrimSuffix(token, s.Content)
			}
		case "Metaspace":
			by := " "
			if i == 0 && s.PrependScheme != "never" {
				by = ""
			}
			token = strings.ReplaceAll(token, s.Replacement, by)
		default:
			t.Fatalf("decoder %s", s.Type)
		}
		out = append(out, token)
	}
	return out
}

func slowBytes(tokens []string) (out []string) {
	var run []byte
	settle := func() {
		if utf8.Valid(run) {
			out = append(out, string(run))
		} else {
			out = append(out, strings.Repeat("\uFFFD", len(run)))
		}
		run = nil
	}
	for _, token := range tokens {
		hex, begins := strings.CutPrefix(token, "<0x")
		hex, ends := strings.CutSuffix(hex, ">")
		if c, err := strconv.ParseUint(hex, 16, 8); err == nil && begins && ends && len(hex) == 2 {
			run = append(run, byte(c))
			continue
		}
		if len(run) > 0 {
			settle()
		}
		out = append(out, token)
	}
	if len(run) > 0 {
		settle()
	}
	return out
}
