// Package page_test holds the examples of docs/api.md.
package page_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"example.com/program/gomamba"
	"example.com/program/small"
)

var ctx = context.Background()

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func Example_open() {
	model, err := gomamba.Open(gomamba.Threads(2))
	check(err)
	defer model.Close()

	fmt.Println(model.Vocabulary(), "logits,", model.Threads(), "threads,", model.StateBytes()>>10, "KiB a session")
	// Output: 4096 logits, 2 threads, 313 KiB a session
}

func Example_payload() {
	model, err := small.Open(small.PayloadFile("../small.payload"))
	check(err)
	check(model.Close())

	model, err = small.Open(small.PayloadFS(os.DirFS(".."), "small.payload"))
	check(err)
	check(model.Close())

	file, err := os.ReadFile("../small.payload")
	check(err)
	model, err = small.Open(small.PayloadReader(bytes.NewReader(file), int64(len(file))))
	check(err)
	check(model.Close())
	// Output:
}

func Example_generate() {
	model, err := gomamba.Open()
	check(err)
	defer model.Close()

	session := model.NewSession()
	for token, err := range session.Generate(ctx, "package main\n\nimport (\n\t\"fmt\"\n", gomamba.MaxTokens(11)) {
		check(err)
		fmt.Print(token.Text)
	}
	for token, err := range session.Generate(ctx, "", gomamba.MaxTokens(5)) { // goes on
		check(err)
		fmt.Print(token.Text)
	}
	// Output:
	// "os"
	// 	"path/filepath"
	// 	"strings"
}

func Example_sampling() {
	model, err := gomamba.Open()
	check(err)
	defer model.Close()

	generate := func(opts ...gomamba.GenerateOption) (text string) {
		for token, err := range model.NewSession().Generate(ctx, "func (r *Reader) ", opts...) {
			check(err)
			text += token.Text
		}
		return text
	}
	a := generate(gomamba.Temperature(0.8), gomamba.TopP(0.95), gomamba.Seed(7), gomamba.Stop("\n"))
	b := generate(gomamba.Temperature(0.8), gomamba.TopP(0.95), gomamba.Seed(7), gomamba.Stop("\n"))
	fmt.Println(a == b)
	// Output: true
}

func Example_steps() {
	model, err := gomamba.Open()
	check(err)
	defer model.Close()

	ids, err := model.Prompt("package main\n\nimport (\n\t\"fmt\"\n")
	check(err)
	session := model.NewSession()
	check(session.Prefill(ctx, ids))
	for range 6 {
		logits := session.Logits() // of what follows; valid until the next call
		best := slices.Index(logits, slices.Max(logits))
		text, err := model.Tokenizer().Decode([]int{best})
		check(err)
		fmt.Printf("%q ", text)
		check(session.Step(ctx, best))
	}
	fmt.Println(session.Position() == len(ids)+6)
	// Output: "\t" "\"" "os" "\"" "\n" "\t" true
}

func Example_state() {
	model, err := gomamba.Open()
	check(err)
	defer model.Close()

	session := model.NewSession()
	check(session.Prefill(ctx, []int{847, 1927, 199, 199}))
	var file bytes.Buffer
	check(session.Save(&file))

	restored := model.NewSession() // perhaps in another process, on another machine
	check(restored.Restore(&file))
	fork := session.Fork()
	for _, s := range []*gomamba.Session{restored, fork} {
		for token, err := range s.Generate(ctx, "func ", gomamba.MaxTokens(4)) {
			check(err)
			fmt.Printf("%q ", token.Text)
		}
	}
	fmt.Println(session.Position(), fork.Position())
	// Output: "Stat" "(" "name" " string" "Stat" "(" "name" " string" 4 10
}

func Example_goroutines() {
	model, err := gomamba.Open()
	check(err)
	defer model.Close()

	prompts := []string{"func min(", "type Reader struct {\n", "// Package "}
	texts := make([]string, len(prompts))
	var group sync.WaitGroup
	for i, prompt := range prompts {
		group.Go(func() {
			for token, err := range model.NewSession().Generate(ctx, prompt, gomamba.MaxTokens(16)) {
				check(err)
				texts[i] += token.Text
			}
		})
	}
	group.Wait()
	fmt.Println(slices.Contains(texts, ""))
	// Output: false
}

func Example_cancellation() {
	model, err := gomamba.Open()
	check(err)
	defer model.Close()

	ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	session := model.NewSession()
	var end error
	for _, err := range session.Generate(ctx, "package ", gomamba.MaxTokens(-1), gomamba.IgnoreEndTokens()) {
		end = err
	}
	fmt.Println(end)
	for _, err := range session.Generate(context.Background(), "", gomamba.MaxTokens(8)) { // goes on
		check(err)
	}
	// Output: context deadline exceeded
}

func Example_errors() {
	model, err := gomamba.Open()
	check(err)
	session := model.NewSession()
	for _, err := range session.Generate(ctx, "package ", gomamba.MaxTokens(1)) {
		check(err)
		fmt.Println(errors.Is(session.Step(ctx, 1), gomamba.ErrBusy))
	}
	check(model.Close())
	fmt.Println(errors.Is(session.Step(ctx, 1), gomamba.ErrClosed))
	// Output:
	// true
	// true
}

func Example_decoder() {
	model, err := gomamba.Open()
	check(err)
	defer model.Close()

	ids, err := model.Tokenizer().Encode("世界")
	check(err)
	decoder, err := model.Tokenizer().NewDecoder()
	check(err)
	var text strings.Builder
	for _, id := range ids {
		characters, err := decoder.Next(id) // "" until a character is whole
		check(err)
		text.WriteString(characters)
	}
	text.WriteString(decoder.End())
	fmt.Println(len(ids) > 2, text.String())
	// Output: true 世界
}
