// Package private keeps folders and files their owner's alone, as those must be that
// tell of what somebody has read; it sees nothing of ours.
package private

import "os"

// Folder makes a folder for its owner alone, or proves that there is such a one.
func Folder(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	return Check(path, st)
}
