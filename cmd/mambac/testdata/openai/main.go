// Command openai is a user of the official client, unchanged: it asks a server
// whose address is its only argument, and prints what it is told, for
// TestOfficialClient.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
)

const prompt = "func main() {\n"

func main() {
	client := openai.NewClient(option.WithBaseURL(os.Args[1]+"/v1"), option.WithAPIKey("secret"), option.WithMaxRetries(0))
	for _, step := range []func(context.Context, *openai.Client) error{models, completion, completionStream, scored, chat, chatStream, failures, simple} {
		if err := step(context.Background(), &client); err != nil {
			fmt.Fprintln(os.Stderr, "error:", err)
			os.Exit(1)
		}
	}
}

// simple is the code of the README.
func simple(ctx context.Context, _ *openai.Client) error {
	err := stream(ctx, os.Args[1], "secret", prompt)
	fmt.Println()
	return err
}

// name is what the server calls its model.
var name string

func models(ctx context.Context, c *openai.Client) error {
	list, err := c.Models.List(ctx)
	if err != nil {
		return err
	}
	name = list.Data[0].ID
	one, err := c.Models.Get(ctx, name)
	if err != nil {
		return err
	}
	fmt.Println("model", one.ID)
	return nil
}

func greedy(tokens int64) openai.CompletionNewParams {
	return openai.CompletionNewParams{
		Model: openai.CompletionNewParamsModel(name), MaxTokens: openai.Int(tokens), Temperature: openai.Float(0),
		Prompt: openai.CompletionNewParamsPromptUnion{OfString: openai.String(prompt)},
	}
}

func completion(ctx context.Context, c *openai.Client) error {
	p := greedy(24)
	p.N = openai.Int(2)
	p.Echo = openai.Bool(true)
	r, err := c.Completions.New(ctx, p)
	if err != nil {
		return err
	}
	for _, choice := range r.Choices {
		fmt.Printf("completion %d %q %s\n", choice.Index, strings.TrimPrefix(choice.Text, prompt), choice.FinishReason)
	}
	fmt.Println("usage", r.Usage.CompletionTokens, r.Usage.TotalTokens-r.Usage.PromptTokens)
	return nil
}

func completionStream(ctx context.Context, c *openai.Client) error {
	p := greedy(24)
	p.StreamOptions = openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)}
	s := c.Completions.NewStreaming(ctx, p)
	defer s.Close()
	text, end, used := "", "", int64(0)
	for s.Next() {
		r := s.Current()
		for _, choice := range r.Choices {
			text += choice.Text
			end += string(choice.FinishReason)
		}
		used += r.Usage.CompletionTokens
	}
	fmt.Printf("stream %q %s %d\n", text, end, used)
	return s.Err()
}

func scored(ctx context.Context, c *openai.Client) error {
	p := greedy(24)
	p.Logprobs = openai.Int(3)
	p.Stop = openai.CompletionNewParamsStopUnion{OfStringArray: []string{"\n"}}
	r, err := c.Completions.New(ctx, p)
	if err != nil {
		return err
	}
	l := r.Choices[0].Logprobs
	fmt.Printf("scored %q %s %v %v\n", r.Choices[0].Text, r.Choices[0].FinishReason,
		strings.Join(l.Tokens, "") == r.Choices[0].Text, len(l.TopLogprobs) == len(l.Tokens))
	return nil
}

func conversation() openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{
		Model: openai.ChatModel(name), MaxCompletionTokens: openai.Int(24), Temperature: openai.Float(0),
		Logprobs: openai.Bool(true), TopLogprobs: openai.Int(2),
		Messages: []openai.ChatCompletionMessageParamUnion{openai.SystemMessage("x"), openai.UserMessage(prompt)},
	}
}

func chat(ctx context.Context, c *openai.Client) error {
	p := conversation()
	p.Seed = openai.Int(1)
	r, err := c.Chat.Completions.New(ctx, p)
	if err != nil {
		return err
	}
	choice := r.Choices[0]
	fmt.Printf("chat %s %q %s %d %d\n", choice.Message.Role, choice.Message.Content, choice.FinishReason,
		len(choice.Logprobs.Content), len(choice.Logprobs.Content[0].TopLogprobs))
	return nil
}

func chatStream(ctx context.Context, c *openai.Client) error {
	s := c.Chat.Completions.NewStreaming(ctx, conversation())
	defer s.Close()
	var all openai.ChatCompletionAccumulator
	for s.Next() {
		if !all.AddChunk(s.Current()) {
			return errors.New("the chunks do not fit")
		}
	}
	if err := s.Err(); err != nil {
		return err
	}
	fmt.Printf("chat stream %s %q %s\n", all.Choices[0].Message.Role, all.Choices[0].Message.Content, all.Choices[0].FinishReason)
	return nil
}

// failures prints what the client makes of errors.
func failures(ctx context.Context, c *openai.Client) error {
	p := greedy(1)
	p.Model = "gpt-4"
	q := greedy(1)
	q.Temperature = param.NewOpt(-1.0)
	for _, p := range []openai.CompletionNewParams{p, q} {
		_, err := c.Completions.New(ctx, p)
		var told *openai.Error
		if !errors.As(err, &told) {
			return fmt.Errorf("no error of the API: %w", err)
		}
		fmt.Println("failure", told.StatusCode, told.Type, told.Code, told.Message)
	}
	locked := openai.NewClient(option.WithBaseURL(os.Args[1]+"/v1"), option.WithAPIKey("wrong"), option.WithMaxRetries(0))
	_, err := locked.Models.List(ctx)
	var told *openai.Error
	if !errors.As(err, &told) {
		return fmt.Errorf("no error of the API: %w", err)
	}
	fmt.Println("failure", told.StatusCode, told.Type, told.Code)
	return nil
}
