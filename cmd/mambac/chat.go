package main

import (
	"slices"

	"github.com/mambac/mambac/codegen/template"
	"github.com/mambac/mambac/importer"
)

// conversing are the features that write conversations, and so have a program
// hold the checkpoint's chat templates.
var conversing = []string{"serve", "chat"}

// chatOf is the chat templates for a program with some features.
func chatOf(c importer.Chat, features []string) template.Set {
	if !slices.ContainsFunc(features, func(name string) bool { return slices.Contains(conversing, name) }) {
		return template.Set{}
	}
	set := template.Set{Tokens: c.Tokens}
	for _, t := range c.Templates {
		set.Templates = append(set.Templates, template.Template{Name: t.Name, Text: t.Text})
	}
	return set
}

// chatNames lists the chat templates of a checkpoint.
func chatNames(c importer.Chat) []string {
	var names []string
	for _, t := range c.Templates {
		names = append(names, t.Name)
	}
	return names
}
