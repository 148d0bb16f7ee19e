package app

import (
	"flag"
	"fmt"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/payload"
	"github.com/mambac/mambac/runtime/tokenizer"
)

// Artifact is the opened payload of the program.
type Artifact struct {
	File      *payload.Payload
	Meta      *payload.Metadata
	Tokenizer *tokenizer.Tokenizer // nil when the checkpoint had none
	compiled  *engine.Compiled
}

// Load opens what the program carries.
func (s *Session) Load() (*Artifact, error) {
	m, err := s.openArtifact()
	if err != nil {
		return nil, err
	}
	if err := m.openTokenizer(); err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

// openArtifact opens the payload and proves that it belongs to this code.
func (s *Session) openArtifact() (*Artifact, error) {
	file, err := s.Open()
	if err != nil {
		return nil, err
	}
	m := &Artifact{File: file, Meta: file.Metadata(), compiled: s.Compiled}
	if m.Meta.Fingerprint != m.compiled.Fingerprint {
		file.Close()
		return nil, fmt.Errorf("%s: payload has fingerprint %.12q, the code %.12q; build the program again", file.Path(), m.Meta.Fingerprint, m.compiled.Fingerprint)
	}
	return m, nil
}

// openTokenizer reads the tokenizer's table, if there is one.
func (m *Artifact) openTokenizer() error {
	section, ok := m.File.Section(payload.TokenizerSection)
	if !ok {
		return nil
	}
	var err error
	if m.Tokenizer, err = tokenizer.Open(section); err != nil {
		return fmt.Errorf("%s: %w", m.File.Path(), err)
	}
	return nil
}

// Close gives the mapping back; nothing of the model may be used then.
func (m *Artifact) Close() { m.File.Close() }

// Workers is how a command runs the model.
type Workers struct {
	Threads int  // 0: one per physical core
	Mmap    bool // the payload is left to the page cache
	Context int  // tokens of a sequence at most; 0 for any number
}

// Register adds the flags --threads and --mmap.
func (o *Workers) Register(f *flag.FlagSet) {
	f.IntVar(&o.Threads, "threads", 0, "")
	o.registerMmap(f)
}

func (o *Workers) registerMmap(f *flag.FlagSet) { f.BoolVar(&o.Mmap, "mmap", false, "") }

// RegisterContext adds the flag --context.
func (o *Workers) RegisterContext(f *flag.FlagSet) { f.IntVar(&o.Context, "context", 0, "") }

// Check tells of numbers that make no sense.
func (o *Workers) Check() error {
	switch {
	case o.Threads < 0:
		return Usagef("--threads %d: want a number of workers, or 0 for one per physical core", o.Threads)
	case o.Context < 0:
		return Usagef("--context %d: want a number of tokens, or 0 for no bound", o.Context)
	}
	return nil
}

// newEngine starts the model's engine.
func (m *Artifact) newEngine(o Workers) (*engine.Engine, error) {
	weights, ok := m.File.Section(payload.WeightsSection)
	if !ok {
		return nil, fmt.Errorf("%s: payload has no weights; build the program again", m.File.Path())
	}
	return engine.New(m.compiled, weights, engine.Options{
		Threads: o.Threads, Context: o.Context, Longest: engine.Longest(m.Meta.Longest), Move: m.File.Mapped() && !o.Mmap,
	})
}

// Running is the opened payload of the program, and its model at work.
type Running struct {
	*Artifact
	Engine *engine.Engine
}

// Start opens what the program carries, and has its model begin to work.
func (s *Session) Start(o Workers) (*Running, error) {
	a, err := s.Load()
	if err != nil {
		return nil, err
	}
	e, err := a.newEngine(o)
	if err != nil {
		a.Close()
		return nil, err
	}
	return &Running{a, e}, nil
}

// Weights is what the engine reads of the payload.
func (m *Running) Weights() []byte {
	weights, _ := m.File.Section(payload.WeightsSection) // the engine has looked
	return weights
}

// Close ends the engine and gives the mapping back; nothing of the model may be used
// then.
func (m *Running) Close() {
	m.Engine.Close()
	m.Artifact.Close()
}

// noTokenizer is the error of commands that need text, of a program that has no
// tokenizer.
func (m *Artifact) noTokenizer() error {
	why := "the checkpoint had no tokenizer.json"
	if m.Meta.SentencePiece {
		why += ", only tokenizer.model of SentencePiece, which mambac does not read"
	}
	return fmt.Errorf("this model was built without a tokenizer (%s); use --ids and --print ids", why)
}

// Text is the tokenizer, for commands that need one.
func (m *Artifact) Text() (*tokenizer.Tokenizer, error) {
	if m.Tokenizer == nil {
		return nil, m.noTokenizer()
	}
	return m.Tokenizer, nil
}
