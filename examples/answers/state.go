package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/mambac/mambac/examples/answers/gomamba"
)

// openState is a session that has read a source: restored from the file that
// an earlier run has made, or read now and saved for later ones. The file is
// named by what the source holds, so that an edited one gets another.
func openState(ctx context.Context, model *gomamba.Model, source, states string) (*gomamba.Session, error) {
	text, err := os.ReadFile(source)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(states, fmt.Sprintf("%.16x.state", sha256.Sum256(text)))
	session := model.NewSession()
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return session, readAndSave(ctx, model, session, string(text), path)
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if err := session.Restore(file); err != nil {
		return nil, fmt.Errorf("%s: %w; delete it, and it will be made again", path, err)
	}
	return session, nil
}

func readAndSave(ctx context.Context, model *gomamba.Model, session *gomamba.Session, text, path string) error {
	ids, err := model.Prompt(text)
	if err != nil {
		return err
	}
	if err := session.Prefill(ctx, ids); err != nil {
		return err
	}
	var file bytes.Buffer
	if err := session.Save(&file); err != nil {
		return err
	}
	return writeWhole(path, file.Bytes())
}

// writeWhole makes a file appear whole or not at all: another program may be
// looking for it.
func writeWhole(path string, data []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}
