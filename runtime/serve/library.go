package serve

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/mambac/mambac/runtime/library"
	"github.com/mambac/mambac/runtime/snapshot"
)

// statesPath is where states are, and behind it each by its name.
const statesPath = "/v1/states"

// forkPath ends the path of what makes a copy of a state.
const forkPath = "/fork"

type stateObject struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Label   string `json:"label"`
	Source  string `json:"source"`
	Parent  string `json:"parent"`
	Tokens  int    `json:"tokens"`
	Bytes   int64  `json:"bytes"`
	Created int64  `json:"created"`
	Damaged bool   `json:"damaged,omitempty"` // it cannot be read
}

func describe(e *library.Entry) stateObject {
	o := stateObject{ID: e.Name, Object: "state", Label: e.Label, Source: e.Source, Parent: e.Parent, Tokens: e.Tokens, Bytes: e.Bytes, Damaged: e.Damage != ""}
	if !e.Created.IsZero() {
		o.Created = e.Created.Unix()
	}
	return o
}

// stateRoute is the route of a state, or of what can be done with it.
func (s *Server) stateRoute(name string) route {
	if from, fork := strings.CutSuffix(name, forkPath); fork {
		return route{http.MethodPost, func(c *call) error { return s.fork(c, from) }, false}
	}
	return route{"GET, DELETE", func(c *call) error { return s.state(c, name) }, false}
}

// states lists the library, or adds to it.
func (s *Server) states(c *call) error {
	if s.Library == nil {
		return errNoLibrary
	}
	if c.Method == http.MethodPost {
		return s.addState(c)
	}
	list, err := s.Library.List()
	if err != nil {
		return s.stateError("", err)
	}
	data := []stateObject{}
	for i := range list {
		data = append(data, describe(&list[i]))
	}
	s.writeJSON(c, http.StatusOK, map[string]any{"object": "list", "data": data})
	return nil
}

// state tells of one state, or deletes it.
func (s *Server) state(c *call, name string) error {
	if s.Library == nil {
		return errNoLibrary
	}
	if c.Method == http.MethodDelete {
		return s.deleteState(c, name)
	}
	e, err := s.entry(name)
	if err != nil {
		return s.stateError(name, err)
	}
	s.writeJSON(c, http.StatusOK, describe(&e))
	return nil
}

// entry looks a state up.
func (s *Server) entry(name string) (library.Entry, error) {
	f, e, err := s.Library.Get(name)
	if err != nil {
		return e, err
	}
	return e, f.Close()
}

// vacant tells of a name that a new state cannot have, also where a damaged one has
// it.
func (s *Server) vacant(name string) error {
	_, err := s.entry(name)
	switch {
	case errors.Is(err, library.ErrNotFound):
		return nil
	case err == nil, errors.Is(err, library.ErrDamaged):
		return library.ErrExists
	}
	return err
}

func (s *Server) deleteState(c *call, name string) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	if err := s.Library.Delete(name); err != nil {
		return s.stateError(name, err)
	}
	s.held.Forget(name)
	s.writeJSON(c, http.StatusOK, map[string]any{"id": name, "object": "state", "deleted": true})
	return nil
}

// forkRequest is the body of /v1/states/NAME/fork.
type forkRequest struct {
	Name string `json:"name"`
}

func (s *Server) fork(c *call, from string) error {
	if s.Library == nil {
		return errNoLibrary
	}
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	var r forkRequest
	if err := s.read(c, &r); err != nil {
		return err
	}
	e, err := s.copyState(from, r.Name)
	if err != nil {
		return err
	}
	s.writeJSON(c, http.StatusOK, describe(&e))
	return nil
}

// copyState makes a copy of a state, of a new name.
func (s *Server) copyState(from, to string) (library.Entry, error) {
	s.changing.Lock()
	defer s.changing.Unlock()
	e, err := s.entry(from)
	if err != nil {
		return e, s.stateError(from, err)
	}
	room := int64(0)
	if err = s.vacant(to); err == nil {
		room, err = s.room(to)
	}
	if err == nil && e.Bytes > room {
		err = errLibraryFull
	}
	if err == nil {
		err = s.Library.Fork(from, to)
	}
	if err == nil {
		e, err = s.entry(to)
	}
	if err != nil {
		return e, s.stateError(to, err)
	}
	return e, nil
}

// stateRequest is the body of POST /v1/states.
type stateRequest struct {
	Name     string          `json:"name"`
	Prompt   prompts         `json:"prompt"`
	Messages json.RawMessage `json:"messages"`
	Label    string          `json:"label"`
	Source   string          `json:"source"`
	State    string          `json:"state"`
}

