//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package atomicfile

import "os"

func hold(*os.File) {}

// rename closes the file first: Windows moves no open ones.
func rename(f *os.File, path string) error {
	if err := f.Close(); err != nil {
		return err
	}
	return move(f, path)
}

// removeAbandoned leaves the file: nothing tells here whether its writer lives.
func removeAbandoned(string) {}
