package model_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"github.com/mambac/mambac/runtime/enginetest"
	"github.com/mambac/mambac/runtime/model"
	"github.com/mambac/mambac/runtime/payload"
)

// TestPayloadsOfSeveralPackages lists the payload files of two packages in the
// environment: each takes its own.
func TestPayloadsOfSeveralPackages(t *testing.T) {
	var packages []*model.Package
	var list []string
	for _, name := range []string{"first", "second"} {
		carrier := enginetest.NewCarrier(300)
		carrier.Meta.Name = name
		var file bytes.Buffer
		if err := carrier.Write(&file, 0); err != nil {
			t.Fatal(err)
		}
		opened, err := payload.FromBytes(name, file.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		digest := opened.Digest()
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, file.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		list = append(list, path)
		packages = append(packages, &model.Package{Name: name, Compiled: enginetest.Compiled(300), Digest: hex.EncodeToString(digest[:])})
	}
	t.Setenv(model.PayloadsEnv, list[0]+string(filepath.ListSeparator)+list[1])
	for _, p := range packages {
		m, err := model.Open(p)
		if err != nil {
			t.Errorf("%s: %v", p.Name, err)
			continue
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
}
