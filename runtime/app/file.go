package app

import (
	"bufio"
	"fmt"
	"io"
	"os"
)

// WriteFile makes a file appear whole or not at all: it is written under
// another name beside its place and renamed. A device or a pipe is written as
// it is, for a rename would put a file in its place.
func WriteFile(path string, write func(io.Writer) error) error {
	if st, err := os.Stat(path); err == nil && st.IsDir() {
		return fmt.Errorf("%s: is a folder, want a name for a file", path)
	} else if err == nil && !st.Mode().IsRegular() {
		return writeThrough(path, write)
	}
	return placeFile(path, func(f *os.File) error { return fill(f, write, f.Sync) })
}

// placeFile makes a file, which make closes, under another name beside its
// place and renames it.
func placeFile(path string, make func(f *os.File) error) error {
	temporary := fmt.Sprintf("%s.%d.tmp", path, os.Getpid())
	f, err := os.OpenFile(temporary, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	if err := make(f); err != nil {
		os.Remove(temporary)
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		os.Remove(temporary)
		return err
	}
	return nil
}

// writeThrough writes what cannot be flushed to a disk.
func writeThrough(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return fill(f, write, func() error { return nil })
}

func fill(f *os.File, write func(io.Writer) error, sync func() error) error {
	b := bufio.NewWriterSize(f, 1<<16)
	err := write(b)
	if flush := b.Flush(); err == nil {
		err = flush
	}
	if synced := sync(); err == nil {
		err = synced
	}
	if shut := f.Close(); err == nil {
		err = shut
	}
	return err
}
