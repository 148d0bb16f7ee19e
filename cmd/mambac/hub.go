package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// repository is org/name or org/name@revision of a model.
var repository = regexp.MustCompile(`^([\w.-]+)/([\w.-]+)(?:@([\w.-]+))?$`)

// locate turns the CHECKPOINT argument into a path and a name: itself if it is
// there, else the snapshot of org/name in the local Hugging Face cache.
func locate(checkpoint string) (path, name string, err error) {
	st, err := os.Stat(checkpoint)
	if err == nil {
		return checkpoint, nameOf(checkpoint, st.IsDir()), nil
	}
	m := repository.FindStringSubmatch(checkpoint)
	if m == nil || !errors.Is(err, fs.ErrNotExist) || strings.Contains(checkpoint, "..") {
		return "", "", err
	}
	hub, err := hubFolder()
	if err != nil {
		return "", "", fmt.Errorf("%s: no such file or folder", checkpoint)
	}
	path, err = snapshot(checkpoint, filepath.Join(hub, "models--"+m[1]+"--"+m[2]), m[3])
	return path, m[2], err
}

// nameOf names a model after the folder of its checkpoint.
func nameOf(path string, folder bool) string {
	whole, err := filepath.Abs(path)
	if err != nil {
		return "model"
	}
	if !folder {
		whole = filepath.Dir(whole)
	}
	return filepath.Base(whole)
}

// hubFolder is where Hugging Face's tools keep what they download.
func hubFolder() (string, error) {
	for _, variable := range []string{"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"} {
		if dir := os.Getenv(variable); dir != "" {
			return dir, nil
		}
	}
	if dir := os.Getenv("HF_HOME"); dir != "" {
		return filepath.Join(dir, "hub"), nil
	}
	if dir := os.Getenv("XDG_CACHE_HOME"); dir != "" {
		return filepath.Join(dir, "huggingface", "hub"), nil
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, ".cache", "huggingface", "hub"), err
}

// snapshot finds a revision ("" is main) in the cache of one model: a branch
// is a file below refs that holds the name of its folder.
func snapshot(checkpoint, model, revision string) (string, error) {
	if st, err := os.Stat(model); err != nil || !st.IsDir() {
		return "", fmt.Errorf("%s: no such file or folder, and not in the Hugging Face cache (%s); the network is never used, download it first", checkpoint, filepath.Dir(model))
	}
	if revision == "" {
		revision = "main"
	}
	folder := revision
	if ref, err := os.ReadFile(filepath.Join(model, "refs", revision)); err == nil {
		folder = strings.TrimSpace(string(ref))
	}
	if folder == "" || folder != filepath.Base(folder) {
		return "", fmt.Errorf("%s: %s names no snapshot", checkpoint, filepath.Join(model, "refs", revision))
	}
	path := filepath.Join(model, "snapshots", folder)
	if st, err := os.Stat(path); err != nil || !st.IsDir() {
		return "", fmt.Errorf("%s: revision %s is not in the Hugging Face cache (%s)", checkpoint, revision, model)
	}
	return path, nil
}
