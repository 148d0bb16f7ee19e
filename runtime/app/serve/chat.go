package serve

import (
	"github.com/mambac/mambac/runtime/serve"
	"github.com/mambac/mambac/runtime/template"
)

// chat is the first of the checkpoint's chat templates, up to where an answer begins
// or without that; nil if there is none.
func chat(list []template.Template, answer bool) serve.Template {
	if len(list) == 0 {
		return nil
	}
	return func(messages []byte) (string, error) {
		v, err := template.ParseJSON(messages)
		if err != nil {
			return "", err
		}
		return list[0].Render(template.Input{Messages: v, AddGenerationPrompt: answer})
	}
}
