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

// sitting is a conversation at a terminal.
type sitting struct {
	user  *os.File // who sits there
	seen  string
	ended chan error
}

// sit begins a conversation, and waits until a line can be typed.
func sit(t *testing.T, user, device *os.File) *sitting {
	t.Helper()
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	t.Setenv("TERM", "xterm")
	s := session(t, device, turns)
	s.Out, s.Terminal = device, true
	k := &sitting{user: user, ended: make(chan error, 1)}
	go func() { k.ended <- Command.Run(s, []string{"--threads", "1"}) }()
	k.until(t, terminal.PasteOn)
	return k
}

// until waits for what is shown.
func (k *sitting) until(t *testing.T, what string) {
	t.Helper()
	b := make([]byte, 4096)
	for !strings.Contains(k.seen, what) {
		n, err := k.user.Read(b)
		if k.seen += string(b[:n]); err != nil {
			t.Fatalf("%v behind %q", err, k.seen)
		}
	}
}

// press types.
func (k *sitting) press(t *testing.T, keys string) {
	t.Helper()
	if _, err := k.user.WriteString(keys); err != nil {
		t.Fatal(err)
	}
}

// TestTerminal converses at a terminal.
func TestTerminal(t *testing.T) {
	user, device := openPair(t)
	k := sit(t, user, device)
	k.press(t, "hx\x7fi\r")
	k.press(t, "\x04") // is drawn behind the answer
	k.until(t, terminal.PasteOff)
	if err := <-k.ended; err != nil {
		t.Error(err)
	}
	if !strings.Contains(k.seen, "> hi\r") || !strings.Contains(k.seen, "\n"+answered+"\r\n") {
		t.Errorf("it shows %q", k.seen)
	}
}

// TestSignalsRestore: whatever ends the program while a line is edited, the terminal
// becomes what it was.
func TestSignalsRestore(t *testing.T) {
	for _, end := range []syscall.Signal{syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGHUP} {
		user, device := openPair(t)
		before := mode(t, device)
		k := sit(t, user, device)
		k.press(t, "half a line")
		k.until(t, "half a line")
		if mode(t, device) == before {
			t.Fatal("the terminal is not raw")
		}
		if err := syscall.Kill(os.Getpid(), end); err != nil {
			t.Fatal(err)
		}
		if err := <-k.ended; err != nil {
			t.Errorf("%v: %v", end, err)
		}
		if mode(t, device) != before {
			t.Errorf("%v leaves the terminal raw", end)
		}
	}
}

// mode is how a terminal is set.
func mode(t *testing.T, device *os.File) (m syscall.Termios) {
	t.Helper()
	if _, _, err := syscall.Syscall(syscall.SYS_IOCTL, device.Fd(), syscall.TCGETS, uintptr(unsafe.Pointer(&m))); err != 0 {
		t.Fatal(err)
	}
	return m
}
