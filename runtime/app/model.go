package app

import (
	"flag"
	"fmt"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/payload"
	"github.com/mambac/mambac/runtime/tokenizer"
)

// artifact is the opened payload of the program.
type artifact struct {
	file      *payload.Payload
	meta      *payload.Metadata
	compiled  *engine.Compiled
	tokenizer *tokenizer.Tokenizer // nil when the checkpoint had none
}

// load is openArtifact with the tokenizer.
func (s *session) load() (*artifact, error) {
	m, err := s.openArtifact()
	if err != nil {
		return nil, err
	}
	if err := m.openTokenizer(); err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

// openArtifact opens the payload and proves that it belongs to this code.
func (s *session) openArtifact() (*artifact, error) {
	file, err := s.open()
	if err != nil {
		return nil, err
	}
	m := &artifact{file: file, meta: file.Metadata(), compiled: s.compiled}
	if m.meta.Fingerprint != m.compiled.Fingerprint {
		file.Close()
		return nil, fmt.Errorf("%s: payload has fingerprint %.12q, the code %.12q; build the program again", file.Path(), m.meta.Fingerprint, m.compiled.Fingerprint)
	}
	return m, nil
}

// openTokenizer reads the tokenizer's table, if there is one.
func (m *artifact) openTokenizer() error {
	section, ok := m.file.Section(payload.TokenizerSection)
	if !ok {
		return nil
	}
	var err error
	if m.tokenizer, err = tokenizer.Open(section); err != nil {
		return fmt.Errorf("%s: %w", m.file.Path(), err)
	}
	return nil
}

// close gives the mapping back; nothing of the model may be used then.
func (m *artifact) close() { m.file.Close() }

// workers is how a command runs the model.
type workers struct {
	threads int  // 0: one per physical core
	mmap    bool // the payload is left to the page cache
}

func (o *workers) register(f *flag.FlagSet) {
	f.IntVar(&o.threads, "threads", 0, "")
	o.registerMmap(f)
}

func (o *workers) registerMmap(f *flag.FlagSet) { f.BoolVar(&o.mmap, "mmap", false, "") }

// engine starts the model's engine.
func (m *artifact) engine(o workers) (*engine.Engine, error) {
	weights, ok := m.file.Section(payload.WeightsSection)
	if !ok {
		return nil, fmt.Errorf("%s: payload has no weights; build the program again", m.file.Path())
	}
	return engine.New(m.compiled, weights, engine.Options{Threads: o.threads, Move: m.file.Mapped() && !o.mmap})
}

// noTokenizer is the error of commands that need text, of a program that has no
// tokenizer.
func (m *artifact) noTokenizer() error {
	why := "the checkpoint had no tokenizer.json"
	if m.meta.SentencePiece {
		why += ", only tokenizer.model of SentencePiece, which mambac does not read"
	}
	return fmt.Errorf("this model was built without a tokenizer (%s); use --ids and --print ids", why)
}

// text is the tokenizer, for commands that need one.
func (m *artifact) text() (*tokenizer.Tokenizer, error) {
	if m.tokenizer == nil {
		return nil, m.noTokenizer()
	}
	return m.tokenizer, nil
}
