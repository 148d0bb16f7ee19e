package importer

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/mambac/mambac/importer/checkpoint"
	"github.com/mambac/mambac/importer/family"
)

// Chat is how conversations are written for the model; no templates if its
// checkpoint does not say.
type Chat struct {
	Templates []ChatTemplate // the one named default first, if there is one
	// Tokens are the special tokens that templates may write, by the names of
	// their variables: bos_token, eos_token and the like.
	Tokens map[string]string
}

// ChatTemplate is a template in Jinja's language.
type ChatTemplate struct{ Name, Text string }

// defaultChat is the name of the template that is used if none is named.
const defaultChat = "default"

// The bounds of what a checkpoint may name; texts are bounded where they are
// compiled.
const (
	maxChatTemplates = 16
	maxChatName      = 64
)

// specialTokens are the variables of templates that tokenizer_config.json has.
var specialTokens = []string{"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"}

// chat finds the templates as transformers does: chat_template.jinja goes before
// chat_template.json, and that before the key of tokenizer_config.json. Special
// tokens that the latter does not have may be in special_tokens_map.json.
func (m *Model) chat(c *checkpoint.Checkpoint) error {
	const config, older, file, tokens = "tokenizer_config.json", "chat_template.json", "chat_template.jinja", "special_tokens_map.json"
	for _, name := range []string{config, older} {
		keys, err := optionalKeys(c, name)
		if err == nil && keys["chat_template"] != nil {
			err = m.Chat.parse(keys["chat_template"])
		}
		if err != nil {
			return fmt.Errorf("%s: %s: %w", c.Path, name, err)
		}
	}
	text, ok, err := c.File(file)
	if err != nil {
		return err
	}
	if ok {
		m.Chat.Templates = []ChatTemplate{{defaultChat, string(text)}}
	}
	if len(m.Chat.Templates) == 0 {
		return nil
	}
	m.Chat.Tokens = map[string]string{}
	for _, name := range []string{tokens, config} {
		keys, err := optionalKeys(c, name)
		if err == nil {
			err = m.Chat.tokens(keys)
		}
		if err != nil {
			return fmt.Errorf("%s: %s: %w", c.Path, name, err)
		}
	}
	return nil
}

// optionalKeys reads a file of JSON; without it there are no keys.
func optionalKeys(c *checkpoint.Checkpoint, name string) (family.Keys, error) {
	text, ok, err := c.File(name)
	if err != nil || !ok {
		return nil, err
	}
	return family.ParseKeys(text)
}

// parse reads a text, or a list of texts with names; null is none.
func (t *Chat) parse(raw json.RawMessage) error {
	var one *string
	if json.Unmarshal(raw, &one) == nil {
		if one != nil {
			t.Templates = []ChatTemplate{{defaultChat, *one}}
		}
		return nil
	}
	var list []struct {
		Name     *string `json:"name"`
		Template *string `json:"template"`
	}
	if json.Unmarshal(raw, &list) != nil {
		return errors.New("chat_template: want a text, or a list of objects with name and template")
	}
	if len(list) > maxChatTemplates {
		return fmt.Errorf("chat_template: have %d templates, want at most %d", len(list), maxChatTemplates)
	}
	var first, others []ChatTemplate
	seen := map[string]bool{}
	for _, e := range list {
		switch {
		case e.Name == nil || e.Template == nil:
			return errors.New("chat_template: want a list of objects with name and template")
		case *e.Name == "" || len(*e.Name) > maxChatName:
			return fmt.Errorf("chat_template: have a name of %d bytes, want 1 to %d", len(*e.Name), maxChatName)
		case seen[*e.Name]:
			return fmt.Errorf("chat_template: have two templates named %q", *e.Name)
		}
		seen[*e.Name] = true
		if one := (ChatTemplate{*e.Name, *e.Template}); one.Name == defaultChat {
			first = append(first, one)
		} else {
			others = append(others, one)
		}
	}
	t.Templates = append(first, others...)
	return nil
}

// tokens takes the special tokens of a file: texts, or objects with their text.
func (t *Chat) tokens(keys family.Keys) error {
	for _, name := range specialTokens {
		raw, ok := keys[name]
		if !ok {
			continue
		}
		var text *string
		if json.Unmarshal(raw, &text) != nil {
			var object struct {
				Content *string `json:"content"`
			}
			if json.Unmarshal(raw, &object) != nil || object.Content == nil {
				return fmt.Errorf("%s: want a text, or an object with content", name)
			}
			text = object.Content
		}
		if text != nil {
			t.Tokens[name] = *text
		}
	}
	return nil
}
