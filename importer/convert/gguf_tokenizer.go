package convert

import (
	"errors"
	"fmt"
	"slices"

	importtokenizer "github.com/mambac/mambac/importer/tokenizer"
	"github.com/mambac/mambac/runtime/tokenizer"
)

// The kinds of tokens in the format.
const (
	ggufNormal  = 1
	ggufControl = 3
	ggufUser    = 4
	ggufUnused  = 5
)

// tokenizer adds the vocabulary, a token for every row, as llama.cpp's
// byte-level BPE reads it. The pre-tokenizer gpt-2 is ByteLevel's expression.
// It has no normalisation: texts that NFC changes get other ids there.
func (g *ggufModel) tokenizer(rows int) error {
	const name = "tokenizer.json"
	content, ok, err := g.source.Checkpoint.File(name)
	if err != nil {
		return err
	}
	if !ok {
		return errors.New("no tokenizer.json, and gguf wants the tokenizer in the file; put it beside config.json")
	}
	v, err := importtokenizer.ReadVocabulary(content)
	if err == nil {
		err = refuseTokenizer(g.source.Model.Tokenizer)
	}
	if err == nil && len(v.Tokens) > rows {
		err = fmt.Errorf("has %d ids, but the embedding %d rows", len(v.Tokens), rows)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	g.vocabulary(v, rows)
	g.specialTokens(v, g.source.Model.Tokenizer)
	return nil
}

// refuseTokenizer tells what the format cannot say.
func refuseTokenizer(t *tokenizer.Table) error {
	for _, step := range t.PreTokenizers {
		b, ok := step.(tokenizer.ByteLevel)
		switch {
		case !ok || len(t.PreTokenizers) > 1:
			return errors.New("pre_tokenizer: only ByteLevel alone can be written to gguf")
		case b.AddPrefixSpace || !b.UseRegex:
			return fmt.Errorf("pre_tokenizer: add_prefix_space %v and use_regex %v cannot be written to gguf, want false and true", b.AddPrefixSpace, b.UseRegex)
		}
	}
	for _, step := range t.Normalizers {
		if step != (tokenizer.NFC{}) {
			return errors.New("normalizer: only NFC, which changes few texts, can be left out of gguf")
		}
	}
	if len(t.Decoders) > 0 || t.Model.IgnoreMerges {
		return errors.New("decoder or ignore_merges cannot be written to gguf, want ByteLevel and false")
	}
	for _, a := range t.Added {
		if a.SingleWord || a.LStrip || a.RStrip {
			return fmt.Errorf("added_tokens: single_word, lstrip or rstrip of %q cannot be written to gguf", a.Content)
		}
	}
	if len(t.Prefix) > 1 || len(t.Suffix) > 1 {
		return fmt.Errorf("post_processor: %d and %d tokens around a text cannot be written to gguf, want at most one", len(t.Prefix), len(t.Suffix))
	}
	return nil
}

func (g *ggufModel) vocabulary(v *importtokenizer.Vocabulary, rows int) {
	tokens, kinds := make([]string, rows), make([]int32, rows)
	for id := range rows {
		tokens[id], kinds[id] = fmt.Sprintf("[PAD%d]", id), ggufUnused
		if id >= len(v.Tokens) || !v.Tokens[id].Known {
			continue
		}
		switch t := v.Tokens[id]; {
		case t.Special:
			tokens[id], kinds[id] = t.Content, ggufControl
		case t.Added:
			tokens[id], kinds[id] = t.Content, ggufUser
		default:
			tokens[id], kinds[id] = t.Content, ggufNormal
		}
	}
	merges := make([]string, len(v.Merges))
	for i, m := range v.Merges {
		merges[i] = m[0] + " " + m[1]
	}
	g.pair("tokenizer.ggml.model", "gpt2")
	g.pair("tokenizer.ggml.pre", "gpt-2")
	g.pair("tokenizer.ggml.tokens", tokens)
	g.pair("tokenizer.ggml.token_type", kinds)
	g.pair("tokenizer.ggml.merges", merges)
}

// specialTokens adds the tokens that begin and end texts. Unless it is told,
// llama.cpp takes them to be those of GPT-2, so a model that names none gets
// the first special one.
func (g *ggufModel) specialTokens(v *importtokenizer.Vocabulary, t *tokenizer.Table) {
	m := g.source.Model
	eos := slices.Concat(t.Suffix, m.EOS)
	if i := slices.IndexFunc(v.Tokens, func(s importtokenizer.Spelling) bool { return s.Special }); i >= 0 {
		eos = append(eos, int32(i))
	}
	bos := t.Prefix
	if m.BOS != nil {
		bos = append(slices.Clone(bos), *m.BOS)
	}
	if bos = slices.Concat(bos, eos); len(bos) > 0 {
		g.size("tokenizer.ggml.bos_token_id", int(bos[0]))
	}
	if len(eos) > 0 {
		g.size("tokenizer.ggml.eos_token_id", int(eos[0]))
	}
	g.pair("tokenizer.ggml.add_bos_token", len(t.Prefix) == 1)
	g.pair("tokenizer.ggml.add_eos_token", len(t.Suffix) == 1)
}
