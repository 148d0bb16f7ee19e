package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestInspectKeys: docs/inspect.md has every key of inspect --json.
func TestInspectKeys(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root(t), "docs", "inspect.md"))
	if err != nil {
		t.Fatal(err)
	}
	keys := jsonKeys(reflect.TypeFor[description]())
	if len(keys) < 30 {
		t.Fatalf("keys %v", keys)
	}
	for _, key := range keys {
		if !strings.Contains(string(text), "`"+key+"`") {
			t.Errorf("docs/inspect.md does not tell of %s", key)
		}
	}
}

// jsonKeys lists the keys of a struct and of those within it.
func jsonKeys(s reflect.Type) []string {
	var keys []string
	for i := range s.NumField() {
		f := s.Field(i)
		if key, _, _ := strings.Cut(f.Tag.Get("json"), ","); key != "" {
			keys = append(keys, key)
		}
		inner := f.Type
		if inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct && (f.IsExported() || f.Anonymous) {
			keys = append(keys, jsonKeys(inner)...)
		}
	}
	return keys
}
