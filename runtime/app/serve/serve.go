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
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/mambac/mambac/runtime/app"
	"github.com/mambac/mambac/runtime/heat"
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
	m, err := s.Start(o.Workers)
	if err != nil {
		return err
	}
	defer m.Close()
	if err := o.answerWith(s, m); err != nil {
		return err
	}
	l, err := net.Listen("tcp", o.address)
	if err != nil {
		return fmt.Errorf("--addr %s: %w", o.address, err)
	}
	closeStates, err := o.openStates()
	if err != nil {
		return errors.Join(err, l.Close())
	}
	defer closeStates()
	server := serve.New(o.serve)
	defer server.Close()
	return listen(s, server, l, o.grace)
}

// answerWith has the server answer with what the program carries: with Δ too, if it
// can tell that.
func (o *options) answerWith(s *app.Session, m *app.Running) (err error) {
	to := &o.serve
	to.Engine, to.Meta, to.Tokenizer = m.Engine, m.Meta, m.Tokenizer
	to.Limits.Context = m.Engine.Context()
	to.Template, to.Opening = chat(s.Compiled.Chat, true), chat(s.Compiled.Chat, false)
	to.Log = slog.New(o.handler(s.Err))
	to.Heat, err = heat.New(m.Engine, m.Meta, m.Weights())
	if errors.Is(err, heat.ErrUnexplained) {
		return nil
	}
	return err
}

// listen serves until an interrupt, and then finishes what runs. A second
// interrupt ends the program at once.
func listen(a *app.Session, s *serve.Server, l net.Listener, grace time.Duration) error {
	ctx, stop := signal.NotifyContext(a.Context, os.Interrupt, syscall.SIGTERM)
	defer stop()
	if _, err := fmt.Fprintf(a.Err, "listening on http://%s\n", l.Addr()); err != nil {
		return errors.Join(err, l.Close())
	}
	h := s.HTTP()
	failed := make(chan error, 1)
	go func() { failed <- h.Serve(s.Listener(l)) }()
	select {
	case err := <-failed:
		return errors.Join(err, h.Close())
	case <-ctx.Done():
	}
	stop()
	a.Uncatch()
	finish(context.WithoutCancel(ctx), s, h, grace)
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// finish waits for what runs, and for what has been written and is still on its way.
func finish(ctx context.Context, s *serve.Server, h *http.Server, grace time.Duration) {
	s.Log.Info("shutting down", "grace", grace)
	running, cancelRunning := context.WithTimeout(ctx, grace)
	defer cancelRunning()
	if s.Shutdown(running) != nil {
		s.Log.Warn("requests were ended", "after", grace)
	}
	last, cancelLast := context.WithTimeout(ctx, time.Second)
	defer cancelLast()
	if h.Shutdown(last) != nil {
		_ = h.Close()
	}
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

// checkNames tells of names that no request has: a Host is compared without its
// port, and an Origin as browsers write it.
func (o *options) checkNames() error {
	for _, name := range o.serve.Hosts {
		if name == "" || strings.ContainsAny(name, ":/ ") {
			return app.Usagef("--allow-host %s: want a name alone, as in box: without a port, and addresses need none", name)
		}
	}
	for _, origin := range o.serve.Origins {
		u, err := url.Parse(origin)
		if err != nil || u.Scheme == "" || u.Host == "" || origin != strings.ToLower(u.Scheme+"://"+u.Host) {
			return app.Usagef("--allow-origin %s: want what browsers call a page's origin, as in https://page.example or http://localhost:3000: no path, no slash at the end, no capitals", origin)
		}
	}
	return nil
}
