// Package app is the commands of a built program: run, logits, ppl, tokens,
// bench and info over one compiled model; it sees runtime/… only.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/payload"
)

// Exit statuses.
const (
	exitOK        = 0
	exitFailure   = 1
	exitUsage     = 2
	exitInterrupt = 130
)

// command is one word that the program understands.
type command struct {
	name    string
	summary string
	help    string // %[1]s stands for the program's name
	run     func(s *session, args []string) error
}

// commands is in the order of the help.
func commands() []command {
	return []command{runCommand, logitsCommand, pplCommand, tokensCommand, benchCommand, infoCommand}
}

// commands is those of the program at hand.
func (s *session) commands() []command {
	if len(s.compiled.Taps) > 0 {
		return append(commands(), tapsCommand)
	}
	return commands()
}

// session is what a command works with.
type session struct {
	ctx      context.Context
	compiled *engine.Compiled
	open     func() (*payload.Payload, error)
	program  string // as the user called it, without folders
	started  time.Time
	in       io.Reader
	out, err io.Writer
	terminal bool                                  // out is one
	launch   launcher                              // nil for the program itself
	limits   func(threads int) (benchLimit, error) // of this machine
}

// Main runs the program that carries its model in its own file, with the
// arguments and streams of the process; the result is the exit status.
func Main(c *engine.Compiled) int {
	started := time.Now()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	s := &session{
		ctx: ctx, compiled: c, open: payload.OpenSelf,
		program: strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe"), started: started,
		in: os.Stdin, out: os.Stdout, err: os.Stderr, terminal: isTerminal(os.Stdout), limits: probeLimits,
	}
	return s.main(os.Args[1:])
}

// isTerminal takes any character device for one: text to /dev/null may be
// escaped without harm.
func isTerminal(f *os.File) bool {
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}

// usageError is a wrong call, as opposed to a failure.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...)}
}

// main runs one command and reports its error.
func (s *session) main(args []string) int {
	err := s.dispatch(args)
	var usage *usageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, context.Canceled) && s.ctx.Err() != nil:
		return exitInterrupt
	case brokenPipe(err):
		return exitFailure // whoever read us has left and wants no message
	case errors.As(err, &usage):
		fmt.Fprintf(s.err, "error: %s; see %s\n", oneLine(err), s.helpHint(args))
		return exitUsage
	}
	fmt.Fprintf(s.err, "error: %s\n", oneLine(err))
	return exitFailure
}

// helpHint is the call that helps with a wrong one.
func (s *session) helpHint(args []string) string {
	if len(args) > 0 {
		if c, ok := s.lookup(args[0]); ok {
			return s.program + " " + c.name + " --help"
		}
	}
	return s.program + " --help"
}

func oneLine(err error) string {
	return strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", " ")
}

func (s *session) dispatch(args []string) error {
	if len(args) == 0 {
		return usagef("no command; one of %s", s.names())
	}
	switch args[0] {
	case "help", "--help", "-help", "-h":
		return s.help(args[1:])
	}
	c, ok := s.lookup(args[0])
	if !ok {
		return usagef("unknown command %q; one of %s", args[0], s.names())
	}
	err := c.run(s, args[1:])
	if errors.Is(err, errHelp) {
		return s.help(args[:1])
	}
	return err
}

func (s *session) lookup(name string) (command, bool) {
	for _, c := range s.commands() {
		if c.name == name {
			return c, true
		}
	}
	return command{}, false
}

func (s *session) names() string {
	var list []string
	for _, c := range s.commands() {
		list = append(list, c.name)
	}
	return strings.Join(list, ", ")
}

// help prints what a command does, or what commands there are.
func (s *session) help(args []string) error {
	if len(args) > 0 {
		c, ok := s.lookup(args[0])
		if !ok {
			return usagef("unknown command %q; one of %s", args[0], s.names())
		}
		_, err := fmt.Fprintf(s.out, c.help, s.program)
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s is a language model compiled by mambac:\ncode for its shapes, its weights, its tokenizer.\n\n", s.program)
	for _, c := range s.commands() {
		fmt.Fprintf(&b, "  %s %-8s %s\n", s.program, c.name, c.summary)
	}
	fmt.Fprintf(&b, "\n%s COMMAND --help tells more.\n%s=LEVEL in the environment forces a CPU level.\n", s.program, engine.LevelEnv)
	_, err := io.WriteString(s.out, b.String())
	return err
}
