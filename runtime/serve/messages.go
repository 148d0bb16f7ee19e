package serve

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// plain demands what every conversation has, and makes of it what templates know:
// one text of a content of several, and objects of the arguments of calls. The rest
// is the template's.
func plain(text json.RawMessage) (json.RawMessage, error) {
	var list []object
	if json.Unmarshal(text, &list) != nil || len(list) == 0 {
		return nil, wrong("messages", "want a list of objects with role and content, at least one")
	}
	altered := false
	for i, m := range list {
		var role string
		if !m.read("role", &role) || role == "" {
			return nil, wrong("messages", "message %d has no role", i)
		}
		joined, err := m.join()
		if err != nil {
			return nil, wrong("messages", "message %d %v", i, err)
		}
		opened, err := m.openCalls()
		if err != nil {
			return nil, wrong("messages", "message %d %v", i, err)
		}
		altered = altered || joined || opened
	}
	if !altered {
		return text, nil
	}
	return json.Marshal(list)
}

// join makes one text of the parts of a content.
func (o object) join() (altered bool, err error) {
	var parts []struct{ Type, Text string }
	if !o.read("content", &parts) || parts == nil {
		return false, nil
	}
	var texts []string
	for _, p := range parts {
		if p.Type != "text" {
			return false, fmt.Errorf("has a part of type %.20q, want text", p.Type)
		}
		texts = append(texts, p.Text)
	}
	o.replace("content", strings.Join(texts, "\n"))
	return true, nil
}

// openCalls makes objects of the arguments of calls of tools, which OpenAI has as
// texts and templates as what those say.
func (o object) openCalls() (altered bool, err error) {
	m := o.find("tool_calls")
	if m == nil || !some(m.value) {
		return false, nil
	}
	var calls []object
	if json.Unmarshal(m.value, &calls) != nil {
		return false, errors.New("has tool_calls that are no list of objects")
	}
	for i, call := range calls {
		var function object
		var text string
		if !call.read("function", &function) {
			return false, fmt.Errorf("calls no function in tool_calls[%d]", i)
		}
		if !function.read("arguments", &text) {
			continue // they are an object, or there are none
		}
		arguments := object{}
		if text != "" && json.Unmarshal([]byte(text), &arguments) != nil {
			return false, fmt.Errorf("has arguments in tool_calls[%d] that are no JSON object", i)
		}
		function.replace("arguments", arguments)
		call.replace("function", function)
		altered = true
	}
	if altered {
		o.replace("tool_calls", calls)
	}
	return altered, nil
}

// some tells whether there is anything in a list or text.
func some(value json.RawMessage) bool {
	return len(value) > 0 && !bytes.Equal(value, []byte("null")) && !bytes.Equal(value, []byte("[]"))
}
