package chat

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/mambac/mambac/runtime/atomicfile"
)

// Bounds of what is kept across runs.
const (
	mostLines = 1000
	mostBytes = 1 << 20
	mostLine  = 64 << 10 // bytes; a longer one is not kept
)

// history is the lines that were typed, in a file that its user alone can read.
type history struct {
	path  string
	lines []string
}

// historyPath is where the lines of all models are.
func historyPath() (string, error) {
	folder := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(folder) {
		var err error
		switch runtime.GOOS {
		case "windows":
			folder, err = os.UserCacheDir() // of this machine, not to be taken along
		case "darwin":
			folder, err = os.UserConfigDir()
		default:
			folder, err = os.UserHomeDir()
			folder = filepath.Join(folder, ".local", "state")
		}
		if err != nil {
			return "", err
		}
	}
	return filepath.Join(folder, "mambac", "chat-history"), nil
}

// openHistory reads what there is, and makes it shorter if it has grown long.
func openHistory(path string) (*history, error) {
	h := &history{path: path}
	text, err := tail(path, 2*mostBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return h, nil
	}
	if err != nil {
		return nil, err
	}
	for line := range bytes.Lines(text) {
		if s, err := strconv.Unquote(strings.TrimSpace(string(line))); err == nil {
			h.lines = append(h.lines, s)
		}
	}
	if kept := bounded(h.lines); len(kept) < len(h.lines) {
		h.lines = kept
		return h, h.rewrite()
	}
	return h, nil
}

// tail is the last bytes of a file.
func tail(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if st.Size() > most {
		if _, err := f.Seek(-most, io.SeekEnd); err != nil {
			return nil, err
		}
	}
	return io.ReadAll(io.LimitReader(f, most))
}

// bounded is the last lines, as many as are kept.
func bounded(lines []string) []string {
	size := 0
	for i, line := range slices.Backward(lines) {
		if size += len(line); size > mostBytes/2 || len(lines)-i > mostLines {
			return lines[i+1:]
		}
	}
	return lines
}

// private is the mode of what its user alone may read.
const private = 0o600

func (h *history) rewrite() error {
	return atomicfile.Write(h.path, private, func(w io.Writer) error {
		for _, line := range h.lines {
			if _, err := fmt.Fprintln(w, strconv.Quote(line)); err != nil {
				return err
			}
		}
		return nil
	})
}

// add keeps a line. Other programs may add theirs at the same time.
func (h *history) add(line string) error {
	if len(line) > mostLine {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(h.path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(h.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, private)
	if err != nil {
		return err
	}
	if err = narrow(f); err == nil {
		_, err = fmt.Fprintln(f, strconv.Quote(line))
	}
	return errors.Join(err, f.Close())
}

// narrow has nobody but its user read a file, whatever its mode has been. What is no
// file, as a link to /dev/null leads to, is not the user's to change, and Windows has no
// such modes.
func narrow(f *os.File) error {
	st, err := f.Stat()
	if err != nil || runtime.GOOS == "windows" || !st.Mode().IsRegular() || st.Mode().Perm()&0o077 == 0 {
		return err
	}
	return f.Chmod(private)
}
