// Package serve answers requests over HTTP with what a model writes, in the forms
// of OpenAI's API; it sees the runtime only.
package serve

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/heat"
	"github.com/mambac/mambac/runtime/library"
	"github.com/mambac/mambac/runtime/payload"
	"github.com/mambac/mambac/runtime/prefix"
	"github.com/mambac/mambac/runtime/schedule"
	"github.com/mambac/mambac/runtime/shelf"
	"github.com/mambac/mambac/runtime/snapshot"
	"github.com/mambac/mambac/runtime/tokenizer"
)

// Options say what is served, to whom, and how much of it.
type Options struct {
	Engine    *engine.Engine
	Meta      *payload.Metadata
	Tokenizer *tokenizer.Tokenizer // nil if the model has none: prompts are ids then
	Template  Template             // nil if the model has none: no chat then
	Heat      *heat.Reader         // nil if the program was built without explain
	Opening   Template             // Template without the beginning of an answer; nil with it
	Name      string               // of the model, in answers; "" for that of the checkpoint

	Codec   *snapshot.Codec  // of the model's states
	Prefix  *prefix.Cache    // of what has been read; nil for none
	Library *library.Library // of states that requests name; nil for none

	Keys    []string // one of them opens the door; none leaves it open
	Hosts   []string // names that the server is called by, besides localhost and addresses
	Origins []string // of pages of others that may ask
	Limits  Limits
	Log     *slog.Logger
}

// Template writes a conversation, the list of messages as JSON, as the model has
// learned to read it, up to where its answer begins; tools is the list of those that
// it may call, nil for none. Its errors are mistakes in the conversation.
type Template func(messages, tools []byte) (string, error)

// Limits bound what one client, and all together, can take.
type Limits struct {
	Slots   int           // texts that are continued at once
	Queue   int           // requests that wait for that
	Body    int64         // bytes of a request
	Header  int           // bytes before those
	Prompt  int           // tokens that are read
	Tokens  int           // that are written for a text
	Choices int           // texts for a request
	Context int           // tokens of both together, as the engine has it; 0 for any number
	Library int64         // bytes of states that have names
	Sockets int           // connections
	Reading time.Duration // of a header, and of a body
	Writing time.Duration // of a piece of the answer
	Idling  time.Duration // between requests
}

// DefaultLimits is where to start from.
func DefaultLimits() Limits {
	return Limits{
		Slots: 16, Queue: 256, Body: 2 << 20, Header: 32 << 10, Prompt: 1 << 17, Tokens: 4096, Choices: 128, Library: 1 << 30, Sockets: 1024,
		Reading: 20 * time.Second, Writing: 20 * time.Second, Idling: 2 * time.Minute,
	}
}

// Server is a handler of requests.
type Server struct {
	Options
	scheduler *schedule.Scheduler
	routes    map[string]route
	keys      [][sha256.Size]byte
	places    chan struct{} // holds a value for each request that is being answered
	explains  chan struct{} // holds a value for each text that is to be explained
	reading   chan struct{} // holds a value while a text is read to be explained
	closing   chan struct{} // closed when no more requests are accepted
	close     func()        // closes closing
	running   sync.RWMutex  // held for reading by each request, and for good once all have ended
	end       func()        // takes running for good
	started   time.Time
	metrics   *metrics

	held     shelf.Shelf[string, *held] // states of the library, by their names
	changing sync.Mutex                 // held while the library changes
}

// New makes a server, which must be closed before its engine.
func New(o Options) *Server {
	if o.Name == "" {
		o.Name = o.Meta.Name
	}
	metrics := newMetrics()
	s := &Server{
		Options: o, scheduler: schedule.New(o.Engine, schedule.Options{Slots: o.Limits.Slots, Queue: o.Limits.Queue, OnStall: metrics.stall}),
		places: make(chan struct{}, o.Limits.Slots+o.Limits.Queue), started: time.Now(), metrics: metrics,
		explains: make(chan struct{}, mostExplains), reading: make(chan struct{}, 1), closing: make(chan struct{}),
	}
	s.close = sync.OnceFunc(func() { close(s.closing) })
	s.end = sync.OnceFunc(s.running.Lock)
	for _, k := range o.Keys {
		s.keys = append(s.keys, sha256.Sum256([]byte(k)))
	}
	s.routes = s.table()
	return s
}

// HTTP makes the server of connections, with the limits that hold before a
// request is there.
func (s *Server) HTTP() *http.Server {
	return &http.Server{
		Handler: s, MaxHeaderBytes: s.Limits.Header, ReadHeaderTimeout: s.Limits.Reading, IdleTimeout: s.Limits.Idling,
		ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
}

// Shutdown accepts no more requests, waits for those that there are, and ends
// them when ctx ends.
func (s *Server) Shutdown(ctx context.Context) error {
	s.close()
	if err := s.scheduler.Shutdown(ctx); err != nil {
		return err
	}
	select {
	case s.reading <- struct{}{}: // the text that was read to be explained has been
		s.endReading()
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Close ends all requests, and waits for those that make use of the engine or of the
// model's file until they notice. Whoever waits for a client does until its connection
// is closed.
func (s *Server) Close() {
	s.close()
	s.scheduler.Close()
	s.end()
}
