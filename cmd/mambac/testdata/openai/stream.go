package main

import (
	"context"
	"fmt"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

// stream prints what follows a prompt, as it comes: the code of the README.
func stream(ctx context.Context, address, key, prompt string) error {
	client := openai.NewClient(option.WithBaseURL(address+"/v1"), option.WithAPIKey(key))
	text := openai.CompletionNewParamsPromptUnion{OfString: openai.String(prompt)}
	stream := client.Completions.NewStreaming(ctx, openai.CompletionNewParams{Prompt: text, Temperature: openai.Float(0)})
	for stream.Next() {
		fmt.Print(stream.Current().Choices[0].Text)
	}
	return stream.Err()
}