// addState reads a text into a state.
func (s *Server) addState(c *call) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	var r stateRequest
	if err := s.read(c, &r); err != nil {
		return err
	}
	if err := s.vacant(r.Name); err != nil { // before all is read for nothing
		return s.stateError(r.Name, err)
	}
	list, err := s.stateText(&r)
	if err != nil {
		return err
	}
	j := &job{plan: &plan{n: 1, logprobs: -1}, params: &params{State: r.State}, server: s, prompts: list, begun: time.Now()}
	n, err := j.readState(c)
	if err != nil {
		return err
	}
	e, err := s.store(r.Name, library.Entry{Label: r.Label, Source: r.Source, Parent: j.from}, n, false)
	if err != nil {
		return err
	}
	s.writeJSON(c, http.StatusOK, describe(&e))
	return nil
}

// maxNote is the bytes that a label or a source may have.
const maxNote = 1024

// stateText is the one text that a state is to be made of.
func (s *Server) stateText(r *stateRequest) ([]prompt, error) {
	for _, note := range []struct{ name, text string }{{"label", r.Label}, {"source", r.Source}} {
		if len(note.text) > maxNote {
			return nil, wrong(note.name, "have %d bytes, want at most %d", len(note.text), maxNote)
		}
	}
	switch n := len(r.Prompt.texts) + len(r.Prompt.ids); {
	case some(r.Messages) == (n > 0):
		return nil, wrong("prompt", "want either prompt or messages")
	case n > 1:
		return nil, wrong("prompt", "have %d texts, want one", n)
	case n == 1:
		return s.prompts(&r.Prompt, false)
	}
	if s.Opening == nil {
		return nil, failf(http.StatusBadRequest, "no_chat_template", "the model has no chat template: give a prompt, or build it from a checkpoint that has one")
	}
	messages, err := plain(r.Messages)
	if err != nil {
		return nil, err
	}
	text, err := s.Opening(messages, nil)
	if err != nil {
		return nil, wrong("messages", "%v", err)
	}
	p, err := s.encode(text, false)
	return []prompt{p}, err
}

// readState reads the prompt and gives what there is behind it.
func (j *job) readState(c *call) (*snapshot.Snapshot, error) {
	defer j.detach()
	if err := j.attach(c); err != nil {
		return nil, err
	}
	if err := j.checkPrompts(); err != nil {
		return nil, err
	}
	r := j.request(0)
	r.Keep = true
	t, err := j.server.scheduler.Submit(c.Context(), r)
	if err != nil {
		return nil, err
	}
	j.tickets = append(j.tickets, t)
	<-t.Done()
	if err := j.err(); err != nil {
		return nil, err
	}
	j.server.metrics.texts(j.read(), 0)
	return j.snapshot(), nil
}

// errLibraryFull is the answer to what the library has no room for.
var errLibraryFull = failf(http.StatusInsufficientStorage, "library_full", "the library of states is full; delete some, or start the server with a larger --library-max")

// maxStates is how many states a library may get over HTTP.
const maxStates = 1024

// room is how many bytes a state of a name may take.
func (s *Server) room(name string) (int64, error) {
	others, err := s.Library.Usage(name)
	if err != nil {
		return 0, err
	}
	if others.States >= maxStates {
		return 0, errLibraryFull
	}
	return s.Limits.Library - others.Bytes, nil
}

// store makes a state of the library, in the place of an older one if that is
// wanted.
func (s *Server) store(name string, e library.Entry, n *snapshot.Snapshot, replace bool) (library.Entry, error) {
	s.changing.Lock()
	defer s.changing.Unlock()
	room, err := s.room(name)
	if err == nil && !replace {
		err = s.vacant(name)
	}
	if err == nil {
		err = s.Library.Put(name, e, func(w io.Writer) error { return s.Codec.Write(&bounded{w, room}, n) })
	}
	if err == nil {
		s.held.Forget(name)
		e, err = s.entry(name)
	}
	if err != nil {
		return e, s.stateError(name, err)
	}
	return e, nil
}

// bounded lets so many bytes through.
type bounded struct {
	io.Writer
	left int64
}

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= int64(len(p)); b.left < 0 {
		return 0, errLibraryFull
	}
	return b.Writer.Write(p)
}

// writeLibrary tells how much there is.
func (s *Server) writeLibrary(b *bytes.Buffer) {
	if s.Library == nil {
		return
	}
	all, err := s.Library.Usage("")
	if err != nil {
		s.Log.Error("library", "error", err)
		return
	}
	single(b, "mambac_library_states", "gauge", "States in the library.", all.States)
	single(b, "mambac_library_bytes", "gauge", "What these take on the disk.", all.Bytes)
	single(b, "mambac_library_users", "gauge", "Requests that go on from one of them.", s.held.Users())
}

// full tells of a disk that has no room.
func full(err error) bool { return errors.Is(err, syscall.ENOSPC) }
