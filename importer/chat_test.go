package importer

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mambac/mambac/importer/checkpoint"
)

// chatOf imports a small checkpoint with some files beside it.
func chatOf(t *testing.T, files map[string]string) (Chat, error) {
	t.Helper()
	folder := t.TempDir()
	source := filepath.Join("testdata", "golden", "mamba-safetensors")
	if err := os.CopyFS(folder, os.DirFS(source)); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := checkpoint.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	m, err := Import(c, nil)
	if err != nil {
		return Chat{}, err
	}
	return m.Chat, nil
}

func TestChat(t *testing.T) {
	const config, older, file, tokens = "tokenizer_config.json", "chat_template.json", "chat_template.jinja", "special_tokens_map.json"
	for _, c := range []struct {
		name  string
		files map[string]string
		want  []ChatTemplate
		vars  map[string]string
	}{
		{name: "nothing", files: map[string]string{config: `{"bos_token": "<s>"}`}},
		{name: "null", files: map[string]string{config: `{"chat_template": null}`, older: `{}`}},
		{name: "text", files: map[string]string{config: `{"chat_template": "a", "bos_token": "<s>", "eos_token": {"content": "</s>"}, "pad_token": null, "x": NaN}`},
			want: []ChatTemplate{{"default", "a"}}, vars: map[string]string{"bos_token": "<s>", "eos_token": "</s>"}},
		{name: "list", files: map[string]string{config: `{"chat_template": [{"name": "b", "template": "B"}, {"name": "default", "template": "D"}, {"name": "a", "template": "A"}]}`},
			want: []ChatTemplate{{"default", "D"}, {"b", "B"}, {"a", "A"}}, vars: map[string]string{}},
		{name: "file", files: map[string]string{config: `{"chat_template": "old"}`, older: `{"chat_template": "newer"}`, file: "newest\n"},
			want: []ChatTemplate{{"default", "newest\n"}}, vars: map[string]string{}},
		{name: "older file", files: map[string]string{config: `{"chat_template": "old"}`, older: `{"chat_template": "newer"}`},
			want: []ChatTemplate{{"default", "newer"}}, vars: map[string]string{}},
		{name: "file alone", files: map[string]string{file: "x", tokens: `{"bos_token": {"content": "B"}, "eos_token": "E"}`},
			want: []ChatTemplate{{"default", "x"}}, vars: map[string]string{"bos_token": "B", "eos_token": "E"}},
		{name: "tokens twice", files: map[string]string{file: "x", tokens: `{"bos_token": "B"}`, config: `{"bos_token": "C"}`},
			want: []ChatTemplate{{"default", "x"}}, vars: map[string]string{"bos_token": "C"}},
	} {
		have, err := chatOf(t, c.files)
		if err != nil || !slices.Equal(have.Templates, c.want) || !maps.Equal(have.Tokens, c.vars) {
			t.Errorf("%s: have %q, %v, want %q, %q", c.name, have, err, c.want, c.vars)
		}
	}
}

func TestChatWrong(t *testing.T) {
	many := "[" + strings.Repeat(`{"name": "a", "template": ""},`, 16) + `{"name": "b", "template": ""}]`
	for text, want := range map[string]string{
		`{"chat_template": 1}`:                               "want a text, or a list",
		`{"chat_template": [1]}`:                             "want a text, or a list",
		`{"chat_template": [{"name": "a"}]}`:                 "want a list of objects with name and template",
		`{"chat_template": [{"name": "", "template": "x"}]}`: "have a name of 0 bytes",
		`{"chat_template": ` + many + `}`:                    "have 17 templates, want at most 16",
		`{"chat_template": "x", "bos_token": 1}`:             "bos_token: want a text, or an object with content",
		`{"chat_template": "x", "eos_token": {"text": "a"}}`: "eos_token: want a text, or an object with content",
		`{"chat_template": "x"`:                              "is no JSON",
		`[]`:                                                 "want an object",
		strings.Repeat(`{"chat_template": `, 20000):          "is no JSON",
		`{"chat_template": [{"name": "a", "template": "x"}, {"name": "a", "template": "y"}]}`: `two templates named "a"`,
	} {
		_, err := chatOf(t, map[string]string{"tokenizer_config.json": text})
		if err == nil || !strings.Contains(err.Error(), "tokenizer_config.json: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: have %v, want %q", text, err, want)
		}
	}
}
