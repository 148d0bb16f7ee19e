package app

import (
	"bufio"
	"fmt"
	"io"
	"os"
)

// writeFile makes a file appear whole or not at all: it is written under
// another name beside its place and renamed.
func writeFile(path string, write func(io.Writer) error) error {
	temporary := fmt.Sprintf("%s.%d.tmp", path, os.Getpid())
	f, err := os.OpenFile(temporary, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	if err := fill(f, write); err != nil {
		os.Remove(temporary)
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		os.Remove(temporary)
		return err
	}
	return nil
}

func fill(f *os.File, write func(io.Writer) error) error {
	b := bufio.NewWriterSize(f, 1<<16)
	err := write(b)
	if flush := b.Flush(); err == nil {
		err = flush
	}
	if sync := f.Sync(); err == nil {
		err = sync
	}
	if shut := f.Close(); err == nil {
		err = shut
	}
	return err
}
