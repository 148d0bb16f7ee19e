// Package atomicfile makes files appear whole or not at all, whatever happens to
// whoever writes them; it sees nothing of ours.
package atomicfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// prefix and suffix are those of files that are being written.
const (
	prefix = ".mambac-"
	suffix = ".tmp"
)

// Write makes a file that is found under its name when it is whole and on the
// disk, and replaces an older one. It is written under another name in the same
// folder; what killed writers have left there is removed. Nobody may do more with
// it than with the older one, and a link stays one: what it leads to is replaced. A
// device or a pipe is written as it is, for a new name would put a file in its place.
func Write(path string, mode fs.FileMode, write func(io.Writer) error) error {
	st, err := os.Stat(path)
	switch {
	case err != nil: // there is none, or Place will tell
	case st.IsDir():
		return fmt.Errorf("%s: is a folder, want a name for a file", path)
	case !st.Mode().IsRegular():
		return writeThrough(path, write)
	default:
		mode &= st.Mode().Perm()
		if target, err := filepath.EvalSymlinks(path); err == nil {
			path = target
		}
	}
	return Place(path, mode, func(f *os.File) error { return buffered(f, write) })
}

// Place is Write for what is not written from the beginning to the end.
func Place(path string, mode fs.FileMode, fill func(f *os.File) error) (err error) {
	folder := filepath.Dir(path)
	Clean(folder)
	f, err := create(folder, mode)
	if err != nil {
		return named(err, path)
	}
	placed := false
	defer func() {
		if !placed {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err := fill(f); err != nil {
		return named(err, path)
	}
	if err := f.Sync(); err != nil {
		return named(err, path)
	}
	if err := rename(f, path); err != nil {
		return named(err, path)
	}
	placed = true
	flush(folder)
	return nil
}

// named is an error of the file that the user knows of.
func named(err error, path string) error {
	var of *fs.PathError
	if errors.As(err, &of) && Unfinished(filepath.Base(of.Path)) {
		return &fs.PathError{Op: of.Op, Path: path, Err: of.Err}
	}
	var moved *os.LinkError
	if errors.As(err, &moved) {
		return &fs.PathError{Op: moved.Op, Path: path, Err: moved.Err}
	}
	return err
}

// Remove removes a file.
func Remove(path string) error {
	err := os.Remove(path)
	flush(filepath.Dir(path))
	return err
}

// Clean removes what killed writers have left in a folder. What a living one is
// about to write stays, and what nobody may look at.
func Clean(folder string) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return
	}
	for _, e := range entries {
		if Unfinished(e.Name()) && e.Type().IsRegular() {
			removeAbandoned(filepath.Join(folder, e.Name()))
		}
	}
}

// Unfinished reports whether a file of that name is not yet what it is to be.
func Unfinished(name string) bool {
	return strings.HasPrefix(name, prefix) && strings.HasSuffix(name, suffix)
}

// create makes a file that Clean does not remove.
func create(folder string, mode fs.FileMode) (*os.File, error) {
	for {
		path := filepath.Join(folder, fmt.Sprintf("%s%016x%s", prefix, rand.Uint64(), suffix))
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if hold(f); there(f) {
			return f, nil
		}
		f.Close() // it was taken for abandoned before it was held
	}
}

func move(f *os.File, path string) error { return os.Rename(f.Name(), path) }

// there reports whether the file is still found under its name.
func there(f *os.File) bool {
	st, err := f.Stat()
	if err != nil {
		return false
	}
	found, err := os.Lstat(f.Name())
	return err == nil && os.SameFile(st, found)
}

// flush brings a folder's names to the disk. Not every system can, and all that is
// lost is the newest name: best effort.
func flush(folder string) {
	if f, err := os.Open(folder); err == nil {
		_ = f.Sync()
		f.Close()
	}
}

// writeThrough writes what cannot be flushed to a disk.
func writeThrough(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	err = buffered(f, write)
	if shut := f.Close(); err == nil {
		err = shut
	}
	return err
}

func buffered(w io.Writer, write func(io.Writer) error) error {
	b := bufio.NewWriterSize(w, 1<<16)
	if err := write(b); err != nil {
		return err
	}
	return b.Flush()
}
