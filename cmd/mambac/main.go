// Command mambac compiles a checkpoint of a Mamba-family language model into a
// static binary or a Go package; it is the one package that sees all others,
// and the one that writes files for a user.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"unicode"

	"golang.org/x/term"
)

// Exit statuses.
const (
	exitOK        = 0
	exitFailure   = 1
	exitUsage     = 2
	exitInterrupt = 130
)

func main() { os.Exit(mambac()) }

// mambac runs the command of the process and returns its exit status.
func mambac() int {
	ctx, stop := signal.NotifyContext(context.Background(), interrupts()...)
	defer stop()
	out := &remembering{w: os.Stdout}
	c := &console{out: out, err: os.Stderr, terminal: term.IsTerminal(int(os.Stderr.Fd()))}
	root := newRoot(c)
	root.SetArgs(os.Args[1:])
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		err = out.err
	}
	if err == nil {
		return exitOK
	}
	return reportError(ctx, c.err, cmd.CommandPath(), err)
}

// interrupts is the signals that end a command, with nothing left behind: among
// them that the terminal was closed, unless nohup has it ignored.
func interrupts() []os.Signal {
	list := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		list = append(list, syscall.SIGHUP)
	}
	return list
}

// remembering keeps the first error of a stream: the library that prints help
// does not look at it.
type remembering struct {
	w   io.Writer
	err error
}

func (r *remembering) Write(b []byte) (int, error) {
	n, err := r.w.Write(b)
	if r.err == nil {
		r.err = err
	}
	return n, err
}

// console is the streams of a command.
type console struct {
	out, err io.Writer
	terminal bool // err is one
	quiet    bool // no progress
}

// usageError is a wrong call, as opposed to a failure.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...)}
}

// reportError prints an error on one line and returns the exit status.
func reportError(ctx context.Context, w io.Writer, command string, err error) int {
	var usage *usageError
	switch {
	case ctx.Err() != nil:
		fmt.Fprintln(w, "error: interrupted; nothing was left behind")
		return exitInterrupt
	case errors.As(err, &usage):
		fmt.Fprintf(w, "error: %s; see %s --help\n", oneLine(err.Error()), command)
		return exitUsage
	}
	fmt.Fprintf(w, "error: %s\n", oneLine(pathFirst(err)))
	return exitFailure
}

// pathFirst turns "open PATH: reason" of the standard library into our order.
func pathFirst(err error) string {
	var p *fs.PathError
	if !errors.As(err, &p) {
		return err.Error()
	}
	return strings.Replace(err.Error(), p.Error(), p.Path+": "+p.Err.Error(), 1)
}

// oneLine keeps a message on its line whatever a checkpoint put into it.
func oneLine(s string) string { return printable(strings.TrimSpace(s)) }

// printable replaces what could move a terminal's cursor.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
}
