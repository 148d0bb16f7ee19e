package serve

import (
	"strings"
	"testing"

	"github.com/mambac/mambac/runtime/template"
)

func TestConversation(t *testing.T) {
	if conversation(nil) != nil {
		t.Error("a model without templates converses")
	}
	write := func(r *template.Run) {
		for m := range r.Each(r.Variable("messages")) {
			if r.Equal(r.Attribute(m, "role"), template.String("critic")) {
				r.Raise(template.String("no critics"))
			}
			r.Print(r.Attribute(m, "content"))
		}
	}
	c := conversation([]template.Template{{Name: "default", Write: write}, {Name: "other"}})
	if text, err := c([]byte(`[{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]`)); err != nil || text != "ab" {
		t.Errorf("have %q, %v", text, err)
	}
	if _, err := c([]byte(`[{"role": "critic", "content": "a"}]`)); err == nil || err.Error() != "no critics" {
		t.Errorf("have %v", err)
	}
	if _, err := c([]byte(`[`)); err == nil || !strings.HasPrefix(err.Error(), "messages: ") {
		t.Errorf("have %v", err)
	}
}
