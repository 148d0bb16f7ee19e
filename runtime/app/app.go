// Package app is the commands of a built program: run, logits, ppl, tokens,
// bench and info over one compiled model, and what packages below it, each a
// command that a program may have besides, need of it; it sees runtime/… only.
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

// Command is one word that a program understands. A package below this one, which
// a program holds if it was built --with its name, exports one.
type Command struct {
	Name    string
	Summary string
	Help    string // %[1]s stands for the program's name
	Run     func(s *Session, args []string) error
}

// commands is in the order of the help.
func commands() []Command {
	return []Command{runCommand, logitsCommand, pplCommand, tokensCommand, benchCommand, infoCommand}
}

// commands is those of the program at hand. The tapped programs that mambac makes
// for itself have no commands added.
func (s *Session) commands() []Command {
	list := commands()
	if len(s.Compiled.Taps) > 0 && len(s.added) == 0 {
		list = append(list, tapsCommand)
	}
	return append(list, s.added...)
}

// Session is what a command works with.
type Session struct {
	Context  context.Context // ended by an interrupt
	Compiled *engine.Compiled
	Open     func() (*payload.Payload, error)
	Name     string // of the program, as the user called it, without folders
	In       io.Reader
	Out, Err io.Writer
	Terminal bool // Out is a terminal
	Watched  bool // Err is a terminal

	uncatch func()    // interrupts; nil where nobody catches them
	added   []Command // those that the program was built --with
	started time.Time
	launch  launcher                              // nil for the program itself
	limits  func(threads int) (benchLimit, error) // of this machine
}

// Main runs the program that carries its model in its own file, with the
// arguments and streams of the process; the result is the exit status. Added
// commands stand behind those that every program has.
func Main(c *engine.Compiled, added ...Command) int {
	started := time.Now()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	s := &Session{
		Context: ctx, uncatch: stop, Compiled: c, Open: payload.OpenSelf,
		Name: strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe"), added: added, started: started,
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Terminal: isTerminal(os.Stdout), Watched: isTerminal(os.Stderr), limits: probeLimits,
	}
	return s.main(os.Args[1:])
}

// Uncatch has the next interrupt end the program at once, whatever it does then. It
// ends Context.
func (s *Session) Uncatch() {
	if s.uncatch != nil {
		s.uncatch()
	}
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

// Usagef is an error of whoever called the program, which exits with another
// status than after a failure.
func Usagef(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...)}
}

// main runs one command and reports its error.
func (s *Session) main(args []string) int {
	err := s.dispatch(args)
	var usage *usageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, context.Canceled) && s.Context.Err() != nil:
		return exitInterrupt
	case brokenPipe(err):
		return exitFailure // whoever read us has left and wants no message
	case errors.As(err, &usage):
		fmt.Fprintf(s.Err, "error: %s; see %s\n", s.complaint(err), s.helpHint(args))
		return exitUsage
	}
	fmt.Fprintf(s.Err, "error: %s\n", s.complaint(err))
	return exitFailure
}

// helpHint is the call that helps with a wrong one.
func (s *Session) helpHint(args []string) string {
	if len(args) > 0 {
		if c, ok := s.lookup(args[0]); ok {
			return s.Name + " " + c.Name + " --help"
		}
	}
	return s.Name + " --help"
}

// complaint is an error in one line. It may have words of a checkpoint's template or
// of a file in it, which must not drive a terminal.
func (s *Session) complaint(err error) string {
	text := strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", " ")
	if s.Watched {
		text = Escaped(text)
	}
	return text
}

func (s *Session) dispatch(args []string) error {
	if len(args) == 0 {
		return Usagef("no command; one of %s", s.names())
	}
	switch args[0] {
	case "help", "--help", "-help", "-h":
		return s.help(args[1:])
	}
	c, ok := s.lookup(args[0])
	if !ok {
		return Usagef("unknown command %q; one of %s", args[0], s.names())
	}
	err := c.Run(s, args[1:])
	if errors.Is(err, errHelp) {
		return s.help(args[:1])
	}
	return err
}

func (s *Session) lookup(name string) (Command, bool) {
	for _, c := range s.commands() {
		if c.Name == name {
			return c, true
		}
	}
	return Command{}, false
}

func (s *Session) names() string {
	var list []string
	for _, c := range s.commands() {
		list = append(list, c.Name)
	}
	return strings.Join(list, ", ")
}

// help prints what a command does, or what commands there are.
func (s *Session) help(args []string) error {
	if len(args) > 0 {
		c, ok := s.lookup(args[0])
		if !ok {
			return Usagef("unknown command %q; one of %s", args[0], s.names())
		}
		_, err := fmt.Fprintf(s.Out, c.Help, s.Name)
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s is a language model compiled by mambac:\ncode for its shapes, its weights, its tokenizer.\n\n", s.Name)
	for _, c := range s.commands() {
		fmt.Fprintf(&b, "  %s %-8s %s\n", s.Name, c.Name, c.Summary)
	}
	fmt.Fprintf(&b, "\n%s COMMAND --help tells more.\n%s=LEVEL in the environment forces a CPU level.\n", s.Name, engine.LevelEnv)
	_, err := io.WriteString(s.Out, b.String())
	return err
}
