package payload

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// apart writes a payload file to a folder and returns a link to it.
func apart(t *testing.T, folder, name string) *Link {
	t.Helper()
	var file bytes.Buffer
	w := NewWriter(&file, 0)
	text, _ := (&Metadata{Name: "tiny"}).Encode()
	add(t, w, MetadataSection, text)
	add(t, w, WeightsSection, []byte("weights"))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name), file.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	digest := w.Digest()
	return &Link{Path: name, Digest: hex.EncodeToString(digest[:]), Mambac: "1", Levels: []string{"generic", "v3"}}
}

// through passes a link through its text, as the linker does.
func through(t *testing.T, l *Link) *Link {
	t.Helper()
	text, err := l.Encode()
	if err != nil || strings.ContainsAny(text, " '\"\\") {
		t.Fatalf("text %q, %v", text, err)
	}
	l, err = parseLink(text)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLink(t *testing.T) {
	folder := t.TempDir()
	l := apart(t, folder, "of it's \"own\".payload")
	program := filepath.Join(folder, "model")
	p, err := through(t, l).open(program)
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := p.Section(WeightsSection); string(b) != "weights" {
		t.Errorf("section %q", b)
	}
	if m := p.Metadata(); m.Name != "tiny" || m.Mambac != "1" || !slices.Equal(m.Levels, l.Levels) {
		t.Errorf("metadata %+v", m)
	}
	if p.Program() != program {
		t.Errorf("program %q", p.Program())
	}
	p.Close()
	absolute := *l
	absolute.Path = filepath.Join(folder, l.Path)
	if p, err = through(t, &absolute).open("model"); err != nil {
		t.Fatal(err)
	}
	p.Close()
	l.Digest = strings.Repeat("0", 64)
	if _, err := l.open(program); err == nil || !strings.Contains(err.Error(), "is not the payload") {
		t.Errorf("error %v", err)
	}
	os.Remove(absolute.Path)
	if _, err := l.open(program); err == nil || !strings.Contains(err.Error(), "put it back") {
		t.Errorf("error %v", err)
	}
}

// TestOpenOwn: the linker's variable decides where the payload is.
func TestOpenOwn(t *testing.T) {
	folder := t.TempDir()
	text, err := apart(t, folder, "w").Encode()
	if err != nil {
		t.Fatal(err)
	}
	link = text
	defer func() { link = "" }()
	p, err := openOwn(filepath.Join(folder, "model"))
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
	link = "§"
	if _, err := openOwn("model"); err == nil {
		t.Error("a link of another kind is no error")
	}
}
