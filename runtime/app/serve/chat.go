package serve

import (
	"fmt"
	"slices"

	"github.com/mambac/mambac/runtime/serve"
	"github.com/mambac/mambac/runtime/template"
)

// toolUse is what checkpoints with several chat templates call the one for
// conversations with tools.
const toolUse = "tool_use"

// chat is the first of the checkpoint's chat templates, or the one for tools if it
// has one, up to where an answer begins or without that; nil if there is none.
func chat(list []template.Template, answer bool) serve.Template {
	if len(list) == 0 {
		return nil
	}
	return func(messages, tools []byte) (string, error) {
		in := template.Input{AddGenerationPrompt: answer}
		chosen := &list[0]
		var err error
		if in.Messages, err = template.ParseJSON(messages); err != nil {
			return "", err
		}
		if tools == nil {
			return chosen.Render(in)
		}
		if in.Tools, err = template.ParseJSON(tools); err != nil {
			return "", fmt.Errorf("the tools: %w", err)
		}
		if i := slices.IndexFunc(list, func(t template.Template) bool { return t.Name == toolUse }); i >= 0 {
			chosen = &list[i]
		}
		return chosen.Render(in)
	}
}
