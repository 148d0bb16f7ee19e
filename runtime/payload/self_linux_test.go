package payload

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// TestEmptyRoot runs the program where there is no /proc and nothing else.
func TestEmptyRoot(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("chroot needs root")
	}
	path := program(t)
	for _, argv0 := range []string{"/model", "nonsense"} {
		if argv0 == "nonsense" && execPath() == "" {
			continue
		}
		cmd := exec.Command("/model")
		cmd.Args[0] = argv0
		cmd.Dir = "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: filepath.Dir(path)}
		runChild(t, cmd)
	}
}
