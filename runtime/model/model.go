// Package model is the API of generated packages: a compiled model with its
// weights, and sessions that read and write text. It sees the runtime only.
package model

import (
	"errors"
	"fmt"
	"sync"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/payload"
	"github.com/mambac/mambac/runtime/snapshot"
	"github.com/mambac/mambac/runtime/tokenizer"
)

// Errors that a program may want to tell apart.
var (
	// ErrClosed is returned for calls on a model or session that was closed.
	ErrClosed = errors.New("closed: the model or session is no longer in use")
	// ErrBusy is returned for a call on a session while another one runs, or
	// while a loop over Generate has not ended.
	ErrBusy = errors.New("session is in use by another call; give each goroutine its own, by NewSession or Fork")
	// ErrNoTokenizer is returned for text where the checkpoint had no
	// tokenizer.json.
	ErrNoTokenizer = errors.New("this model was built without a tokenizer (the checkpoint had no tokenizer.json); use token ids")
	// ErrNoPayload is returned by Open when the payload is nowhere.
	ErrNoPayload = errors.New("payload not found")
)

// Package is what a generated package tells of itself.
type Package struct {
	Name     string           // of the package, in errors
	Compiled *engine.Compiled // its code
	Digest   string           // of the payload, hexadecimal; "" takes any that fits
	Embedded []byte           // the payload, where it is part of the program
	Command  string           // makes the package and its payload again
}

// Model is a compiled model with its weights and its workers. Any number of
// goroutines may use it, each with sessions of its own; their calls queue at
// the workers.
type Model struct {
	life      sync.RWMutex // held for reading while weights or tables are read
	closed    bool
	payload   *payload.Payload
	owned     bool // the payload is closed with the model
	compiled  *engine.Compiled
	engine    *engine.Engine
	codec     *snapshot.Codec
	tokenizer *Tokenizer // nil for none
	texts     texts
}

// Open binds a package's code to its payload and starts the workers. It fails
// if the payload cannot be found or read, is cut off or another one, and if this
// processor lacks what every level in the package needs. It does not read the
// weights, so it does not see that bytes of them were altered.
func Open(p *Package, opts ...Option) (*Model, error) {
	var o options
	for _, opt := range opts {
		if opt != nil {
			opt(&o)
		}
	}
	file, err := o.open(p)
	if err != nil {
		return nil, err
	}
	m := &Model{payload: file, owned: !o.borrowed, compiled: p.Compiled}
	if err := m.bind(&o); err != nil {
		m.release()
		return nil, fmt.Errorf("%s: %w", file.Path(), err)
	}
	return m, nil
}

func (m *Model) bind(o *options) error {
	meta := m.payload.Metadata()
	if meta.Fingerprint != m.compiled.Fingerprint {
		return fmt.Errorf("payload has fingerprint %.12q, the code %.12q; generate or build both again", meta.Fingerprint, m.compiled.Fingerprint)
	}
	if err := snapshot.Check(meta.States, &m.compiled.Shape); err != nil {
		return err
	}
	if section, ok := m.payload.Section(payload.TokenizerSection); ok {
		t, err := tokenizer.Open(section)
		if err != nil {
			return err
		}
		m.tokenizer = &Tokenizer{model: m, table: t}
	}
	weights, ok := m.payload.Section(payload.WeightsSection)
	if !ok {
		return errors.New("payload has no weights; generate or build it again")
	}
	var err error
	m.engine, err = engine.New(m.compiled, weights, engine.Options{
		Level: o.level, Threads: o.threads, Context: o.context, Longest: engine.Longest(meta.Longest), Move: m.payload.Mapped() && !o.stay,
	})
	m.codec = snapshot.New(meta, m.compiled.Shape, m.engine)
	return err
}

// Close ends the workers and gives the weights back, after the calls that are
// under way. Sessions and the tokenizer return ErrClosed from then on.
func (m *Model) Close() error {
	m.life.Lock()
	defer m.life.Unlock()
	if m.closed {
		return ErrClosed
	}
	m.closed = true
	m.engine.Close()
	return m.release()
}

func (m *Model) release() error {
	if !m.owned {
		return nil
	}
	return m.payload.Close()
}

// use keeps the model open until done is called. It does not nest.
func (m *Model) use() error {
	m.life.RLock()
	if m.closed {
		m.life.RUnlock()
		return ErrClosed
	}
	return nil
}

func (m *Model) done() { m.life.RUnlock() }

// Tokenizer turns text into the model's ids and back; without a tokenizer in
// the checkpoint its methods return ErrNoTokenizer.
func (m *Model) Tokenizer() *Tokenizer { return m.tokenizer }

// Prompt is the ids that a text begins a session with: the special tokens that
// the checkpoint puts around a text are added, and an empty text is the begin
// token, or the end token, with which texts were joined in training.
func (m *Model) Prompt(text string) ([]int, error) {
	if m.tokenizer == nil {
		return nil, ErrNoTokenizer
	}
	ids, err := m.tokenizer.Encode(text)
	if err != nil || len(ids) > 0 {
		return ids, err
	}
	if id, ok := m.payload.Metadata().First(); ok {
		return []int{int(id)}, nil
	}
	return nil, errors.New("the prompt is empty and the model has no token to begin with; give a prompt or ids")
}

// Vocabulary is the number of logits of a token; ids that are sampled go from
// 0 up to it.
func (m *Model) Vocabulary() int { return m.compiled.Shape.Vocab }

// Level is the name of the kernels in use: generic, v3, v4, ….
func (m *Model) Level() string { return m.engine.Level() }

// Threads is the number of workers.
func (m *Model) Threads() int { return m.engine.Threads() }

// StateBytes is the memory of a session's state, however much it has read.
func (m *Model) StateBytes() int { return 4 * m.compiled.Shape.State }

// EndTokens lists the ids that end a text.
func (m *Model) EndTokens() []int { return ints(m.payload.Metadata().EOS) }
