package serve

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"math/bits"
	"net/http"
	"slices"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/library"
	"github.com/mambac/mambac/runtime/prefix"
	"github.com/mambac/mambac/runtime/schedule"
	"github.com/mambac/mambac/runtime/snapshot"
)

// stateHeader names a state for clients that can add no field.
const stateHeader = "X-Mambac-State"

// held is a state of the library, in memory: once, however many requests go on from
// it.
type held struct {
	*snapshot.Snapshot
	digest string // of its file
}

// take gives a state to go on from, until it is put back.
func (s *Server) take(name string) (h *held, putBack func(), err error) {
	if s.Library == nil {
		return nil, nil, errNoLibrary
	}
	return s.held.Take(name, func() (*held, error) { return s.load(name) })
}

// load reads a state. Its clones are taken by several goroutines.
func (s *Server) load(name string) (*held, error) {
	f, _, err := s.Library.Get(name)
	if err != nil {
		return nil, s.stateError(name, err)
	}
	defer f.Close()
	sum := sha256.New()
	n, err := s.Codec.ReadWhole(bufio.NewReader(io.TeeReader(f, sum)))
	if err != nil {
		return nil, s.unusable(name, err)
	}
	n.State = n.State.Clone()
	return &held{n, hex.EncodeToString(sum.Sum(nil))}, nil
}

// unusable is the error of reading a state. What the system says of its file is for
// the log.
func (s *Server) unusable(name string, err error) error {
	if errors.As(err, new(*fs.PathError)) {
		return s.stateError(name, err)
	}
	return failf(http.StatusUnprocessableEntity, "state_unusable", "state %s: %v", name, err)
}

// named is the state that a request goes on from, by its field or header.
func (p *params) named(r *http.Request) (string, error) {
	header := r.Header.Get(stateHeader)
	switch {
	case header == "":
		return p.State, nil
	case p.State != "" && p.State != header:
		return "", wrong("state", "have %.140q, but %s says %.140q", p.State, stateHeader, header)
	}
	return header, nil
}

// attach finds the state that the texts go on from. What was made of a text has no
// token to begin with then.
func (j *job) attach(c *call) error {
	s := j.server
	j.owner = s.owner(c.Request)
	if j.SaveState != "" {
		if s.Library == nil {
			return errNoLibrary
		}
		if err := library.CheckName(j.SaveState); err != nil {
			return wrong("save_state", "%v", err)
		}
	}
	var err error
	if j.from, err = j.named(c.Request); err != nil || j.from == "" {
		return err
	}
	if j.base, j.putBack, err = s.take(j.from); err != nil {
		return err
	}
	for i := range j.prompts {
		p := &j.prompts[i]
		p.likely = nil // that was for texts without a state
		if bos := s.Meta.BOS; p.encoded && bos != nil && len(p.ids) > 0 && p.ids[0] == *bos {
			p.ids = p.ids[1:]
		}
		if p.encoded && p.text == "" {
			p.ids = nil
		}
		if len(p.ids) == 0 && j.base.Logits == nil {
			return wrong("prompt", "is empty, and the state %s does not say what follows it", j.from)
		}
	}
	return nil
}

// detach lets go of the state.
func (j *job) detach() {
	if j.putBack != nil {
		j.putBack()
	}
}

// position is the tokens before a prompt.
func (j *job) position() int {
	if j.base == nil {
		return 0
	}
	return j.base.State.Pos()
}

// start is where prompts begin. A state's file stands for what it has read: it may
// be from a processor with other bits, or say what it likes.
func (j *job) start() prefix.Start {
	if j.base == nil {
		return prefix.Start{Owner: j.owner}
	}
	return prefix.Start{Owner: j.owner, From: j.base.digest, Position: j.position()}
}

// continueState has a request go on from the state, of which it takes a clone as
// late as can be.
func (j *job) continueState(r *schedule.Request) {
	if j.base == nil {
		return
	}
	r.Logits = j.base.Logits
	resume := r.Resume
	r.Resume = func() (*engine.State, int) {
		if resume != nil {
			if state, read := resume(); state != nil {
				return state, read
			}
		}
		return j.base.State.Clone(), 0
	}
}

// prime tells an answer what its text has in it before the prompt.
func (a *answer) prime(n *snapshot.Snapshot) {
	for i, word := range n.Seen {
		for ; word != 0; word &= word - 1 {
			a.sampler.Accept(int32(64*i + bits.TrailingZeros64(word)))
		}
	}
	if a.decoder != nil && n.State.Pos() > 0 {
		a.decoder.Continue()
	}
}

// snapshot is what the first text has become, or the first prompt if there is none.
func (j *job) snapshot() *snapshot.Snapshot {
	n := j.server.Codec.Fresh()
	if j.base != nil {
		n.Text, n.Seen = j.base.Text, slices.Clone(j.base.Seen)
	}
	n.Note(j.prompts[0].ids...)
	if len(j.answers) > 0 {
		n.Note(j.answers[0].ids...)
	}
	end := j.tickets[0].Results()[0]
	n.State, n.Logits = end.State, end.Logits
	return n
}

// conclude does what is left to do when all texts have ended.
func (j *job) conclude() error {
	if err := j.err(); err != nil || j.SaveState == "" {
		return err
	}
	_, err := j.server.store(j.SaveState, library.Entry{Parent: j.from}, j.snapshot(), true)
	return err
}

var errNoLibrary = failf(http.StatusNotFound, "no_library", "the server has no library of states")

// stateError is what a client is told of an error of the library: no paths of
// files.
func (s *Server) stateError(name string, err error) error {
	var f *failure
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, library.ErrNotFound):
		return failf(http.StatusNotFound, "state_not_found", "there is no state %.140q; GET %s lists those that there are", name, statesPath)
	case errors.Is(err, library.ErrExists):
		return failf(http.StatusConflict, "state_exists", "there is a state %.140q already; choose another name, or delete it first", name)
	case errors.Is(err, library.ErrName):
		return wrong("name", "%.140q: %v", name, library.ErrName)
	case errors.Is(err, library.ErrDamaged):
		return failf(http.StatusUnprocessableEntity, "state_unusable", "state %.140q is damaged; delete it, or put a copy in its place", name)
	case full(err):
		return failf(http.StatusInsufficientStorage, "library_full", "the disk of the library is full")
	}
	s.Log.Error("library", "state", name, "error", err)
	return failf(http.StatusInternalServerError, "", "state %.140q: the library has failed; the server's log says more", name)
}
