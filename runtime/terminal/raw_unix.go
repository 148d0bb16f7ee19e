//go:build linux || darwin || freebsd

package terminal

import (
	"os"
	"syscall"
	"unsafe"
)

// Ends are the signals that end a program, but interrupts. Whoever has made a terminal
// raw takes them, or it stays so.
var Ends = []os.Signal{syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGHUP}

// Raw has a terminal pass every key on as it is pressed, without showing it, and
// say where pasted text begins and ends. Ctrl-C stays an interrupt. It fails for
// what is no terminal.
func Raw(f *os.File) (restore func() error, err error) {
	var before syscall.Termios
	if err := ioctl(f, getTermios, unsafe.Pointer(&before)); err != nil {
		return nil, err
	}
	raw := before
	raw.Lflag &^= syscall.ICANON | syscall.ECHO | syscall.IEXTEN
	raw.Iflag &^= syscall.ICRNL
	raw.Cc[syscall.VMIN], raw.Cc[syscall.VTIME] = 1, 0
	// Stopped or ended like this, the terminal would be of no use.
	raw.Cc[syscall.VSUSP], raw.Cc[syscall.VQUIT] = disabled, disabled
	if err := ioctl(f, setTermios, unsafe.Pointer(&raw)); err != nil {
		return nil, err
	}
	return func() error { return ioctl(f, setTermios, unsafe.Pointer(&before)) }, nil
}

// Size is how much a terminal shows.
func Size(f *os.File) (columns, rows int) {
	var size struct{ rows, columns, _, _ uint16 }
	if ioctl(f, syscall.TIOCGWINSZ, unsafe.Pointer(&size)) != nil {
		return usual(0, 0)
	}
	return usual(int(size.columns), int(size.rows))
}

func ioctl(f *os.File, request uintptr, argument unsafe.Pointer) error {
	c, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var number syscall.Errno
	err = c.Control(func(fd uintptr) {
		_, _, number = syscall.Syscall(syscall.SYS_IOCTL, fd, request, uintptr(argument))
	})
	if err == nil && number != 0 {
		err = number
	}
	return err
}
