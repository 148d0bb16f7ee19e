//go:build unix

package prefix

import (
	"fmt"
	"os"
)

// private refuses a folder that others than its owner may read or change.
func private(folder string) error {
	st, err := os.Stat(folder)
	if err != nil {
		return err
	}
	if perm := st.Mode().Perm(); perm&0o077 != 0 {
		return fmt.Errorf("%s: is open to others (mode %#o), and states tell of what was read; chmod 700 %s", folder, perm, folder)
	}
	return nil
}
