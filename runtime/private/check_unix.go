//go:build unix

package private

import (
	"fmt"
	"io/fs"
)

// Check refuses a folder or a file that others than its owner may read or change.
func Check(path string, st fs.FileInfo) error {
	perm, mode := st.Mode().Perm(), "600"
	if perm&0o077 == 0 {
		return nil
	}
	if st.IsDir() {
		mode = "700"
	}
	return fmt.Errorf("%s: is open to others (mode %#o), and states tell of what was read; chmod %s %s", path, perm, mode, path)
}
