package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestStateIsMadeOnce wants a second run to read the file of the first, and
// one with another source to make another.
func TestStateIsMadeOnce(t *testing.T) {
	m, states, path := open(t), t.TempDir(), source(t, sourceText)
	var made []byte
	for run := range 2 {
		s, err := openState(context.Background(), m, path, states)
		if err != nil {
			t.Fatal(err)
		}
		var now bytes.Buffer
		if err := s.Save(&now); err != nil {
			t.Fatal(err)
		}
		if run == 0 {
			made = now.Bytes()
		} else if !bytes.Equal(now.Bytes(), made) {
			t.Error("the second run stands elsewhere than the first")
		}
	}
	if n := len(stateFiles(t, states)); n != 1 {
		t.Errorf("%d files, want 1", n)
	}
	if _, err := openState(context.Background(), m, source(t, sourceText+"func "), states); err != nil {
		t.Fatal(err)
	}
	if n := len(stateFiles(t, states)); n != 2 {
		t.Errorf("%d files for two sources", n)
	}
}

func stateFiles(t *testing.T, folder string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestDamagedState(t *testing.T) {
	m, states, path := open(t), t.TempDir(), source(t, sourceText)
	if _, err := openState(context.Background(), m, path, states); err != nil {
		t.Fatal(err)
	}
	file := stateFiles(t, states)[0]
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(file, data, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := openState(context.Background(), m, path, states); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("a damaged state: %v", err)
	}
}

func TestInterruptedRead(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	states := t.TempDir()
	if _, err := openState(ctx, open(t), source(t, sourceText), states); err == nil || len(stateFiles(t, states)) != 0 {
		t.Errorf("an interrupted read leaves %q, error %v", stateFiles(t, states), err)
	}
}
