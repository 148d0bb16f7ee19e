package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// replaceFile makes a file appear whole or not at all. fill makes it at the
// path it is given, which lies in a staging folder beside the target; what it
// made is flushed to the disk and renamed. An older file is replaced.
func replaceFile(target string, fill func(path string) error) error {
	if err := requireFile(target); err != nil {
		return err
	}
	return stage(target, fill)
}

// renewFile is replaceFile that leaves an equal file as it is.
func renewFile(target string, fill func(path string) error) error {
	if err := requireFile(target); err != nil {
		return err
	}
	return renew(target, func(path string) (string, error) { return target, fill(path) })
}

// requireFile fails where a name is taken by what is no file.
func requireFile(target string) error {
	st, err := os.Stat(target)
	if err == nil && st.IsDir() {
		return fmt.Errorf("%s: is a folder, want a name for a file", target)
	}
	if err == nil && !st.Mode().IsRegular() { // a device would become a file
		return fmt.Errorf("%s: is no regular file, want a name for one", target)
	}
	return nil
}

// replaceFolder is replaceFile for a folder, which must be new or empty.
func replaceFolder(target string, fill func(path string) error) error {
	entries, err := os.ReadDir(target)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: is no folder, want a new name or an empty folder", target)
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s: is a folder with %d entries, want a new name or an empty folder", target, len(entries))
	}
	return stage(target, fill)
}

func stage(target string, fill func(path string) error) error {
	whole, err := filepath.Abs(target) // "." has a name too
	if err != nil {
		return err
	}
	return staged(target, func(folder string) error {
		path := filepath.Join(folder, filepath.Base(whole))
		if err := fill(path); err != nil {
			return err
		}
		if err := flushTree(path); err != nil {
			return err
		}
		return move(path, whole)
	})
}

// staged gives fill a folder beside the target, which is gone when it returns.
func staged(target string, fill func(folder string) error) (err error) {
	whole, err := filepath.Abs(target)
	if err != nil {
		return err
	}
	parent, base := filepath.Split(whole)
	if st, err := os.Stat(parent); err != nil || !st.IsDir() {
		return fmt.Errorf("%s: there is no folder %s; make it first", target, filepath.Dir(target))
	}
	folder, err := os.MkdirTemp(parent, "."+base+".*.tmp")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	return fill(folder)
}

// move renames; an empty folder makes room, which not every system does by
// itself.
func move(path, target string) error {
	if st, err := os.Stat(target); err == nil && st.IsDir() {
		if err := os.Remove(target); err != nil {
			return err
		}
	}
	if err := os.Rename(path, target); err != nil {
		return err
	}
	return flush(filepath.Dir(target))
}

// moveAll renames the files of one folder into another.
func moveAll(from, to string, entries []fs.DirEntry, old map[string]bool) error {
	made, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !old[e.Name()] && contains(made, e.Name()) {
			return fmt.Errorf("%s: was not made by mambac generate; move it or choose another folder", filepath.Join(to, e.Name()))
		}
	}
	for _, e := range made {
		if err := moveIfNew(filepath.Join(from, e.Name()), filepath.Join(to, e.Name())); err != nil {
			return err
		}
	}
	for name := range old {
		if contains(entries, name) && !contains(made, name) {
			if err := os.Remove(filepath.Join(to, name)); err != nil {
				return err
			}
		}
	}
	return flush(to)
}

// moveIfNew renames a file unless the target is equal: build caches and
// editors go by the time of the last change.
func moveIfNew(path, target string) error {
	same, err := sameBytes(path, target)
	if same || err != nil {
		return err
	}
	if err := flush(path); err != nil {
		return err
	}
	return os.Rename(path, target)
}

// sameBytes reports whether two files are equal; one may be absent.
func sameBytes(path, other string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	g, err := os.Open(other)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer g.Close()
	a, b := make([]byte, 1<<16), make([]byte, 1<<16)
	for {
		n, err := io.ReadFull(f, a)
		m, otherErr := io.ReadFull(g, b)
		switch {
		case !bytes.Equal(a[:n], b[:m]):
			return false, nil
		case err == nil && otherErr == nil:
		case isEnd(err) && isEnd(otherErr):
			return true, nil
		default:
			return false, errors.Join(err, otherErr)
		}
	}
}

func isEnd(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// replaceNamed is renewFile for a file in a folder whose name is known only when
// it has been made.
func replaceNamed(folder string, fill func(path string) (target string, err error)) error {
	return renew(filepath.Join(folder, "new"), fill)
}

// renew has a file made in a staging folder beside a path and moves it to the
// target that fill names, unless that is equal.
func renew(beside string, fill func(path string) (target string, err error)) error {
	return staged(beside, func(staging string) error {
		path := filepath.Join(staging, "new")
		target, err := fill(path)
		if err != nil {
			return err
		}
		return moveIfNew(path, target)
	})
}

func contains(entries []fs.DirEntry, name string) bool {
	for _, e := range entries {
		if e.Name() == name {
			return true
		}
	}
	return false
}

// flushTree flushes a file, or a folder and all that is in it.
func flushTree(path string) error {
	return filepath.WalkDir(path, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return flush(path)
	})
}

