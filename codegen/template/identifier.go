package template

import (
	"strconv"
	"strings"
)

// familiar are the names of variables that templates of many families use. They
// become identifiers; all others are numbered, because no string of a checkpoint
// may become one.
var familiar = strings.Fields(`
	messages message msg tools tool tool_call tool_calls tools_in_user_message documents document content role
	system system_message system_prompt user_message user_messages loop_messages add_generation_prompt
	bos_token eos_token pad_token unk_token date_string date today now ns index item items key value name
	param params param_name param_spec parameters arguments argument argument_name arg args argname function functions
	properties required default_system_message offset first_message last_message last_user_index prefix suffix text texts
	part parts chunk block thinking enable_thinking reasoning reasoning_content think message_text message_content
	builtin_tools custom_tools controls header footer body result results output outputs caller loop
	render_content render_tool render_message print_tool expected expected_role use_tools tool_use json_schema type types
	indent level depth count last previous next found is_system is_first is_last is_tool ensure`)

// camelCase has the familiar names as Go writes them.
var camelCase = func() map[string]string {
	m := map[string]string{"type": "typeName", "t": "", "template": ""}
	for _, n := range familiar {
		if _, ok := m[n]; ok {
			continue
		}
		words := strings.Split(n, "_")
		for i := 1; i < len(words); i++ {
			words[i] = strings.ToUpper(words[i][:1]) + words[i][1:]
		}
		m[n] = strings.Join(words, "")
	}
	return m
}()

// identifiers counts how often each was given.
type identifiers map[string]int

// next makes a Go identifier for a variable, another one every time.
func (ids identifiers) next(name string) string {
	id := camelCase[name]
	if id == "" {
		id = "v"
	}
	ids[id]++
	if n := ids[id]; n > 1 || id == "v" {
		id += strconv.Itoa(n)
	}
	return id
}
