//go:build unix

package gobuild

import (
	"os/exec"
	"syscall"
)

// group makes a cancelled build end with all the processes it started.
func group(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
