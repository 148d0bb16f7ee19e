package disktest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// env names the test that a process is for.
const env = "DISKTEST"

// Full reports whether an error is that of a disk without room.
func Full(err error) bool { return errors.Is(err, syscall.ENOSPC) }

// missing begins what a process says that gets no disk.
const missing = "disktest: no disk: "

// Run runs a test in a process of its own, which alone sees a disk of so many bytes. It
// is skipped where the system allows none.
func Run(t *testing.T, bytes int, test func(t *testing.T, d *Disk)) {
	if os.Getenv(env) != t.Name() {
		again(t)
		return
	}
	d := &Disk{t.TempDir(), t}
	if err := syscall.Mount("tmpfs", d.Folder, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", bytes)); err != nil {
		t.Fatal(missing, err)
	}
	defer func() {
		if err := syscall.Unmount(d.Folder, 0); err != nil {
			t.Error(err)
		}
	}()
	test(t, d)
}

// again runs the calling test in a process that may mount what nobody else sees.
func again(t *testing.T) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1")
	cmd.Env = append(os.Environ(), env+"="+t.Name())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Skipf("%v: %v", errNone, err)
	}
	err := cmd.Wait()
	switch {
	case strings.Contains(out.String(), missing):
		t.Skipf("%v: %s", errNone, out.String())
	case err != nil:
		t.Fatalf("%v\n%s", err, out.String())
	}
}
