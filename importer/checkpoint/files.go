package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// indexExt ends the names of index files.
const indexExt = ".json"

// weightNames are the files that hold weights, the preferred one first.
var weightNames = []string{
	"model.safetensors", "model.safetensors.index.json",
	"pytorch_model.bin", "pytorch_model.bin.index.json",
}

// locate finds the file of weights, or of their index, that path stands for.
func locate(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", plain(err)
	}
	if !info.IsDir() {
		return path, checkName(path)
	}
	for _, name := range weightNames {
		file := filepath.Join(path, name)
		_, err := os.Stat(file)
		if err == nil {
			return file, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", plain(err)
		}
	}
	return "", fmt.Errorf("%s: no weights in this folder; looked for %s", printable(path), strings.Join(weightNames, ", "))
}

// checkName accepts files that a user may name instead of their folder.
func checkName(path string) error {
	for _, end := range []string{".safetensors", ".bin", ".pt", ".pth", ".safetensors.index.json", ".bin.index.json"} {
		if strings.HasSuffix(path, end) {
			return nil
		}
	}
	return fmt.Errorf("%s: not a checkpoint; want a folder, or a file ending in .safetensors or .bin", printable(path))
}

// openRegular opens a file and tells its size. Pipes and devices are refused
// before they can block.
func openRegular(path string) (*os.File, int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0, plain(err)
	}
	if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s: not a regular file", printable(path))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, plain(err)
	}
	return f, info.Size(), nil
}

// readText reads a small file whole.
func readText(path string) ([]byte, error) {
	f, size, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size > maxText {
		return nil, fmt.Errorf("%s: %d bytes, want at most %d", printable(path), size, maxText)
	}
	text := make([]byte, size)
	if _, err := io.ReadFull(f, text); err != nil {
		return nil, fmt.Errorf("%s: %w", printable(path), err)
	}
	return text, nil
}

// plain turns "stat PATH: reason" into "PATH: reason".
func plain(err error) error {
	var e *fs.PathError
	if errors.As(err, &e) {
		return fmt.Errorf("%s: %w", printable(e.Path), e.Err)
	}
	return err
}

// printable makes any string from a checkpoint fit for one line of an error.
func printable(s string) string {
	const most = 200
	tail := ""
	if len(s) > most {
		s, tail = s[:most], "…"
	}
	if q := strconv.Quote(s); q[1:len(q)-1] != s || s == "" {
		return q + tail
	}
	return s + tail
}

// oneLine is the text of an error that may quote its input at any length.
func oneLine(err error) string {
	const most = 300
	s := err.Error()
	return strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return '?'
		}
		return r
	}, s[:min(len(s), most)])
}
