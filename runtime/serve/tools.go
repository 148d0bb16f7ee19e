package serve

import "encoding/json"

// toolset is what of a request is about tools.
type toolset struct {
	Tools      json.RawMessage `json:"tools"`
	ToolChoice json.RawMessage `json:"tool_choice"`
	Functions  json.RawMessage `json:"functions"`
}

// told is the tools that the model is told of, nil for none: whether it calls one is
// its own choice, so that none other can be asked for.
func (t *toolset) told() (json.RawMessage, error) {
	choice := "auto"
	if some(t.ToolChoice) && json.Unmarshal(t.ToolChoice, &choice) != nil || choice != "auto" && choice != "none" {
		return nil, wrong("tool_choice", "have %.80s, want none or auto: the model alone decides whether it calls", t.ToolChoice)
	}
	if some(t.Functions) {
		return nil, wrong("functions", "is what tools were called before; give tools")
	}
	if !some(t.Tools) {
		return nil, nil
	}
	if err := checkTools(t.Tools); err != nil || choice == "none" {
		return nil, err
	}
	return t.Tools, nil
}

func checkTools(text json.RawMessage) error {
	var list []struct {
		Type     string
		Function struct{ Name string }
	}
	if json.Unmarshal(text, &list) != nil {
		return wrong("tools", "want a list of objects with type and function")
	}
	for i, tool := range list {
		if tool.Type != "function" || tool.Function.Name == "" {
			return wrong("tools", "tool %d is no function with a name", i)
		}
	}
	return nil
}