// flush brings a file to the disk. Folders cannot be flushed everywhere, and
// all that is lost with a folder's entry is the new name: best effort.
func flush(path string) error {
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	if st.IsDir() {
		if f, err := os.Open(path); err == nil {
			_ = f.Sync()
			return f.Close()
		}
		return nil
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// create opens a new file below a staging path for streaming. Writes fail
// when ctx ends, and tell meter how many bytes there are so far.
func create(ctx context.Context, path string, meter func(written int64)) (io.WriteCloser, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, err
	}
	return newStreamed(ctx, f, 0, meter), nil
}

// extend opens an existing file below a staging path to append to it; size is
// its length.
func extend(ctx context.Context, path string) (w io.WriteCloser, size int64, err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return nil, 0, err
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return newStreamed(ctx, f, st.Size(), nil), st.Size(), nil
}

// streamed is a buffered file that minds a context.
type streamed struct {
	ctx    context.Context
	file   *os.File
	b      blocks
	n      int64
	meter  func(int64)
	failed bool // and whoever wrote was told
}

// newStreamed writes to a file from its size on.
func newStreamed(ctx context.Context, f *os.File, size int64, meter func(int64)) *streamed {
	return &streamed{ctx: ctx, file: f, b: blocks{w: f, at: size}, meter: meter}
}

func (s *streamed) Write(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := s.b.Write(p)
	s.failed = err != nil
	if s.n += int64(n); s.meter != nil {
		s.meter(s.n)
	}
	return n, err
}

// Skip leaves a hole of n bytes, which the file is long by at once.
func (s *streamed) Skip(n int64) error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	err := s.b.Flush()
	if err == nil {
		_, err = s.file.Seek(n, io.SeekCurrent)
	}
	if err == nil {
		s.b.at += n
		err = s.file.Truncate(s.b.at)
	}
	s.failed = err != nil
	return err
}

func (s *streamed) Close() error {
	if s.failed { // the buffer would repeat its error
		return s.file.Close()
	}
	return errors.Join(s.b.Flush(), s.file.Close())
}

// creator makes the files of a folder below a staging path, or the path itself
// for the name "", and tells set how many bytes all of them have.
func creator(ctx context.Context, path string, set func(int64)) func(name string) (io.WriteCloser, error) {
	before, written := int64(0), int64(0)
	return func(name string) (io.WriteCloser, error) {
		before, written = before+written, 0
		return create(ctx, filepath.Join(path, name), func(n int64) {
			written = n
			set(before + written)
		})
	}
}

// makeFolders makes a folder of the user's cache, or what a package lies in.
func makeFolders(path string) error { return os.MkdirAll(path, 0o777) }

// makeFolder makes a folder at a staging path.
func makeFolder(path string) error { return os.Mkdir(path, 0o777) }

// readable gives the files below a staging path, which a library has made, the
// mode of all others.
func readable(folder string) error {
	return filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return os.Chmod(path, 0o644)
	})
}

// newFile makes one small file below a staging path.
func newFile(path string, data []byte) error {
	return newStream(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// newStream makes one small file as it is written.
func newStream(path string, fill func(w io.Writer) error) error {
	w, err := create(context.Background(), path, nil)
	if err != nil {
		return err
	}
	return errors.Join(fill(w), w.Close())
}

// writeFile replaces one small file.
func writeFile(target string, data []byte) error {
	return replaceFile(target, func(path string) error { return os.WriteFile(path, data, 0o666) })
}

// scratch gives fill a temporary folder, which is gone when it returns.
func scratch(fill func(folder string) error) (err error) {
	folder, remove, err := temporary()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	return fill(folder)
}

// temporary makes a temporary folder, for more than one function.
func temporary() (folder string, remove func() error, err error) {
	folder, err = os.MkdirTemp("", "mambac-")
	return folder, func() error { return os.RemoveAll(folder) }, err
}

// removeFile removes what is not needed any more of a temporary folder.
func removeFile(path string) error { return os.Remove(path) }

// requireSpace fails when the disk that will hold target has no room for so
// many bytes.
func requireSpace(target string, bytes int64) error {
	folder := filepath.Dir(filepath.Clean(target))
	free, ok := freeSpace(folder)
	if ok && free < bytes {
		return fmt.Errorf("%s: needs %s, have %s free in %s; free some or choose another disk", target, formatBytes(bytes), formatBytes(free), folder)
	}
	return nil
}

// formatBytes is a size for reading.
func formatBytes(n int64) string {
	const unit = 1024
	switch {
	case n < unit:
		return fmt.Sprintf("%d B", n)
	case n < unit*unit:
		return fmt.Sprintf("%.1f KiB", float64(n)/unit)
	case n < unit*unit*unit:
		return fmt.Sprintf("%.1f MiB", float64(n)/(unit*unit))
	}
	return fmt.Sprintf("%.2f GiB", float64(n)/(unit*unit*unit))
}
