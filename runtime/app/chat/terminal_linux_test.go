package chat

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/mambac/mambac/runtime/terminal"
)

// openPair is a terminal, and who sits at it.
func openPair(t *testing.T) (user, device *os.File) {
	t.Helper()
	user, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { user.Close() })
	var number, unlock uint32
	for request, argument := range map[uintptr]*uint32{syscall.TIOCSPTLCK: &unlock, syscall.TIOCGPTN: &number} {
		if _, _, err := syscall.Syscall(syscall.SYS_IOCTL, user.Fd(), request, uintptr(unsafe.Pointer(argument))); err != 0 {
			t.Fatal(err)
		}
	}
	device, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { device.Close() })
	return user, device
}

// TestTerminal converses at a terminal.
func TestTerminal(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	t.Setenv("TERM", "xterm")
	user, device := openPair(t)
	s := session(t, device, turns)
	s.Out, s.Terminal = device, true
	ended := make(chan error, 1)
	go func() { ended <- Command.Run(s, []string{"--threads", "1"}) }()
	seen := ""
	until := func(what string) {
		t.Helper()
		b := make([]byte, 4096)
		for !strings.Contains(seen, what) {
			n, err := user.Read(b)
			if seen += string(b[:n]); err != nil {
				t.Fatalf("%v behind %q", err, seen)
			}
		}
	}
	until(terminal.PasteOn)
	for _, keys := range []string{"hx\x7fi\r", "\x04"} { // the second are drawn behind the answer
		if _, err := user.WriteString(keys); err != nil {
			t.Fatal(err)
		}
	}
	until(terminal.PasteOff)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if !strings.Contains(seen, "> hi\r") || !strings.Contains(seen, "\n"+answered+"\r\n") {
		t.Errorf("it shows %q", seen)
	}
}
