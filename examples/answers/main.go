// Command answers serves continuations of prompts, all behind one source text
// that the model has read beforehand: its state is made once and kept in a file.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/mambac/mambac/examples/answers/gomamba"
)

//go:generate go tool mambac generate ../../cmd/mambac/demo/go-mamba-5m --package gomamba --dir gomamba

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stderr))
}

// run is the program; it returns its exit status.
func run(ctx context.Context, args []string, stderr io.Writer) int {
	flags := flag.NewFlagSet("answers", flag.ContinueOnError)
	flags.SetOutput(stderr)
	listen := flags.String("listen", "127.0.0.1:8080", "`address` to listen at")
	source := flags.String("source", "", "Go `file` that is read before every prompt")
	states := flags.String("states", ".", "`folder` for the states of sources")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if *source == "" || flags.NArg() > 0 {
		fmt.Fprintln(stderr, "error: want -source FILE and no arguments")
		return 2
	}
	if err := start(ctx, *listen, *source, *states, stderr); err != nil {
		fmt.Fprintf(stderr, "error: %v\n", err)
		return 1
	}
	return 0
}

// start opens the model and serves until ctx ends.
func start(ctx context.Context, address, source, states string, stderr io.Writer) error {
	model, err := gomamba.Open()
	if err != nil {
		return err
	}
	defer model.Close()
	base, err := openState(ctx, model, source, states)
	if err != nil {
		return err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "%d tokens of %s are read; listening at http://%s\n", base.Position(), source, l.Addr())
	return serve(ctx, l, newAnswers(base))
}

// grace is how long requests may go on when the program is told to end.
const grace = 10 * time.Second

// serve answers until ctx ends. Answers that are under way are then finished,
// within the grace; those that take longer are cut off.
func serve(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := server.Shutdown(late); err != nil {
		return errors.Join(err, server.Close())
	}
	return nil
}
