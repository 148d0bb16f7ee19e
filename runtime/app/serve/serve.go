// Package serve is the command that answers requests over HTTP; it sees the
// runtime only.
package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/mambac/mambac/runtime/app"
	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/heat"
	"github.com/mambac/mambac/runtime/payload"
	"github.com/mambac/mambac/runtime/serve"
)

// Command is what a program has that was built --with serve.
var Command = app.Command{
	Name:    "serve",
	Summary: "answer requests over HTTP",
	Run:     run,
	Help: `Answers requests over HTTP in the forms of OpenAI's API, until it is
interrupted: /v1/completions, /v1/chat/completions and /v1/models, and besides
/v1/states, /healthz and /metrics, and of programs built --with explain too
/v1/explain. At / there is a page for a browser.

  %[1]s serve
  %[1]s serve --addr 127.0.0.1:0 --threads 2
  MAMBAC_API_KEY=secret %[1]s serve --addr :8080 --allow-host box

  --addr HOST:PORT     where to listen (default 127.0.0.1:8080); port 0 is any
                       that is free
  --api-key KEY        requests must bring it; may be repeated. Whoever lists
                       the processes of this machine sees it here; they do not
                       see MAMBAC_API_KEY in the environment
  --no-auth            with an address that others can reach: no key is needed
  --name NAME          of the model in answers (default: the checkpoint's)
  --allow-host NAME    a name that the server is called by; may be repeated.
                       localhost and addresses always are
  --allow-origin URL   pages from there may ask; may be repeated
  --grace DURATION     how long requests that run are waited for after an
                       interrupt (default 30s); a second one ends them
  --log text|json|off  how requests are logged, on stderr (default text)

  --slots N            texts that are continued at once (default 16)
  --queue N            requests that wait; more are told to come again (default
                       256)
  --max-prompt N       tokens of a prompt (default 131072)
  --max-tokens N       tokens of an answer (default 4096)
  --max-body N         bytes of a request (default 2097152)
  --prefix-memory N    bytes for states of texts that were read, so that what
                       begins like them is not read again (default
                       268435456; 0 is none)
  --prefix-spill DIR   where states go that memory has no room for
  --prefix-spill-max N bytes of those (default 1073741824)
  --library DIR        where states are that requests name (default: the user's
                       folder for states of this model)
  --no-library         no request names a state
  --library-max N      bytes of the library (default 1073741824)
  --context N          of a model with attention, tokens of both together; a
                       longest text that info tells of bounds them anyway
  --threads N          workers (default: physical cores available)
  --mmap               leave the weights to the page cache
`,
}

// keyVariable is the environment's key.
const keyVariable = "MAMBAC_API_KEY"

func run(s *app.Session, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	a, err := s.Load()
	if err != nil {
		return err
	}
	defer a.Close()
	e, err := a.Engine(o.Workers)
	if err != nil {
		return err
	}
	defer e.Close()
	if err := o.explain(e, a); err != nil {
		return err
	}
	l, err := net.Listen("tcp", o.address)
	if err != nil {
		return fmt.Errorf("--addr %s: %w", o.address, err)
	}
	o.serve.Engine, o.serve.Meta, o.serve.Tokenizer = e, a.Meta, a.Tokenizer
	o.serve.Limits.Context = e.Context()
	o.serve.Template, o.serve.Opening = chat(s.Compiled.Chat, true), chat(s.Compiled.Chat, false)
	o.serve.Log = slog.New(o.handler(s.Err))
	closeStates, err := o.openStates()
	if err != nil {
		return errors.Join(err, l.Close())
	}
	defer closeStates()
	server := serve.New(o.serve)
	defer server.Close()
	if _, err := fmt.Fprintf(s.Err, "listening on http://%s\n", l.Addr()); err != nil {
		return errors.Join(err, l.Close())
	}
	return listen(s.Context, server, l, o.grace)
}

// explain has the server tell Δ, if the program can.
func (o *options) explain(e *engine.Engine, a *app.Artifact) error {
	weights, _ := a.File.Section(payload.WeightsSection) // the engine has looked
	reader, err := heat.New(e, a.Meta, weights)
	if errors.Is(err, heat.ErrUnexplained) {
		return nil
	}
	o.serve.Heat = reader
	return err
}

// listen serves until an interrupt, and then finishes what runs. A second
// interrupt ends the program as it would have without this.
func listen(ctx context.Context, s *serve.Server, l net.Listener, grace time.Duration) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	h := s.HTTP()
	failed := make(chan error, 1)
	go func() { failed <- h.Serve(s.Listener(l)) }()
	select {
	case err := <-failed:
		return errors.Join(err, h.Close())
	case <-ctx.Done():
	}
	stop()
	s.Log.Info("shutting down", "grace", grace)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err := s.Shutdown(ctx)
	if err != nil {
		s.Log.Warn("requests were ended", "after", grace)
	}
	// What has been written is still on its way.
	last, cancelLast := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancelLast()
	if h.Shutdown(last) != nil {
		_ = h.Close()
	}
	if ended := <-failed; !errors.Is(ended, http.ErrServerClosed) {
		return ended
	}
	return nil
}

// handler writes the log.
func (o *options) handler(w io.Writer) slog.Handler {
	switch o.log {
	case "json":
		return slog.NewJSONHandler(w, nil)
	case "off":
		return slog.DiscardHandler
	}
	return slog.NewTextHandler(w, nil)
}

// checkAddress insists on a key, or on the word that there is none, where others
// can come.
func (o *options) checkAddress() error {
	host, _, err := net.SplitHostPort(o.address)
	if err != nil {
		return app.Usagef("--addr %s: want HOST:PORT, as in 127.0.0.1:8080", o.address)
	}
	ip, err := netip.ParseAddr(host)
	local := err == nil && ip.IsLoopback() || strings.EqualFold(host, "localhost")
	if !local && len(o.serve.Keys) == 0 && !o.open {
		return app.Usagef("--addr %s can be reached by others: want --api-key KEY or %s in the environment, or --no-auth to let everybody ask", o.address, keyVariable)
	}
	if len(o.serve.Keys) > 0 && o.open {
		return app.Usagef("--no-auth contradicts the key that is given, by --api-key or %s", keyVariable)
	}
	return nil
}
