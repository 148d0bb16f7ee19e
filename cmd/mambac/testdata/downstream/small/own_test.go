// A file of the program itself, in the folder of a generated package.
package small_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.com/program/small"

	"github.com/mambac/mambac/runtime/modeltest"
)

const payload = "../small.payload"

// TestPayloads opens the payload from everywhere it may lie.
func TestPayloads(t *testing.T) {
	file, err := os.Open(payload)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	st, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	nowhere := t.TempDir()
	for _, c := range []struct {
		name, listed string
		opts         []small.Option
	}{
		{"file", "", []small.Option{small.PayloadFile(payload)}},
		{"folder", "", []small.Option{small.PayloadFile("..")}},
		{"reader", "", []small.Option{small.PayloadReader(file, st.Size())}},
		{"file system", "", []small.Option{small.PayloadFS(os.DirFS(".."), "small.payload")}},
		{"listed file", payload, nil},
		{"listed folder", nowhere + string(filepath.ListSeparator) + "..", nil},
	} {
		t.Setenv("MAMBAC_PAYLOADS", c.listed)
		m, err := small.Open(c.opts...)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if err := m.Close(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestNoPayload wants to be told what is missing and what to do.
func TestNoPayload(t *testing.T) {
	t.Setenv("MAMBAC_PAYLOADS", t.TempDir())
	for name, opts := range map[string][]small.Option{"anywhere": nil, "folder": {small.PayloadFile(t.TempDir())}} {
		_, err := small.Open(opts...)
		if !errors.Is(err, small.ErrNoPayload) || !strings.Contains(err.Error(), "mambac generate small --package small --dir FOLDER --payload FILE") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := small.Open(small.PayloadReader(strings.NewReader("x"), 1<<40)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a reader that is cut off: %v", err)
	}
}

func TestNoTokenizer(t *testing.T) {
	m, err := small.Open(small.PayloadFile(payload))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if _, err := m.Tokenizer().Encode("a"); !errors.Is(err, small.ErrNoTokenizer) {
		t.Errorf("encode: %v", err)
	}
	for _, err := range m.NewSession().Generate(t.Context(), "a") {
		if !errors.Is(err, small.ErrNoTokenizer) {
			t.Errorf("generate: %v", err)
		}
	}
}

// TestManyGoroutines is what a server does.
func TestManyGoroutines(t *testing.T) {
	open := func(opts ...small.Option) (*small.Model, error) {
		return small.Open(append(opts, small.PayloadFile(payload))...)
	}
	modeltest.Storm(t, open, 8, 4)
}
