package gosrc

import (
	"go/format"
	"strings"
)

// examplesText is a package's examples; what they use exists in every one.
const examplesText = `// HEADER

package NAME

import (
	"bytes"
	"context"
	"fmt"
	"log"
)

// Continue a text that is given as token ids.
func Example() {
	model, err := Open()
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	session := model.NewSession()
	n := 0
	for token, err := range session.GenerateIDs(context.Background(), []int{0, 0, 0}, MaxTokens(4), IgnoreEndTokens()) {
		if err != nil {
			log.Fatal(err)
		}
		if token.ID < model.Vocabulary() {
			n++
		}
	}
	fmt.Println(n, "tokens; read", session.Position())
	// Output: 4 tokens; read 7
}

// Read ids once, keep the state, and go on from it as often as is wanted.
func Example_state() {
	model, err := Open()
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	ctx := context.Background()
	session := model.NewSession()
	if err := session.Prefill(ctx, []int{0, 0, 0}); err != nil {
		log.Fatal(err)
	}
	var file bytes.Buffer
	if err := session.Save(&file); err != nil {
		log.Fatal(err)
	}
	restored := model.NewSession()
	if err := restored.Restore(&file); err != nil {
		log.Fatal(err)
	}
	fork := session.Fork()
	for _, s := range []*Session{session, restored, fork} {
		if err := s.Step(ctx, 0); err != nil {
			log.Fatal(err)
		}
	}
	same := session.Logits()[0] == restored.Logits()[0] && session.Logits()[0] == fork.Logits()[0]
	fmt.Println(restored.Position(), "ids read, the same again:", same)
	// Output: 4 ids read, the same again: true
}
`

// examples emits the package's examples. They run where the payload is part of
// it; elsewhere they are only compiled, for a payload may not be at hand.
func (a *API) examples() ([]byte, error) {
	text := strings.NewReplacer("HEADER", a.Header, "NAME", a.Name).Replace(examplesText)
	if !a.Embed {
		text = withoutOutputs(text)
	}
	return format.Source([]byte(text))
}

// withoutOutputs drops the comments that make examples run.
func withoutOutputs(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(strings.TrimSpace(line), "// Output:") {
			b.WriteString(line)
		}
	}
	return b.String()
}
