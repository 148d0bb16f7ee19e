package modeltest

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"

	"github.com/mambac/mambac/runtime/model"
)

// action is one thing that happens to a session.
type action struct {
	kind
	ids    []int  // to read
	tokens int    // to generate
	seed   uint64 // of the generation
	after  int    // how soon the call is interrupted
}

type kind int

const (
	read     kind = iota // ids, by Prefill
	greedy               // tokens, the likeliest
	sampled              // tokens, by chance
	leave                // tokens by chance; the loop ends half way
	handover             // the session goes on as what was saved of it
	forked               // it goes on as its fork, while the parent goes astray
	astray               // it goes on, while its fork goes astray
	kinds
)

// newScript begins with something to read and ends with a generation.
func newScript(r *rand.Rand, m *model.Model) []action {
	script := []action{newAction(r, read, m.Vocabulary())}
	for range 2 + r.IntN(3) {
		script = append(script, newAction(r, kind(r.IntN(int(kinds))), m.Vocabulary()))
	}
	return append(script, newAction(r, greedy, m.Vocabulary()))
}

func newAction(r *rand.Rand, k kind, vocabulary int) action {
	a := action{kind: k, tokens: 1 + r.IntN(5), seed: r.Uint64(), after: r.IntN(20)}
	for range 1 + r.IntN(20) {
		a.ids = append(a.ids, r.IntN(vocabulary))
	}
	return a
}

// outcome is what a session has come to.
type outcome struct {
	generated string // ids and texts
	position  int
	state     [sha256.Size]byte // of the state file: states, logits, and which ids were read
}

// player does what a script says.
type player interface {
	newSession() *model.Session
	read(s *model.Session, ids []int, after int) error
	greedy(s *model.Session, n, after int) ([]int, error)
	// replace returns the session with which it goes on.
	replace(s *model.Session, k kind) (*model.Session, error)
}

// play plays a script to its end.
func play(p player, script []action) (o outcome, err error) {
	s := p.newSession()
	defer func() { s.Close() }()
	for i, a := range script {
		var out string
		if s, out, err = act(p, s, a); err != nil {
			return o, fmt.Errorf("action %d of %d (%+v): %w", i, len(script), a, err)
		}
		o.generated += out
	}
	var file bytes.Buffer
	if err := s.Save(&file); err != nil {
		return o, err
	}
	o.position, o.state = s.Position(), sha256.Sum256(file.Bytes())
	return o, nil
}

// act does one thing and returns the session that is to go on, and what was
// generated.
func act(p player, s *model.Session, a action) (*model.Session, string, error) {
	switch a.kind {
	case read:
		return s, "", p.read(s, a.ids, a.after)
	case greedy:
		ids, err := p.greedy(s, a.tokens, a.after)
		return s, fmt.Sprintln(ids), err
	case sampled:
		out, err := sample(s, a, a.tokens)
		return s, out, err
	case leave:
		out, err := sample(s, a, (a.tokens+1)/2)
		return s, out, err
	}
	next, err := p.replace(s, a.kind)
	if next == nil {
		next = s
	}
	return next, "", err
}
