package terminal

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"unsafe"
)

// openPair is a terminal, and who sits at it.
func openPair(t *testing.T) (user, terminal *os.File) {
	t.Helper()
	user, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { user.Close() })
	var number, unlock uint32
	if err := ioctl(user, syscall.TIOCSPTLCK, unsafe.Pointer(&unlock)); err != nil {
		t.Fatal(err)
	}
	if err := ioctl(user, syscall.TIOCGPTN, unsafe.Pointer(&number)); err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { terminal.Close() })
	return user, terminal
}

// TestRaw passes keys on as they are pressed, those that would stop or end the program
// with it, and leaves the terminal as it was.
func TestRaw(t *testing.T) {
	user, terminal := openPair(t)
	size := struct{ rows, columns, _, _ uint16 }{rows: 30, columns: 99}
	if err := ioctl(user, syscall.TIOCSWINSZ, unsafe.Pointer(&size)); err != nil {
		t.Fatal(err)
	}
	if columns, rows := Size(terminal); columns != 99 || rows != 30 {
		t.Errorf("its size is %d × %d", columns, rows)
	}
	mode := func() (m syscall.Termios) {
		if err := ioctl(terminal, getTermios, unsafe.Pointer(&m)); err != nil {
			t.Fatal(err)
		}
		return m
	}
	before := mode()
	restore, err := Raw(terminal)
	if err != nil {
		t.Fatal(err)
	}
	const keys = "a\x1a\x1c\r"
	if _, err := user.WriteString(keys); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 10)
	if n, err := terminal.Read(got); string(got[:n]) != keys || err != nil {
		t.Errorf("keys come as %q, %v", got[:n], err)
	}
	if err := restore(); err != nil || mode() != before {
		t.Errorf("%v, the terminal is not as it was", err)
	}
}
