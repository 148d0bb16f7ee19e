//go:build unix

package prefix

import (
	"os"
	"strings"
	"testing"
)

// TestOpenFolders: a folder that others may read or change is refused with the
// remedy, and stays as it is.
func TestOpenFolders(t *testing.T) {
	folder := t.TempDir()
	for mode, open := range map[os.FileMode]bool{0o700: false, 0o500: false, 0o750: true, 0o705: true, 0o710: true, 0o777: true} {
		if err := os.Chmod(folder, mode); err != nil {
			t.Fatal(err)
		}
		_, err := OpenSpill(folder, 1, nil)
		if open != (err != nil && strings.Contains(err.Error(), "chmod 700 "+folder)) || !open && err != nil {
			t.Errorf("mode %v: %v", mode, err)
		}
		if st, err := os.Stat(folder); err != nil || st.Mode().Perm() != mode {
			t.Errorf("mode %v has become %v, %v", mode, st.Mode(), err)
		}
	}
}
