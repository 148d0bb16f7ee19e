// Package serve is the command that answers requests over HTTP; it sees the
// runtime only.
package serve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/signal"
	"syscall"
	"time"

	"github.com/mambac/mambac/runtime/app"
	"github.com/mambac/mambac/runtime/serve"
)

// Command is what a program has that was built --with serve.
var Command = app.Command{
	Name:    "serve",
	Summary: "answer requests over HTTP",
	Run:     run,
	Help: `Answers requests over HTTP until it is interrupted.

  %[1]s serve
  %[1]s serve --addr 127.0.0.1:0

  --addr HOST:PORT  where to listen (default 127.0.0.1:8080); port 0 is any that
                    is free
`,
}

// grace is how long requests that run are waited for at the end.
const grace = 10 * time.Second

func run(s *app.Session, args []string) error {
	f := app.NewFlags("serve")
	address := f.String("addr", "127.0.0.1:8080", "")
	if _, err := app.Parse(f, args, 0); err != nil {
		return err
	}
	l, err := net.Listen("tcp", *address)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(s.Err, "listening on http://%s\n", l.Addr()); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(s.Context, syscall.SIGTERM)
	defer stop()
	return listen(ctx, &http.Server{Handler: serve.New(), ReadHeaderTimeout: grace}, l)
}

// listen serves until ctx ends, and then finishes what runs.
func listen(ctx context.Context, server *http.Server, l net.Listener) error {
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err := server.Shutdown(ctx)
	if ended := <-failed; err == nil && !errors.Is(ended, http.ErrServerClosed) {
		err = ended
	}
	return err
}
