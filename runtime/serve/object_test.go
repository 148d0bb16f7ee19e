package serve

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestObject keeps the order of members, and what they are.
func TestObject(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	for range 100 {
		want := "{"
		for n := range r.IntN(5) {
			if n > 0 {
				want += ","
			}
			want += fmt.Sprintf(`"k%d":%s`, r.IntN(4), []string{"1e5", `"a\u003c"`, `{"b":[null,{}]}`, "[]", "true"}[r.IntN(5)])
		}
		want += "}"
		var o object
		err := json.Unmarshal([]byte(want), &o)
		got, failed := json.Marshal(o)
		if err != nil || failed != nil || string(got) != want {
			t.Errorf("%s becomes %s, %v, %v", want, got, err, failed)
		}
	}
	for _, text := range []string{`null`, `[]`, `7`, `"a"`} {
		if json.Unmarshal([]byte(text), new(object)) == nil {
			t.Errorf("%s is an object", text)
		}
	}
}
